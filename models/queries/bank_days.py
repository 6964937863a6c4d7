"""A tenant's bank days: its own calendar of the year, else the built-in table, else nobody knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from models.domain.bank_calendar import YearCalendar
from models.domain.reconciliation.tolerance import BankDays
from models.queries.rule_desk import calendar_rows


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

    def is_provisional(self, day: date) -> bool:
        """Whether the announcement of that year is still to come, or there is no table at all."""
        own = self.years.get(day.year)
        if own is not None:
            return own.provisional
        try:
            self.otherwise(day)
        except LookupError:
            return True
        return False


def bank_days_of(session: Session, tenant: str, *, otherwise: BankDays) -> TenantDays:
    """The tenant's bank days now; read once for what is worked out together."""
    years = {year: YearCalendar.from_record(row.definition) for year, row in calendar_rows(session, tenant).items()}
    return TenantDays(years, otherwise)
