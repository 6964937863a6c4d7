"""The retry policy of a batch (扣款重试策略) as versioned data: what each refusal brings, when, how much, how often.

An order is bound to the version under which it first went out, by its content and hash; another version never moves
its dates. `models.domain.servicing.retry_policy` is the daily run's; `general_form` says it in these words.
"""

from datetime import time
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.domain.batches.retrying.reasons import REASON_OF_CODE, Reason
from models.domain.batches.versioned import FULL_BPS, Data, Name, Source, Versioned
from models.domain.servicing.retry_policy import DEFAULT_RETRY_POLICY, RetryAction
from models.domain.servicing.retry_policy import RetryPolicy as DailyPolicy
from models.domain.servicing.retry_policy import RetryRule as DailyRule

_GapDays = Annotated[int, Field(ge=1, le=366)]
_BankCode = Annotated[str, Field(pattern=r"\A[A-Z0-9]{2,8}\Z")]


class ReasonRule(Data):
    """What one reason brings.

    Attributes:
        action: try again, ask the customer, or stop under this mandate.
        after_days: calendar days from the day of the answer to the next try, by presentment; the last repeats.
        salary_aware: wait for the customer's salary day if it comes soon: money is missing, not the account.
        part: a part may be asked for after this reason, where policy and mandate allow parts.
    """

    action: RetryAction
    after_days: Annotated[tuple[_GapDays, ...], Field(max_length=20)] = ()
    salary_aware: bool = False
    part: bool = False

    @model_validator(mode="after")
    def _days_go_with_retries(self) -> Self:
        if bool(self.after_days) != (self.action is RetryAction.RETRY):
            raise PydanticCustomError("retry-days", "a retry, and only a retry, has days")
        return self

    def days_after(self, presentment: int) -> int:
        """Days to wait after the presentment of that number, from 1."""
        return self.after_days[min(presentment, len(self.after_days)) - 1]


_FOR_A_PERSON: Final = ReasonRule(action=RetryAction.ASK_CUSTOMER)


class Parts(Data):
    """How a part is asked for where the whole did not come (部分扣款).

    Attributes:
        from_attempt: the first presentment that may be a part; the first of all is always the whole.
        share_bps: of what is still owed, rounded down to `step_minor`.
        least_minor: never less than this, or the whole if less is owed.
        rest_after_days: calendar days from a part that was taken to the try for the rest.
    """

    from_attempt: Annotated[int, Field(ge=2, le=20)]
    share_bps: Annotated[int, Field(ge=1, le=FULL_BPS)]
    least_minor: Annotated[int, Field(ge=1)]
    step_minor: Annotated[int, Field(ge=1)] = 1
    rest_after_days: _GapDays


class RetryPolicy(Versioned):
    """One version.

    Attributes:
        version: its name; stored with every order beside the hash.
        source: where the figures come from.
        reasons: what each reason brings.
        codes: what single codes of a bank bring, where it is not what their reason does.
        otherwise: for every other reason.
        attempts: presentments in all, the first included.
        minimum_gap_days: calendar days between two presentments at least.
        window_days: the last presentment is no later than so many days after the due date.
        salary_wait_days: how far the salary day may lie behind the plain date to be worth waiting for.
        payday_before_holiday: a salary day that is no bank day stands for the bank day before it (WAGE-P7).
        cut_off: time of day in Shanghai after which nothing leaves on that day any more (截止时间).
        parts: how parts are asked for; None: never.
    """

    version: Name
    source: Source
    reasons: dict[Reason, ReasonRule] = Field(default_factory=dict)
    codes: dict[_BankCode, ReasonRule] = Field(default_factory=dict)
    otherwise: ReasonRule
    attempts: Annotated[int, Field(ge=1, le=20)]
    minimum_gap_days: _GapDays = 1
    window_days: Annotated[int, Field(ge=0, le=366)]
    salary_wait_days: Annotated[int, Field(ge=0, le=62)] = 0
    payday_before_holiday: bool = False
    cut_off: time | None = None
    parts: Parts | None = None

    @model_validator(mode="after")
    def _local_time(self) -> Self:
        if self.cut_off is not None and self.cut_off.tzinfo is not None:
            raise PydanticCustomError("retry-cut-off-zone", "the cut-off is a time of day in Shanghai")
        return self

    def rule_for(self, code: str | None, reason: Reason) -> ReasonRule:
        """What a refusal brings: its code's own rule, or that of its reason, or the general one.

        What a code means that nobody has placed, nobody knows: no general rule has it presented again by guess.
        """
        if code is not None and code in self.codes:
            return self.codes[code]
        rule = self.reasons.get(reason, self.otherwise)
        by_guess = reason is Reason.UNKNOWN and reason not in self.reasons and rule.action is RetryAction.RETRY
        return _FOR_A_PERSON if by_guess else rule


def general_form(daily: DailyPolicy) -> RetryPolicy:
    """A policy of the daily run in the words of a batch: the same codes bring the same dates."""
    reasons: dict[Reason, ReasonRule] = {}
    codes: dict[str, ReasonRule] = {}
    for code, rule in daily.rules.items():
        general, reason = _rule(rule), REASON_OF_CODE.get(code, Reason.UNKNOWN)
        # A code that nobody has placed keeps its own rule, as does one that differs from the others of its reason.
        if reason is Reason.UNKNOWN or reasons.setdefault(reason, general) != general:
            codes[code] = general
    otherwise = _rule(daily.otherwise)
    # Codes of a reason that the daily policy does not list fall under its general rule there.
    codes |= {code: otherwise for code, reason in REASON_OF_CODE.items() if code not in daily.rules}
    return RetryPolicy(
        version=daily.version,
        source=daily.source,
        reasons=reasons,
        codes=dict(sorted(codes.items())),
        otherwise=otherwise,
        attempts=daily.attempts,
        window_days=daily.window_days,
        salary_wait_days=daily.salary_wait_days,
    )


def _rule(rule: DailyRule) -> ReasonRule:
    return ReasonRule(action=rule.action, after_days=rule.after_days, salary_aware=rule.salary_aware)


DEFAULT_POLICY: Final = general_form(DEFAULT_RETRY_POLICY)
"""What orders are bound to where the bank has settled nothing else: the daily run's policy."""
