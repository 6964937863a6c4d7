"""Whether, when and for how much an order is presented next (下一次扣款), or why never again. Pure: time is passed in.

The order of the checks is the order of their weight: an open presentment (BATCH-ONCE), the debt itself (BATCH-CUT), the
mandate (DDB-REVOKE, DDB-LIMIT, DDB-AUTH), then the policy. Each answer names the rule that gave it, and each shift of
the date is kept as a step, so that the working can be shown to the customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from models.domain.batches.paydays import bank_day_before
from models.domain.batches.retrying.orders import Attempt, AttemptState, RetryOrder
from models.domain.batches.retrying.policy import RetryPolicy
from models.domain.batches.retrying.reasons import Reason, reason_of
from models.domain.batches.steps import Step
from models.domain.batches.versioned import FULL_BPS
from models.domain.servicing.retry_policy import RetryAction, WorkingDay, next_salary_day, next_working_day
from models.domain.shanghai import SHANGHAI

_DAY: Final = timedelta(days=1)


class Next(StrEnum):
    """What follows."""

    ATTEMPT = "attempt"  # present it
    WAIT = "wait"  # ask again when something has changed
    END = "end"  # never again; `End` says in which state


class End(StrEnum):
    """The final state of an order."""

    SETTLED = "settled"  # all of it came
    NOTHING_DUE = "nothing-due"  # it was paid otherwise
    ASK_CUSTOMER = "ask-customer"  # another account or date, or a case worker calls
    STOPPED = "stopped"  # no order under this mandate any more


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The answer.

    Attributes:
        number: of the presentment, from 1; 0 if there is none.
        on, amount_minor: of the presentment.
        cause, rule: why there is none; `retry-cause.<cause>` is the text. Empty for a presentment.
        taken_minor, open_minor: what came so far, and what of the order is still owed.
        steps: how date and amount came about, in order; `retry-step.<code>` is the text of each.
        policy_version, policy_hash: what it was decided under.
    """

    what: Next
    policy_version: str
    policy_hash: str
    taken_minor: int
    open_minor: int
    number: int = 0
    on: date | None = None
    amount_minor: int = 0
    end: End | None = None
    cause: str = ""
    rule: str = ""
    params: dict[str, str | int] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


class _NoPresentment(Exception):
    """There is no presentment now."""

    def __init__(self, what: Next, cause: str, rule: str, end: End | None = None, **params: str | int) -> None:
        super().__init__(cause)
        self.what, self.cause, self.rule, self.end, self.params = what, cause, rule, end, params


def decide(
    policy: RetryPolicy,
    order: RetryOrder,
    attempts: Sequence[Attempt],
    *,
    at: datetime,
    is_bank_day: WorkingDay,
) -> Decision:
    """What follows for an order.

    Args:
        policy: the version that the order is bound to.
        order: as it stands now.
        attempts: every presentment so far, the first one first.
        at: when it is decided, with its zone; nothing is planned for a day before, or for the same day past cut-off.
        is_bank_day: of the tenant's calendar; raises `LookupError` for a year that nobody has announced.

    Raises:
        ValueError: `at` has no zone, the presentments are not in order, or the calendar knows no open day in a month.
    """
    if at.tzinfo is None:
        raise ValueError("the moment of a decision has a zone")
    if any(later.on < earlier.on for earlier, later in pairwise(attempts)):
        raise ValueError("presentments stand in the order in which they were made")
    working = _Working(policy, order, tuple(attempts), at.astimezone(SHANGHAI).replace(tzinfo=None), is_bank_day)
    try:
        working.look_whether()
        amount = working.amount()
        on = working.day()
    except _NoPresentment as none:
        return working.answer(none.what, end=none.end, cause=none.cause, rule=none.rule, params=none.params)
    return working.answer(
        Next.ATTEMPT, number=len(attempts) + 1, on=on, amount_minor=amount, steps=tuple(working.steps)
    )


class _Working:
    """One decision on its way."""

    def __init__(
        self,
        policy: RetryPolicy,
        order: RetryOrder,
        attempts: tuple[Attempt, ...],
        local: datetime,
        is_bank_day: WorkingDay,
    ) -> None:
        self.policy, self.order, self.attempts, self.local, self.is_bank_day = (
            policy, order, attempts, local, is_bank_day,
        )  # fmt: skip
        self.taken = sum(each.amount_minor for each in attempts if each.state is AttemptState.SETTLED)
        owed = order.amount_minor - self.taken
        self.rest = max(0, owed if order.owed_minor is None else min(owed, order.owed_minor))
        self.last = attempts[-1] if attempts else None
        self.failed = self.last if self.last is not None and self.last.state is AttemptState.FAILED else None
        self.reason = Reason.UNKNOWN if self.failed is None else reason_of(self.failed.code)
        # What the last refusal brings; None: the last presentment was none.
        self.reason_rule = None if self.failed is None else policy.rule_for(self.failed.code, self.reason)
        self.steps: list[Step] = []

    def answer(
        self,
        what: Next,
        *,
        number: int = 0,
        on: date | None = None,
        amount_minor: int = 0,
        end: End | None = None,
        cause: str = "",
        rule: str = "",
        params: dict[str, str | int] | None = None,
        steps: tuple[Step, ...] = (),
    ) -> Decision:
        return Decision(
            what=what,
            policy_version=self.policy.version,
            policy_hash=self.policy.hash,
            taken_minor=self.taken,
            open_minor=self.rest,
            number=number,
            on=on,
            amount_minor=amount_minor,
            end=end,
            cause=cause,
            rule=rule,
            params=params or {},
            steps=steps,
        )

    def look_whether(self) -> None:
        """Whether there may be another presentment at all."""
        if any(each.state is AttemptState.OPEN for each in self.attempts):
            raise _NoPresentment(Next.WAIT, "order-open", "BATCH-ONCE")
        if self.rest == 0 and self.taken >= self.order.amount_minor:
            raise _NoPresentment(Next.END, "settled", "BATCH-ONCE", End.SETTLED)
        if self.rest == 0:
            raise _NoPresentment(Next.END, "nothing-due", "BATCH-CUT", End.NOTHING_DUE)
        if self.order.mandate.revoked:
            raise _NoPresentment(Next.END, "mandate-revoked", "DDB-REVOKE", End.STOPPED)
        rule = self.reason_rule
        if self.failed is not None and rule is not None and rule.action is not RetryAction.RETRY:
            end = End.STOPPED if rule.action is RetryAction.STOP else End.ASK_CUSTOMER
            raise _NoPresentment(Next.END, "reason", "RETRY-REASON", end, reason=self.reason.value)
        if len(self.attempts) >= self.policy.attempts:
            raise _NoPresentment(Next.END, "attempts", "RETRY-CAP", End.ASK_CUSTOMER, limit=self.policy.attempts)

    def amount(self) -> int:
        """How much is asked for: never above what is owed or what the mandate allows."""
        limit, parts_allowed = self.order.mandate.limit_minor, self.order.mandate.parts_allowed
        asked = self._part() if parts_allowed else self.rest
        if asked < self.rest:
            self._note("part", "RETRY-PART", amount=asked, open=self.rest)
        if limit is not None and asked > limit:
            if not parts_allowed or limit < 1:
                raise _NoPresentment(Next.END, "above-limit", "DDB-LIMIT", End.ASK_CUSTOMER, limit=limit)
            asked = limit
            self._note("mandate-limit", "DDB-LIMIT", amount=asked, open=self.rest)
        return asked

    def _part(self) -> int:
        parts, rule = self.policy.parts, self.reason_rule
        if parts is None or rule is None or not rule.part or len(self.attempts) + 1 < parts.from_attempt:
            return self.rest
        share = self.rest * parts.share_bps // FULL_BPS // parts.step_minor * parts.step_minor
        return min(self.rest, max(share, parts.least_minor))

    def day(self) -> date:
        """For which day: the policy's, then later for salary, time of day and calendar, within the window."""
        last = min(self.order.due + timedelta(days=self.policy.window_days), self.order.mandate.valid_to or date.max)
        try:
            on = self._bank_day(self._not_past(self._salary(self._plain(), last)))
        except LookupError:
            raise _NoPresentment(Next.WAIT, "calendar-unknown", "RETRY-BANK-DAY") from None
        if self.order.mandate.valid_to is not None and on > self.order.mandate.valid_to:
            until = self.order.mandate.valid_to.isoformat()
            raise _NoPresentment(
                Next.END, "mandate-ended", "DDB-AUTH", End.ASK_CUSTOMER, date=on.isoformat(), until=until
            )
        if on > last:
            raise _NoPresentment(
                Next.END, "too-late", "RETRY-WINDOW", End.ASK_CUSTOMER, date=on.isoformat(), until=last.isoformat()
            )
        return on

    def _plain(self) -> date:
        if self.last is None:
            self._note("due", "RETRY-DUE", date=self.order.due.isoformat())
            return self.order.due
        if self.failed is not None and self.failed.answered_on is not None and self.reason_rule is not None:
            days = self.reason_rule.days_after(len(self.attempts))
            on = self.failed.answered_on + timedelta(days=days)
            self._note(
                "after-refusal",
                "RETRY-REASON",
                date=self.failed.answered_on.isoformat(),
                days=days,
                reason=self.reason.value,
            )
        else:
            parts = self.policy.parts
            days = self.policy.minimum_gap_days if parts is None else parts.rest_after_days
            on = self.last.on + timedelta(days=days)
            self._note("rest", "RETRY-PART", date=self.last.on.isoformat(), days=days)
        earliest = self.last.on + timedelta(days=self.policy.minimum_gap_days)
        if on < earliest:
            self._note("gap", "RETRY-GAP", days=self.policy.minimum_gap_days, date=earliest.isoformat())
        return max(on, earliest)

    def _salary(self, on: date, last: date) -> date:
        rule, salary_day = self.reason_rule, self.order.salary_day
        if self.failed is None or self.failed.answered_on is None or rule is None:
            return on
        if salary_day is None or not rule.salary_aware:
            return on
        wage = next_salary_day(self.failed.answered_on, salary_day)
        if self.policy.payday_before_holiday:
            wage = bank_day_before(wage, self.is_bank_day)
        if not on < wage <= min(last, on + timedelta(days=self.policy.salary_wait_days)):
            return on
        self._note("salary-day", "RETRY-SALARY", date=wage.isoformat())
        return wage

    def _not_past(self, on: date) -> date:
        today, cut_off = self.local.date(), self.policy.cut_off
        if on < today:
            self._note("not-past", "RETRY-CUT-OFF", date=today.isoformat())
            on = today
        if on == today and cut_off is not None and self.local.time() > cut_off:
            self._note("cut-off", "RETRY-CUT-OFF", time=f"{cut_off:%H:%M}")
            on += _DAY
        return on

    def _bank_day(self, on: date) -> date:
        if self.is_bank_day(on):
            return on
        moved = next_working_day(on, self.is_bank_day)
        self._note("bank-day", "RETRY-BANK-DAY", closed=on.isoformat(), date=moved.isoformat())
        return moved

    def _note(self, code: str, rule: str, **params: str | int) -> None:
        self.steps.append(Step(code=code, rule=rule, params=params))
