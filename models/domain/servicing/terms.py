"""What was signed (合同条款), as far as servicing reckons with it. A change is an event, never other terms."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from models.domain.schedules.day_count import DayCount
from models.domain.schedules.rows import Row
from models.domain.servicing.allocation import DEFAULT_ALLOCATION, AllocationPolicy
from models.domain.servicing.days import parts_per_year, ratio


class Accrual(StrEnum):
    """How interest for a part of a period is found when the agreement ends within it."""

    RATE = "rate"  # principal not yet due × yearly rate × days actually used (CC-677, CCN22-EARLY)
    # The row's interest × days used ÷ days of the period: for plans whose interest is not one rate on all principal
    # (flat, or balances of which some bear none).
    SHARE = "share"


@dataclass(frozen=True, kw_only=True)
class AgreementTerms:
    """One signed installment agreement.

    Attributes:
        rows: the rows as signed, ascending by date; the ones that are serviced.
        start: the day from which interest runs (CC-670: principal is what was really taken over).
        annual_rate: contract rate, a fraction per year on principal not yet due.
        late_rate: late interest (罚息), a fraction per year on overdue principal; instead of, not on top of, the
            contract rate. Zero where none was agreed (CC-680).
        day_count: of contract interest within a period.
        late_day_count: of late interest.
        allocation: in which order money is applied.
        accrual: how interest of a part of a period is found.
        defers_interest: rows collect interest that ran in earlier periods; then early settlement asks for what ran
            unbilled. False: a row without interest means a period without interest (停息).
        tolerance_minor: a row that lacks no more than this does not count as past due.
    """

    rows: tuple[Row, ...]
    start: date
    annual_rate: Decimal
    late_rate: Decimal = Decimal(0)
    day_count: DayCount = DayCount.THIRTY_360_EU
    late_day_count: DayCount = DayCount.ACT_360
    allocation: AllocationPolicy = DEFAULT_ALLOCATION
    accrual: Accrual = Accrual.RATE
    defers_interest: bool = False
    tolerance_minor: int = 0

    def __post_init__(self) -> None:
        """Refuse terms that no agreement can have."""
        if not self.rows or self.annual_rate < 0 or self.late_rate < 0 or self.tolerance_minor < 0:
            raise ValueError("terms have rows, and rates and tolerance that are not negative")
        last = self.start
        for row in self.rows:
            if row.due <= last or row.principal_minor < 0 or row.interest_minor < 0 or row.fee_minor < 0:
                raise ValueError("signed rows ascend from the start and are not negative")
            last = row.due

    @cached_property
    def principal_minor(self) -> int:
        """The debt that was taken over into the agreement."""
        return sum(row.principal_minor for row in self.rows)

    @cached_property
    def late_fraction(self) -> tuple[int, int]:
        """Late interest of one minor unit over one part of a year, as numerator and denominator."""
        numerator, denominator = ratio(self.late_rate)
        return numerator, denominator * parts_per_year(self.late_day_count)

    @cached_property
    def rate_fraction(self) -> tuple[int, int]:
        """Contract interest of one minor unit over one part of a year, as numerator and denominator."""
        numerator, denominator = ratio(self.annual_rate)
        return numerator, denominator * parts_per_year(self.day_count)
