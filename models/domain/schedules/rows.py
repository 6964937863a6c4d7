"""Rows of a repayment schedule (还款计划): what is due when. Amounts in minor units."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One installment (期). `no` counts from 1; `due` is a calendar date, whatever day of the week it is."""

    no: int
    due: date
    principal_minor: int
    interest_minor: int
    fee_minor: int = 0

    @property
    def total_minor(self) -> int:
        """What the customer pays for this row."""
        return self.principal_minor + self.interest_minor + self.fee_minor


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """All rows of a plan, in order. The rows' principal adds up to `principal_minor` exactly.

    Attributes:
        convention: name of the convention that made it.
        start: the day from which interest runs.
    """

    convention: str
    start: date
    principal_minor: int
    rows: tuple[Row, ...]
