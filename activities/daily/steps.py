"""The adapter of the daily run: finds the tenant's bank and hands each step its work."""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from temporalio import activity

from activities.batches.answering import LinePoster
from activities.daily.arrears import run_arrears
from activities.daily.bank_file import FileSender
from activities.daily.chunks import DayWork
from activities.daily.debit_orders import make_orders
from activities.daily.follow_ups import call_after
from activities.daily.post_money import post_money
from activities.daily.reminders import remind
from activities.daily.roll_date import roll_date
from activities.exchange.accounts import account_index
from activities.exchange.bank import BankOf
from activities.exchange.take_files import take_files
from activities.exchange.work import exchange_lease
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.keyring import Vault
from models.contracts.daily import CatchUpInput, DayBegun, DayStepInput, NextDay, StepFailedInput
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.daily import DayStep
from models.domain.shanghai import shanghai_date
from models.errors import DatabaseBusy
from models.operations.business_dates import Day, begin_run, open_dates
from models.tables.daily import DailyRun
from workflows.ports.daily import DailyPort

_AT_ONCE: Final = 31  # dates that a catch-up is told of


@dataclass(slots=True)
class SqlDailyRun(DailyPort):
    """The steps over SQL and the bank's files."""

    database: Database
    vault: Vault
    bank_of: BankOf
    clock: Clock

    @activity.defn(name="daily.next_date", no_thread_cancel_exception=True)
    def next_date(self, input: CatchUpInput) -> NextDay:
        """Which business dates are to be run next."""
        until = date.fromisoformat(input.until)
        with self.database.read() as session:
            first, count = open_dates(session, tenant=input.tenant, until=until)
        return NextDay(business_date=first.isoformat() if first is not None else None, count=min(count, _AT_ONCE))

    @activity.defn(name="daily.begin", no_thread_cancel_exception=True)
    def begin(self, input: DayStepInput) -> DayBegun:
        """Open the run of the date; refused out of order, and ahead of the clock outside a sandbox."""
        day, now = _day(input), self.clock()
        deed = Deed(
            tenant=day.tenant,
            action="daily.begun",
            target=f"daily/{day.tenant}/{input.business_date}",
            actor="daily-run",
            at=now,
        )
        is_open = False
        with unit_of_work(self.database, deed) as unit:
            begun_before = unit.session.get(DailyRun, (day.tenant, day.on)) is not None
            is_open = begin_run(unit.session, day, wall_today=shanghai_date(now), now=now)
            if begun_before or not is_open:
                raise Unchanged
        return DayBegun(is_open=is_open)

    @activity.defn(name="daily.take_replies", no_thread_cancel_exception=True)
    def take_replies(self, input: DayStepInput) -> Done:
        """Read the bank's files and keep their lines (收取回盘)."""
        index, work = partial(account_index, self.vault, input.tenant), self._work(input, DayStep.REPLIES)
        with exchange_lease(self.database, self.clock, input.tenant) as held:
            bank = self.bank_of(input.tenant)
            if held is None or not take_files(work, bank, account_index=index, beat=held.beat):
                raise DatabaseBusy(detail="the exchange is being read")  # by a batch: the step is repeated
        work.finish()
        return Done()

    @activity.defn(name="daily.post", no_thread_cancel_exception=True)
    def post(self, input: DayStepInput) -> Done:
        """Book what the bank says (入账)."""
        work = self._with_calendar(input, DayStep.POST)
        post_money(work)
        # Lines of batches that this run has read: nobody else may be waiting for them any more.
        is_bank_day = self.bank_of(input.tenant).is_bank_day
        LinePoster(self.database, self.clock, input.tenant, work.day.on, is_bank_day, work.rest).run()
        return Done()

    @activity.defn(name="daily.arrears", no_thread_cancel_exception=True)
    def arrears(self, input: DayStepInput) -> Done:
        """Bring agreements to the date and put news for their cases into the outbox (逾期)."""
        run_arrears(self._work(input, DayStep.ARREARS))
        return Done()

    @activity.defn(name="daily.reminders", no_thread_cancel_exception=True)
    def reminders(self, input: DayStepInput) -> Done:
        """Remind who has to pay soon (提醒), and have those called whose follow-up is due (回访)."""
        work = self._work(input, DayStep.REMINDERS)
        call_after(work)
        remind(work)
        return Done()

    @activity.defn(name="daily.debit_orders", no_thread_cancel_exception=True)
    def debit_orders(self, input: DayStepInput) -> Done:
        """Make orders for what is due (扣款)."""
        make_orders(self._with_calendar(input, DayStep.ORDERS), self.vault)
        return Done()

    @activity.defn(name="daily.send_file", no_thread_cancel_exception=True)
    def send_file(self, input: DayStepInput) -> Done:
        """Write the orders' file and send it to the bank (送盘)."""
        FileSender(self._work(input, DayStep.FILE), self.vault, self.bank_of(input.tenant)).run()
        return Done()

    @activity.defn(name="daily.roll", no_thread_cancel_exception=True)
    def roll(self, input: DayStepInput) -> Done:
        """Close the date and open the next (换日)."""
        roll_date(self._work(input, DayStep.ROLL))
        return Done()

    @activity.defn(name="daily.note_failure", no_thread_cancel_exception=True)
    def note_failure(self, input: StepFailedInput) -> Done:
        """Put a step that could not be done into the exception queue."""
        day = Day(tenant=input.tenant, on=date.fromisoformat(input.business_date))
        DayWork(self.database, self.clock, day, DayStep(input.step)).note(input.tenant, input.code)
        return Done()

    def _work(self, input: DayStepInput, step: DayStep) -> DayWork:
        return DayWork(self.database, self.clock, _day(input), step)

    def _with_calendar(self, input: DayStepInput, step: DayStep) -> DayWork:
        return replace(self._work(input, step), is_bank_day=self.bank_of(input.tenant).is_bank_day)


def _day(input: DayStepInput) -> Day:
    return Day(tenant=input.tenant, on=date.fromisoformat(input.business_date))
