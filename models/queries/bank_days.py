"""A tenant's bank days: its own calendar of the year, else the built-in table, else nobody knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlmodel import Session

from models.domain.bank_calendar import YearCalendar
from models.domain.reconciliation.tolerance import BankDays
from models.queries.rule_desk import calendar_rows

LONGEST_HOLIDAY: Final = 20  # days in a row on which no bank works; none was ever that long


@dataclass(frozen=True, slots=True)
class TenantDays:
    """Bank days of one tenant as they were when it was read.

    Attributes:
        years: the tenant's own calendars.
        otherwise: what is asked for other years; raises `LookupError` for one that it does not know.
    """

    years: Mapping[int, YearCalendar]
    otherwise: Callable[[date], bool]

    def __call__(self, day: date) -> bool:
        """Whether banks work on a day.

        Raises:
            LookupError: nobody has announced that year.
        """
        own = self.years.get(day.year)
        return own.is_open(day) if own is not None else self.otherwise(day)

    def moved(self, day: date) -> date | None:
        """The day, or the next bank day after it, as debits are moved; None where nobody has announced a year."""
        try:
            return next(each for each in (day + timedelta(days=at) for at in range(LONGEST_HOLIDAY)) if self(each))
        except (LookupError, StopIteration):
            return None

    def is_provisional(self, day: date) -> bool:
        """Whether the announcement of a day's year is still to come: it may move again."""
        own = self.years.get(day.year)
        return own is not None and own.provisional


def bank_days_of(session: Session, tenant: str, *, otherwise: BankDays) -> TenantDays:
    """The tenant's bank days now; read once for what is worked out together."""
    years = {year: YearCalendar.from_record(row.definition) for year, row in calendar_rows(session, tenant).items()}
    return TenantDays(years, otherwise)
