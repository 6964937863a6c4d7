"""Bank days (银行工作日) for debits: a date is moved by the tenant's calendar, and stays where there is no table."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlmodel import Session

from activities.daily.chunks import DayWork
from models.domain.daily import NO_CALENDAR
from models.operations.business_dates import note_exception
from models.queries.bank_days import LONGEST_HOLIDAY


@dataclass(slots=True)
class BankCalendar:
    """The calendar during a step. `missing` says whether a date was asked for that no table speaks of."""

    work: DayWork
    missing: bool = field(default=False, init=False)

    def is_bank_day(self, day: date) -> bool:
        """Whether banks work on a day.

        Raises:
            LookupError: nobody knows yet; `missing` says so from now on.
        """
        if self.work.is_bank_day is None:
            return True
        try:
            return self.work.is_bank_day(day)
        except LookupError:
            self.missing = True
            raise

    def collection_date(self, day: date) -> date:
        """The day or the next bank day after it; the day itself where a table is missing: nothing is moved by guess."""
        try:
            for step in range(LONGEST_HOLIDAY):
                if self.is_bank_day(day + timedelta(days=step)):
                    return day + timedelta(days=step)
        except LookupError:
            return day
        return day

    def tell(self, session: Session, *, now: datetime) -> None:
        """Put the missing table into the exception queue, once for the step and its date."""
        if self.missing:
            day = self.work.day
            note_exception(session, day, step=self.work.step, target=day.tenant, code=NO_CALENDAR, now=now)
