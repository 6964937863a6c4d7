"""How an agreement stands at the end of a business date (状态): the result of a fold, and enough to fold on from it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

# Columns of a row. A working row is a list in this order; `RowState` gives the columns names.
NO: Final = 0
DUE: Final = 1
PRINCIPAL: Final = 2
INTEREST: Final = 3
FEE: Final = 4
PAID: Final = 3  # from a component's column to what was paid of it
WAIVED: Final = 6  # and to what was waived of it
WorkingRow = list[Any]


class Status(StrEnum):
    """How the agreement stands."""

    PENDING = "pending"  # signed, not activated
    ACTIVE = "active"
    IN_ARREARS = "in-arrears"  # 逾期
    DEFAULTED = "defaulted"  # 违约
    CURED = "cured"  # paid up again after a default, until a row is missed
    SETTLED = "settled"  # 提前结清
    PAID_OFF = "paid-off"  # 到期结清
    WRITTEN_OFF = "written-off"  # 核销


ENDED: Final = frozenset({Status.SETTLED, Status.PAID_OFF})


class RowState(NamedTuple):
    """One row with what was paid and waived of it. Amounts in minor units."""

    no: int
    due: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    paid_principal_minor: int
    paid_interest_minor: int
    paid_fee_minor: int
    waived_principal_minor: int
    waived_interest_minor: int
    waived_fee_minor: int

    @property
    def total_minor(self) -> int:
        """What the row asks for in all."""
        return self.principal_minor + self.interest_minor + self.fee_minor

    @property
    def paid_minor(self) -> int:
        """What was paid of it."""
        return self.paid_principal_minor + self.paid_interest_minor + self.paid_fee_minor

    @property
    def waived_minor(self) -> int:
        """What was waived of it."""
        return self.waived_principal_minor + self.waived_interest_minor + self.waived_fee_minor

    @property
    def unpaid_principal_minor(self) -> int:
        """Principal still to be paid."""
        return self.principal_minor - self.paid_principal_minor - self.waived_principal_minor

    @property
    def unpaid_interest_minor(self) -> int:
        """Interest still to be paid."""
        return self.interest_minor - self.paid_interest_minor - self.waived_interest_minor

    @property
    def unpaid_fee_minor(self) -> int:
        """Fees still to be paid."""
        return self.fee_minor - self.paid_fee_minor - self.waived_fee_minor

    @property
    def unpaid_minor(self) -> int:
        """What is still to be paid of it."""
        _, _, principal, interest, fee, *done = self  # unpacked: read for every row of every agreement of a day
        return principal + interest + fee - sum(done)

    def days_past_due(self, as_of: date, *, tolerance_minor: int = 0) -> int:
        """Days since the row fell due if more than the tolerance is unpaid; zero on its day and before."""
        return max(0, (as_of - self.due).days) if self.unpaid_minor > tolerance_minor else 0


class ReversalFact(NamedTuple):
    """That an event was taken back: visible for ever, without effect on any figure."""

    id: str
    target: str
    booked: date


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """An agreement at the end of `as_of`. Amounts in minor units, none below zero.

    Attributes:
        rows: in order of their dates; the first `due_count` are due.
        open_index: rows before it are fully paid.
        credit_minor: surplus money that waits for a row or a refund (溢缴款).
        refund_gap_minor: refunded money whose payment was taken back afterwards; the customer owes it.
        late_parts: late interest before rounding, in overdue minor units × parts of a year.
        late_accrued_minor: late interest so far, paid or not.
        accrual_from: from when contract interest of the running period counts anew.
        accrual_parts: what ran in this period before it, in minor units × parts of a year (`Accrual.RATE`).
        carried_interest_minor: contract interest that ran before it and stands in no due row.
        prepaid_minor: principal paid ahead by prepayments; it stands in no row.
        waived_elsewhere_minor: principal waived on rows that were replaced since.
        received_minor, refunded_minor: money in and out.
        refits: how often agreed new rows had to be fitted since earlier events were learnt after the agreement.
        short_settlements: settlements that did not reach the whole debt and count as payments.
        last_event_on: value date of the last event that had effect; None before the first, and in a state that was
            kept before this was told.
    """

    as_of: date
    status: Status
    days_past_due: int
    oldest_unpaid_due: date | None
    rows: tuple[RowState, ...]
    due_count: int
    open_index: int
    active: bool
    credit_minor: int
    refund_gap_minor: int
    late_parts: int
    late_accrued_minor: int
    late_paid_minor: int
    late_waived_minor: int
    late_free_until: date | None
    accrual_from: date
    accrual_parts: int
    carried_interest_minor: int
    prepaid_minor: int
    waived_elsewhere_minor: int
    received_minor: int
    refunded_minor: int
    defaulted: bool
    cured: bool
    written_off: bool
    settled: bool
    refits: int
    short_settlements: int
    reversals: tuple[ReversalFact, ...]
    last_event_on: date | None = None

    @property
    def ends_quietly(self) -> bool:
        """Whether it is known that nothing happened on its last day: what is learnt of that day comes after it."""
        return self.last_event_on is not None and self.last_event_on < self.as_of

    @property
    def late_unpaid_minor(self) -> int:
        """Late interest owed."""
        return self.late_accrued_minor - self.late_paid_minor - self.late_waived_minor

    @property
    def unpaid_principal_minor(self) -> int:
        """Principal not repaid, due or not."""
        return sum(row.unpaid_principal_minor for row in self.rows[self.open_index :])

    @property
    def due_rows(self) -> tuple[RowState, ...]:
        """Rows that have fallen due."""
        return self.rows[: self.due_count]

    @property
    def coming_rows(self) -> tuple[RowState, ...]:
        """Rows that have not."""
        return self.rows[self.due_count :]

    @property
    def waived_minor(self) -> int:
        """Everything conceded by waivers (减免合计)."""
        return sum(row.waived_minor for row in self.rows) + self.waived_elsewhere_minor + self.late_waived_minor

    @property
    def overdue_minor(self) -> int:
        """What rows due before this date still lack, without late interest."""
        return sum(row.unpaid_minor for row in self.rows[self.open_index : self.due_count] if row.due < self.as_of)

    @property
    def owed_now_minor(self) -> int:
        """What has to be paid today: due rows, late interest and refunds without cover."""
        due = sum(row.unpaid_minor for row in self.rows[self.open_index : self.due_count])
        return due + self.late_unpaid_minor + self.refund_gap_minor

    @property
    def owed_in_all_minor(self) -> int:
        """The same with the rows to come as they stand."""
        return self.owed_now_minor + sum(row.unpaid_minor for row in self.coming_rows)

    @property
    def rows_paid(self) -> int:
        """How many rows are fully paid; the length of the progress bar is `len(rows)`."""
        return sum(1 for row in self.rows if row.unpaid_minor == 0)
