"""The working form of a state while events are folded: mutable, plain lists inside, one agreement, one pass.

Time only moves forward here. Late interest is kept as an exact sum and rounded when it is read; so it does not matter
into how many steps a span is cut.
"""

from datetime import date
from typing import NamedTuple, Self

from models.domain.schedules.rows import Row
from models.domain.servicing.allocation import COLUMN_OF, RULE_EXCESS, RULE_PREPAID, RULE_REFUND_GAP, Trace, spread
from models.domain.servicing.components import Component
from models.domain.servicing.days import half_up, position
from models.domain.servicing.state import (
    DUE,
    FEE,
    INTEREST,
    NO,
    PAID,
    PRINCIPAL,
    WAIVED,
    ReversalFact,
    RowState,
    State,
    Status,
    WorkingRow,
)
from models.domain.servicing.terms import Accrual, AgreementTerms

_NOTHING_DONE = [0, 0, 0, 0, 0, 0]


class Payoff(NamedTuple):
    """What the rows to come shrink to if the agreement ends today. Minor units.

    Attributes:
        principal_minor: principal not yet due.
        interest_minor, fee_minor: for the days of the running period that were used, no more.
        released_minor: what had been paid ahead on those rows and counts again as money.
    """

    principal_minor: int
    interest_minor: int
    fee_minor: int
    released_minor: int


def unpaid_of(row: WorkingRow) -> int:
    """What a working row still lacks."""
    _, _, p, i, f, pp, pi, pf, wp, wi, wf = row
    return int(p + i + f - pp - pi - pf - wp - wi - wf)


class Book:
    """One agreement in the making. Attributes as in `State`, where they are explained; `on` is the day reached."""

    def __init__(self, terms: AgreementTerms, *, trace: Trace | None = None) -> None:
        """No rows yet: `begin` has those that were signed, `resume` those of a state."""
        self.terms = terms
        self.trace = trace
        self.position = position(terms.late_day_count)
        self.on = date.min
        self.rows: list[WorkingRow] = []
        self.due_count = self.open_index = 0
        self.active = self.defaulted = self.cured = self.written_off = self.settled = False
        self.credit = self.refund_gap = 0
        self.late_parts = self.late_paid = self.late_waived = 0
        self.late_free_until: date | None = None
        self.accrual_from = terms.start
        self.carried = self.accrual_parts = 0
        self.prepaid = self.waived_elsewhere = self.received = self.refunded = 0
        self.refits = self.short_settlements = 0
        self.last_event_on: date | None = None

    @classmethod
    def enter_into_force(cls, terms: AgreementTerms, *, trace: Trace | None = None) -> Self:
        """An agreement as signed, before its first event."""
        book = cls(terms, trace=trace)
        book.rows = [working_row(row) for row in terms.rows]
        return book

    @classmethod
    def resume(cls, terms: AgreementTerms, state: State, *, trace: Trace | None = None) -> Self:
        """The agreement as a state left it."""
        book = cls(terms, trace=trace)
        book.on = state.as_of
        book.rows = [list(row) for row in state.rows]
        book.due_count, book.open_index = state.due_count, state.open_index
        book.active, book.defaulted, book.cured = state.active, state.defaulted, state.cured
        book.written_off, book.settled = state.written_off, state.settled
        book.credit, book.refund_gap = state.credit_minor, state.refund_gap_minor
        book.late_parts, book.late_paid = state.late_parts, state.late_paid_minor
        book.late_waived, book.late_free_until = state.late_waived_minor, state.late_free_until
        book.accrual_from, book.accrual_parts = state.accrual_from, state.accrual_parts
        book.carried = state.carried_interest_minor
        book.prepaid, book.waived_elsewhere = state.prepaid_minor, state.waived_elsewhere_minor
        book.received, book.refunded = state.received_minor, state.refunded_minor
        book.refits, book.short_settlements = state.refits, state.short_settlements
        book.last_event_on = state.last_event_on
        return book

    # Time ---------------------------------------------------------------------------------------------------------

    def advance(self, to: date) -> None:
        """Move to a later day: late interest runs, rows fall due, waiting credit is used as they do."""
        rows = self.rows
        while self.active and self.due_count < len(rows) and rows[self.due_count][DUE] <= to:
            due = max(rows[self.due_count][DUE], self.on)
            self._run_late_interest(due)
            self._close_period()
            self.due_count += 1
            self.use_credit()
        self._run_late_interest(to)

    def _run_late_interest(self, to: date) -> None:
        start = self.on
        self.on = max(start, to)
        if self.open_index >= self.due_count or self.written_off or not self.terms.late_fraction[0]:
            return
        if self.late_free_until is not None and start < self.late_free_until:
            start = min(self.late_free_until, to)
        overdue = self._principal(self.open_index, self.due_count)
        if overdue and start < to:
            self.late_parts += overdue * (self.position(to) - self.position(start))

    def _close_period(self) -> None:
        row = self.rows[self.due_count]
        self.carried = max(0, self._interest_run(row[DUE]) - row[INTEREST]) if self.terms.defers_interest else 0
        self.accrual_from, self.accrual_parts = row[DUE], 0

    # Figures ------------------------------------------------------------------------------------------------------

    @property
    def late_accrued(self) -> int:
        """Late interest so far, rounded half up."""
        if not self.late_parts:
            return 0
        numerator, denominator = self.terms.late_fraction
        return half_up(self.late_parts * numerator, denominator)

    @property
    def late_unpaid(self) -> int:
        """Late interest owed."""
        return self.late_accrued - self.late_paid - self.late_waived

    def oldest_unpaid(self) -> date | None:
        """Due date of the oldest due row that lacks more than the tolerance."""
        rows, tolerance = self.rows, self.terms.tolerance_minor
        while self.open_index < self.due_count and not unpaid_of(rows[self.open_index]):
            self.open_index += 1
        for index in range(self.open_index, self.due_count):
            if unpaid_of(rows[index]) > tolerance:
                due: date = rows[index][DUE]
                return due
        return None

    def days_past_due(self) -> int:
        """Days past due of the agreement today."""
        oldest = self.oldest_unpaid()
        return 0 if oldest is None else (self.on - oldest).days

    def _principal(self, low: int, high: int) -> int:
        return sum(row[PRINCIPAL] - row[PRINCIPAL + PAID] - row[PRINCIPAL + WAIVED] for row in self.rows[low:high])

    def _interest_run(self, to: date) -> int:
        """Contract interest of the running period until a day, before any cap."""
        if self.terms.accrual is Accrual.SHARE:
            row = self.rows[self.due_count]
            days, period = max(0, (to - self.accrual_from).days), max(1, (row[DUE] - self.accrual_from).days)
            return self.carried + half_up(max(0, row[INTEREST] - self.carried) * days, period)
        numerator, denominator = self.terms.rate_fraction
        return self.carried + half_up(self._parts_run(to) * numerator, denominator)

    def _parts_run(self, to: date) -> int:
        if to <= self.accrual_from:
            return self.accrual_parts
        number = position(self.terms.day_count)
        parts = number(to) - number(self.accrual_from)
        return self.accrual_parts + self._principal(self.due_count, len(self.rows)) * parts

    def payoff(self) -> Payoff:
        """What the rows to come shrink to today (CC-677, CCN22-EARLY: only money and time actually used)."""
        coming = self.rows[self.due_count :]
        if not coming:
            return Payoff(0, 0, 0, 0)
        first = coming[0]
        cap = sum(row[INTEREST] for row in coming) if self.terms.defers_interest else first[INTEREST]
        start = self._period_start()
        used, period = max(0, (self.on - start).days), max(1, (first[DUE] - start).days)
        return Payoff(
            principal_minor=sum(row[PRINCIPAL] - row[PRINCIPAL + WAIVED] for row in coming),
            interest_minor=min(cap, self._interest_run(self.on)),
            fee_minor=half_up(first[FEE] * used, period),
            released_minor=sum(sum(row[PRINCIPAL + PAID : FEE + PAID + 1]) for row in coming),
        )

    def _period_start(self) -> date:
        start: date = self.rows[self.due_count - 1][DUE] if self.due_count else self.terms.start
        return start

    # Money --------------------------------------------------------------------------------------------------------

    def receive(self, amount: int) -> None:
        """Money came in: pay rows by the policy, keep the rest as credit."""
        self.received += amount
        self._keep(self.pay(amount))

    def pay(self, money: int) -> int:
        """Apply money to rows by the policy; return what is left."""
        dpd = self.days_past_due()
        rows, due_count, on = self.rows, self.due_count, self.on
        low = self.open_index
        middle = due_count
        while middle > low and rows[middle - 1][DUE] >= on:
            middle -= 1
        coming = len(rows) if self.active else due_count
        if self.terms.allocation.pays_ahead:
            self.keep_accrual()
        left, late = spread(
            rows,
            spans=((low, middle), (middle, due_count), (due_count, coming)),
            order=self.terms.allocation.order_at(dpd),
            money=money,
            late_unpaid=self.late_unpaid,
            dpd=dpd,
            trace=self.trace,
        )
        self.late_paid += late
        return left

    def use_credit(self) -> None:
        """Apply waiting credit, as a row falls due or rows were replaced."""
        if self.credit:
            if self.trace is not None:
                self.trace.event_id = ""
            money, self.credit = self.credit, 0
            self._keep(self.pay(money))

    def prepay(self, *, money: int, rows: tuple[Row, ...]) -> None:
        """Partial prepayment: what is due first, the rest off the principal to come, which the new rows carry.

        Where the money reaches the whole principal to come, the agreement ends as by a settlement.
        """
        if not self.active:
            self.receive(money)
            return
        self.received += money
        left = self.pay_due(money)
        payoff = self.payoff()
        if not left or not payoff.principal_minor:
            self._keep(left)
        elif left >= payoff.principal_minor:
            self.collapse()
            self.settled = True
            self._keep(self.pay(left))
            self.use_credit()
        else:
            self._note(RULE_PREPAID, left)
            self.prepaid += left
            self.replace_coming(rows, less=left)

    def pay_due(self, money: int) -> int:
        """Apply money to what is due and past due only; return what is left."""
        coming = self.rows[self.due_count :]
        del self.rows[self.due_count :]
        left = self.pay(money)
        self.rows.extend(coming)
        return left

    def settle(self, money: int) -> None:
        """Early settlement, if the money reaches the whole debt of today; else it counts as a payment."""
        payoff = self.payoff()
        owed = sum(unpaid_of(row) for row in self.rows[: self.due_count]) + self.late_unpaid + self.refund_gap
        need = owed + payoff.principal_minor + payoff.interest_minor + payoff.fee_minor
        if self.active and money + self.credit + payoff.released_minor >= need:
            self.collapse()
            self.settled = True
        else:
            self.short_settlements += 1
        self.receive(money)
        self.use_credit()

    def refund(self, amount: int) -> None:
        """Surplus was paid out; what no credit covers (its payment came back) is owed again."""
        covered = min(amount, self.credit)
        self.credit -= covered
        self.refund_gap += amount - covered
        self.refunded += amount

    def _keep(self, left: int) -> None:
        """Money that no row takes: it makes good a refund without cover, and waits as credit beyond that."""
        if not left:
            return
        part = min(left, self.refund_gap)
        self.refund_gap -= part
        self.credit += left - part
        self._note(RULE_REFUND_GAP, part)
        self._note(RULE_EXCESS, left - part)

    def _note(self, rule: str, amount: int) -> None:
        if self.trace is not None and amount:
            self.trace.rest(rule=rule, dpd=self.days_past_due(), amount=amount)

    def waive(self, component: Component, amount: int) -> None:
        """Concede what is owed: late interest, or a component of due rows, the oldest first.

        A waiver of principal beyond that takes from the rows to come, the last first. Interest and fees to come are
        conceded by new rows, not by a waiver.
        """
        if component is Component.PENALTY:
            self.late_waived += min(amount, self.late_unpaid)
            return
        column = COLUMN_OF[component]
        order = list(range(self.open_index, self.due_count))
        if component is Component.PRINCIPAL:
            self.keep_accrual()
            order.extend(range(len(self.rows) - 1, self.due_count - 1, -1))
        for index in order:
            row = self.rows[index]
            part = min(amount, row[column] - row[column + PAID] - row[column + WAIVED])
            row[column + WAIVED] += part
            amount -= part

    # Rows ---------------------------------------------------------------------------------------------------------

    def keep_accrual(self, *, rows_change: bool = False) -> None:
        """Set down contract interest up to today, before the principal it runs on (or its row) changes."""
        if not self.active or self.due_count == len(self.rows) or self.accrual_from >= self.on:
            return
        if self.terms.accrual is Accrual.RATE:
            self.accrual_parts = self._parts_run(self.on)
            self.accrual_from = self.on
        elif rows_change:
            self.carried = self._interest_run(self.on)
            self.accrual_from = self.on

    def collapse(self) -> None:
        """Let the rows to come shrink to one row that is due today, with interest for time actually used."""
        if self.due_count == len(self.rows):
            return
        payoff = self.payoff()
        no = self.rows[self.due_count][NO]
        self._drop_coming()
        due = [payoff.principal_minor, payoff.interest_minor, payoff.fee_minor]
        if any(due):
            self.rows.append([no, self.on, *due, *_NOTHING_DONE])
            self.due_count += 1
        self.carried = self.accrual_parts = 0
        self.accrual_from = self.on

    def write_off(self) -> None:
        """Give up on payment (核销): what was used until today is the claim, later money a recovery."""
        self.collapse()
        self.written_off = True
        self.use_credit()

    def replace_coming(self, rows: tuple[Row, ...], *, less: int = 0, with_due: bool = False) -> None:
        """Put new rows in the place of those to come.

        Args:
            rows: as agreed.
            less: principal just prepaid.
            with_due: take what due rows still lack into the new rows too (re-age).
        """
        self.keep_accrual(rows_change=True)
        principal = sum(row[PRINCIPAL] - row[PRINCIPAL + WAIVED] for row in self.rows[self.due_count :]) - less
        if with_due:
            principal += self._principal(self.open_index, self.due_count)
        if self.written_off or not principal:
            self.refits += 1
            return
        if with_due:
            self._empty_due()
        self._drop_coming()
        new = [working_row(row) for row in rows]
        # Numbers go on from the rows that stay, also where those are not the ones that were known when this was agreed.
        first = self.rows[-1][NO] + 1 if self.rows else self.terms.rows[0].no
        for number, row in enumerate(new, first):
            row[NO] = number
        self.refits += fit(new, principal)
        self.rows.extend(new)
        self.use_credit()

    def _empty_due(self) -> None:
        for row in self.rows[self.open_index : self.due_count]:
            for column in (PRINCIPAL, INTEREST, FEE):
                row[column] = row[column + PAID] + row[column + WAIVED]

    def _drop_coming(self) -> None:
        for row in self.rows[self.due_count :]:
            self.credit += sum(row[PRINCIPAL + PAID : FEE + PAID + 1])
            self.waived_elsewhere += row[PRINCIPAL + WAIVED]
        del self.rows[self.due_count :]

    # Result -------------------------------------------------------------------------------------------------------

    def state(self, reversals: tuple[ReversalFact, ...] = ()) -> State:
        """The state at the end of the day reached."""
        oldest = self.oldest_unpaid()
        days = 0 if oldest is None else (self.on - oldest).days
        return State(
            as_of=self.on,
            status=self._status(days),
            days_past_due=days,
            oldest_unpaid_due=oldest if days else None,
            rows=tuple(map(RowState._make, self.rows)),
            due_count=self.due_count,
            open_index=self.open_index,
            active=self.active,
            credit_minor=self.credit,
            refund_gap_minor=self.refund_gap,
            late_parts=self.late_parts,
            late_accrued_minor=self.late_accrued,
            late_paid_minor=self.late_paid,
            late_waived_minor=self.late_waived,
            late_free_until=self.late_free_until,
            accrual_from=self.accrual_from,
            accrual_parts=self.accrual_parts,
            carried_interest_minor=self.carried,
            prepaid_minor=self.prepaid,
            waived_elsewhere_minor=self.waived_elsewhere,
            received_minor=self.received,
            refunded_minor=self.refunded,
            defaulted=self.defaulted,
            cured=self.cured,
            written_off=self.written_off,
            settled=self.settled,
            refits=self.refits,
            short_settlements=self.short_settlements,
            reversals=reversals,
            last_event_on=self.last_event_on,
        )

    def _status(self, days: int) -> Status:
        if not self.active:
            return Status.PENDING
        if self.written_off:
            return Status.WRITTEN_OFF
        if not self.late_unpaid and not self.refund_gap and not any(map(unpaid_of, self.rows[self.open_index :])):
            return Status.SETTLED if self.settled else Status.PAID_OFF
        if self.defaulted:
            return Status.DEFAULTED
        if days:
            return Status.IN_ARREARS
        return Status.CURED if self.cured else Status.ACTIVE


def working_row(row: Row) -> WorkingRow:
    """A row with nothing paid."""
    return [row.no, row.due, row.principal_minor, row.interest_minor, row.fee_minor, *_NOTHING_DONE]


def fit(rows: list[WorkingRow], principal: int) -> bool:
    """Make agreed rows carry this principal, in place; say whether they had to be changed.

    They differ only where an earlier event was learnt after the rows had been agreed. The last rows take the
    difference; a row that thereby loses its principal goes, with its interest and fee.
    """
    excess = sum(row[PRINCIPAL] for row in rows) - principal
    if excess == 0:
        return False
    if excess < 0:
        rows[-1][PRINCIPAL] -= excess
        return True
    while excess:
        part = min(excess, rows[-1][PRINCIPAL])
        if part == rows[-1][PRINCIPAL]:
            rows.pop()
        else:
            rows[-1][PRINCIPAL] -= part
        excess -= part
    return True
