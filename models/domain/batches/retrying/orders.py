"""What a decision about another try is made from: the order with its mandate, and the presentments so far."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class AttemptState(StrEnum):
    """What has become of a presentment, as far as is known."""

    OPEN = "open"  # made, under way, or unanswered
    SETTLED = "settled"  # the money came
    FAILED = "failed"  # refused, or taken and returned later


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One presentment.

    Attributes:
        on: the day for which it was made.
        amount_minor: what was asked for.
        code: the bank's, of a failed one; None if it gave none.
        answered_on: the business date on which the failure became known.
    """

    on: date
    amount_minor: int
    state: AttemptState
    code: str | None = None
    answered_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse an amount of nothing, and a failure that nobody knows of."""
        if self.amount_minor < 1:
            raise ValueError("a presentment asks for one minor unit or more")
        if (self.answered_on is None) and self.state is AttemptState.FAILED:
            raise ValueError("a failed presentment has the day of its answer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mandate:
    """What the customer's authorisation (代扣授权) allows.

    Attributes:
        limit_minor: of one debit; None: the policy of the account bank alone.
        valid_to: its last day; None: until it is revoked.
        parts_allowed: a debit may be less than what is due.
        revoked: nothing is debited any more.
    """

    limit_minor: int | None = None
    valid_to: date | None = None
    parts_allowed: bool = False
    revoked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryOrder:
    """One claim that is to be collected.

    Attributes:
        amount_minor: what the order was frozen with; no more is ever taken for it.
        due: when it fell due; the first presentment is made for that day.
        owed_minor: what is owed now, if that is known: part of it may have been paid otherwise (BATCH-CUT).
        salary_day: day of the month on which the customer's wage comes; 31 is the last day of any month.
    """

    amount_minor: int
    due: date
    mandate: Mandate = Mandate()
    owed_minor: int | None = None
    salary_day: int | None = None

    def __post_init__(self) -> None:
        """Refuse an order of nothing, and a day that no month has."""
        if self.amount_minor < 1:
            raise ValueError("an order is for one minor unit or more")
        if self.salary_day is not None and not 1 <= self.salary_day <= 31:  # noqa: PLR2004 - days of a month
            raise ValueError("a salary day is 1 to 31")
