"""When a returned debit is tried again (扣款重试策略): data by reason code, and the next date from it.

An order is bound to the version of the policy under which it was first sent; another policy never moves its dates.
Reason codes are those of ISO 20022 (external status and return reasons).
"""

import calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

WorkingDay = Callable[[date], bool]

_LONGEST_HOLIDAY: Final = 31


class RetryAction(StrEnum):
    """What follows a return."""

    RETRY = "retry"
    ASK_CUSTOMER = "ask-customer"  # another account, another date, or the case worker calls
    STOP = "stop"  # no order under this mandate any more


class StopCause(StrEnum):
    """Why nothing is tried again."""

    REASON = "reason"  # the code forbids it
    ATTEMPTS = "attempts"  # the cap is reached
    TOO_LATE = "too-late"  # the next date lies beyond the last day allowed


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryRule:
    """What one reason code means.

    Attributes:
        action: what follows.
        after_days: calendar days from the failed day to the next try, by try; the last repeats. Only for retries.
        salary_aware: wait for the customer's salary day if it comes soon: money is missing, not the account.
    """

    action: RetryAction
    after_days: tuple[int, ...] = ()
    salary_aware: bool = False

    def __post_init__(self) -> None:
        """Refuse a retry without days, or days without a retry."""
        if bool(self.after_days) != (self.action is RetryAction.RETRY) or any(days < 1 for days in self.after_days):
            raise ValueError("a retry, and only a retry, has days of one or more")


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """Rules of one version.

    Attributes:
        version: stored with every order.
        source: where the figures come from.
        rules: by reason code.
        otherwise: for codes that are not listed.
        attempts: presentments of one row in all, the first included.
        window_days: the last try is no later than so many days after the row fell due.
        salary_wait_days: how far the salary day may lie behind the plain date to be worth waiting for.
    """

    version: str
    source: str
    rules: dict[str, RetryRule] = field(default_factory=dict)
    otherwise: RetryRule
    attempts: int
    window_days: int
    salary_wait_days: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NextTry:
    """The answer: `on` is set for a retry; `cause` says why there is none. `moved_by` tells what shifted the date."""

    action: RetryAction
    on: date | None
    cause: StopCause | None
    moved_by: tuple[str, ...]
    policy_version: str


_NO_MONEY: Final = RetryRule(action=RetryAction.RETRY, after_days=(3, 5), salary_aware=True)
_TECHNICAL: Final = RetryRule(action=RetryAction.RETRY, after_days=(1,))
_ASK: Final = RetryRule(action=RetryAction.ASK_CUSTOMER)
_STOP: Final = RetryRule(action=RetryAction.STOP)

DEFAULT_RETRY_POLICY: Final = RetryPolicy(
    version="retry/2026-01",
    source="product default, provisional: two re-presentments as in NACHA rules; days are the bank's choice",
    rules={
        "AM04": _NO_MONEY,  # insufficient funds
        "AM02": _NO_MONEY,  # not allowed amount
        "AM14": _NO_MONEY,  # over the agreed amount of the day
        "AB05": _TECHNICAL,  # timeout at the debtor's bank
        "AB06": _TECHNICAL,  # timeout at the instructed agent
        "ED05": _TECHNICAL,  # settlement failed
        "TM01": _TECHNICAL,  # after the cut-off
        "AC01": _ASK,  # account number wrong
        "AC04": _ASK,  # account closed
        "AC06": _ASK,  # account blocked
        "AG01": _ASK,  # debit not allowed on this account
        "MS02": _ASK,  # no reason given by the customer
        "MS03": _ASK,  # no reason given by the bank
        "MD01": _STOP,  # no mandate
        "MD06": _STOP,  # refund asked for by the customer
        "MD07": _STOP,  # customer deceased
        "SL01": _STOP,  # customer's instruction to the bank
        "DNOR": _STOP,  # bank does not take part
    },
    otherwise=_ASK,
    attempts=3,
    window_days=20,
    salary_wait_days=7,
)

RETRY_POLICIES: Final[dict[str, RetryPolicy]] = {DEFAULT_RETRY_POLICY.version: DEFAULT_RETRY_POLICY}
"""Every version that an order may be bound to. A version, once used, is never changed or taken away."""


def next_try(
    policy: RetryPolicy,
    *,
    reason: str,
    attempt: int,
    due: date,
    failed_on: date,
    salary_day: int | None = None,
    is_working_day: WorkingDay | None = None,
) -> NextTry:
    """What follows the return of a debit.

    Args:
        policy: the version that the order is bound to.
        reason: the bank's code.
        attempt: which presentment came back, from 1.
        due: the row's due date.
        failed_on: the business date on which the return is known.
        salary_day: day of the month on which the customer's wage comes, if known; 31 is the last day of any month.
        is_working_day: moves a date that is none to the next working day; without it dates stay.

    Raises:
        ValueError: the attempt does not count from 1.
    """
    if attempt < 1:
        raise ValueError("attempts count from 1")
    rule = policy.rules.get(reason, policy.otherwise)
    if rule.action is not RetryAction.RETRY:
        return _none(policy, rule.action, StopCause.REASON)
    if attempt >= policy.attempts:
        return _none(policy, RetryAction.ASK_CUSTOMER, StopCause.ATTEMPTS)
    on = failed_on + timedelta(days=rule.after_days[min(attempt, len(rule.after_days)) - 1])
    last, moved = due + timedelta(days=policy.window_days), []
    if rule.salary_aware and salary_day is not None:
        wage = next_salary_day(failed_on, salary_day)
        if on < wage <= min(last, on + timedelta(days=policy.salary_wait_days)):
            on = wage
            moved.append("salary-day")
    if is_working_day is not None and not is_working_day(on):
        on = next_working_day(on, is_working_day)
        moved.append("working-day")
    if on > last:
        return _none(policy, RetryAction.ASK_CUSTOMER, StopCause.TOO_LATE)
    return NextTry(action=RetryAction.RETRY, on=on, cause=None, moved_by=tuple(moved), policy_version=policy.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedTry:
    """One presentment in a simulation: its date, the reason it comes back with, and what follows."""

    attempt: int
    on: date
    reason: str
    then: NextTry


def simulate(
    policy: RetryPolicy,
    *,
    due: date,
    reasons: Sequence[str],
    reply_days: int = 1,
    salary_day: int | None = None,
    is_working_day: WorkingDay | None = None,
) -> tuple[SimulatedTry, ...]:
    """The calendar of a row whose debits come back with these reasons, one after the other.

    Args:
        policy: the version to try out before it is released.
        due: the row's due date, on which it is presented first.
        reasons: reason codes in order.
        reply_days: days from a presentment to its return.
        salary_day: as for `next_try`.
        is_working_day: as for `next_try`.
    """
    tries: list[SimulatedTry] = []
    on: date | None = due
    for attempt, reason in enumerate(reasons, 1):
        if on is None:
            break
        then = next_try(
            policy,
            reason=reason,
            attempt=attempt,
            due=due,
            failed_on=on + timedelta(days=reply_days),
            salary_day=salary_day,
            is_working_day=is_working_day,
        )
        tries.append(SimulatedTry(attempt=attempt, on=on, reason=reason, then=then))
        on = then.on
    return tuple(tries)


def render_calendar(policy: RetryPolicy, tries: Sequence[SimulatedTry]) -> str:
    """A simulation as lines of text, one per presentment."""
    lines = [f"policy {policy.version}: at most {policy.attempts} presentments in {policy.window_days} days"]
    for item in tries:
        follows = f"again on {item.then.on}" if item.then.on else f"{item.then.action} ({item.then.cause})"
        moved = f" [{', '.join(item.then.moved_by)}]" if item.then.moved_by else ""
        lines.append(f"{item.attempt}. {item.on:%Y-%m-%d %a}  {item.reason}  -> {follows}{moved}")
    return "\n".join(lines)


def _none(policy: RetryPolicy, action: RetryAction, cause: StopCause) -> NextTry:
    return NextTry(action=action, on=None, cause=cause, moved_by=(), policy_version=policy.version)


def next_salary_day(after: date, salary_day: int) -> date:
    """The next salary day on or after a day; in a month without that day, its last."""
    this_month = day_in_month(after.year, after.month, salary_day)
    if this_month >= after:
        return this_month
    year, month = divmod(after.year * 12 + after.month, 12)
    return day_in_month(year, month + 1, salary_day)


def day_in_month(year: int, month: int, day: int) -> date:
    """The day of that number in a month; in a shorter month, its last."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def next_working_day(day: date, is_working_day: WorkingDay) -> date:
    """The first working day after a day.

    Raises:
        ValueError: there is none within a month.
    """
    for step in range(1, _LONGEST_HOLIDAY + 1):
        candidate = day + timedelta(days=step)
        if is_working_day(candidate):
            return candidate
    raise ValueError("no working day within a month: the calendar is broken")
