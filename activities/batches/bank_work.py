"""What a batch's exchange with the bank is done with: its run, the tenant's bank, and the business date."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from activities.batches.run_work import RunWork
from activities.exchange.bank import BankConnection
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from models.domain.aftercare.clocks import monday_to_friday
from models.domain.batches.settings import RunSettings, read_settings
from models.domain.daily import DayStep
from models.operations.business_dates import Day, note_exception
from models.queries.bank_days import LONGEST_HOLIDAY
from models.tables.daily import BusinessDate


@dataclass(frozen=True, slots=True)
class BankWork:
    """One step of one run at the bank. Reads the exchange as the daily run does (`activities.exchange.work`).

    Attributes:
        step: under which what cannot be read stands in the exception queue, where people look for it.
    """

    work: RunWork
    bank: BankConnection
    day: Day
    step: DayStep = field(default=DayStep.REPLIES)

    @classmethod
    def of(cls, work: RunWork, bank: BankConnection) -> "BankWork":
        """Read the business date once for the step.

        Raises:
            NoResultFound: the tenant's books are not open.
        """
        with work.database.read() as session:
            today = session.get_one(BusinessDate, work.tenant).today
        return cls(work, bank, Day(tenant=work.tenant, on=today))

    @property
    def settings(self) -> RunSettings:
        """What the run is bound to."""
        return read_settings(self.work.run.settings)

    def once(self, act: Callable[[Unit, datetime], Mapping[str, int]]) -> None:
        """One unit of work with the event of answers taken."""
        self.write("batch.replies-taken", act, lines=0)

    def write(self, action: str, act: Callable[[Unit, datetime], Mapping[str, int]], **facts: Any) -> None:
        """One unit of work with an event of the run; an act that raises `Unchanged` leaves none."""
        now = self.work.clock()
        with unit_of_work(self.work.database, self.work.deed(action, **facts)) as unit:
            unit.deed.facts |= act(unit, now)

    def note(self, target: str, code: str) -> None:
        """Put one item into the exception queue of the date."""
        now = self.work.clock()
        deed = Deed(
            tenant=self.day.tenant, action="daily.exception", target=target, actor="workflow", at=now,
            facts={"date": self.day.on.isoformat(), "step": self.step.value, "code": code},
        )  # fmt: skip
        with unit_of_work(self.work.database, deed) as unit:
            note_exception(unit.session, self.day, step=self.step, target=target, code=code, now=now)

    def rest(self) -> None:
        """Let others write, and tell Temporal that we live."""
        self.work.rest()

    def is_bank_day(self, day: date) -> bool:
        """Whether banks work; where nobody knows the year, weekdays count."""
        try:
            return self.bank.is_bank_day(day)
        except LookupError:
            return monday_to_friday(day)

    def collection_date(self, day: date) -> date:
        """The day, or the next bank day after it."""
        for at in range(LONGEST_HOLIDAY):
            if self.is_bank_day(day + timedelta(days=at)):
                return day + timedelta(days=at)
        return day


def unless_nothing(figures: Mapping[str, int]) -> Mapping[str, int]:
    """The figures, or the word that nothing was to be done.

    Raises:
        Unchanged: all of them are nought.
    """
    if not any(figures.values()):
        raise Unchanged
    return figures
