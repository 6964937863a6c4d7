"""The adapter of a batch's steps: files to the bank and its answers (送盘、回盘)."""

from dataclasses import dataclass
from functools import partial

from sqlmodel import Session, col, func, select
from temporalio import activity

from activities.batches.answering import LinePoster
from activities.batches.bank_orders import OrderOpener, RowOpener, open_row
from activities.batches.bank_work import BankWork
from activities.batches.judging import Judge
from activities.batches.next_tries import FAILED
from activities.batches.retrying import RetryMaker, due_again
from activities.batches.run_work import RunWork
from activities.batches.sending import RunSender
from activities.exchange.accounts import account_index
from activities.exchange.bank import BankOf
from activities.exchange.take_files import take_files
from activities.exchange.work import exchange_lease
from compliance.vault.keyring import Vault
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import FilesSent, PartDone, PartStep, RepliesTaken
from models.database.engine import Database
from models.domain.batches.finals import final_of
from models.domain.batches.kinds import Origin
from models.domain.batches.states import OPEN_ORDER_STATES, OrderState
from models.domain.clock import Clock
from models.tables.batch_runs import BatchOrder, BatchRun
from workflows.ports.batches import BankPort


@dataclass(slots=True)
class SqlBatchBank(BankPort):
    """The adapter that the workers of the `bulk` queue register."""

    database: Database
    clock: Clock
    vault: Vault
    bank_of: BankOf
    row_opener: RowOpener = open_row

    @activity.defn(name="batches.send_files", no_thread_cancel_exception=True)
    def send_files(self, input: RunStep) -> FilesSent:
        """Reserve, write, check, send and mark the files of orders that wait; each exactly once."""
        bank = self._bank(input.run)
        return RunSender(bank, OrderOpener(self.vault, bank.work.run, self.row_opener)).run()

    @activity.defn(name="batches.take_replies", no_thread_cancel_exception=True)
    def take_replies(self, input: RunStep) -> RepliesTaken:
        """Read what the bank has sent, match it, book it; what no order explains goes to suspense."""
        bank = self._bank(input.run)
        if bank.work.run.origin == Origin.DAILY:  # its answers are read and booked by the daily run itself
            with self.database.read() as session:
                return self._left(session, bank)
        if bank.work.run.cancel_asked_at is not None:
            RunSender(bank, OrderOpener(self.vault, bank.work.run, self.row_opener)).hand_over()
        with exchange_lease(self.database, self.clock, bank.day.tenant) as held:
            if held is not None:  # otherwise somebody else reads it; what they have kept so far is posted all the same
                index = partial(account_index, self.vault, bank.day.tenant)
                take_files(bank, bank.bank, account_index=index, beat=held.beat)
        LinePoster(self.database, self.clock, bank.day.tenant, bank.day.on, bank.is_bank_day, bank.rest).run()
        with self.database.read() as session:
            return self._left(session, bank)

    @activity.defn(name="batches.make_retries", no_thread_cancel_exception=True)
    def make_retries(self, input: PartStep) -> PartDone:
        """Make the next attempts that are due, each under the policy that its order was bound to."""
        bank = self._bank(input.run)
        return RetryMaker(bank, Judge(bank.bank.is_bank_day)).run(input.after)

    def _bank(self, run: str) -> BankWork:
        work = RunWork.of(self.database, self.clock, run)
        return BankWork.of(work, self.bank_of(work.tenant))

    @staticmethod
    def _left(session: Session, bank: BankWork) -> RepliesTaken:
        run = session.get_one(BatchRun, bank.work.run.token, populate_existing=True)
        undecided = select(func.count()).select_from(BatchOrder).where(
            col(BatchOrder.run) == run.token, col(BatchOrder.final_state).is_(None)
        )  # fmt: skip
        unanswered = session.exec(undecided.where(col(BatchOrder.state).in_(OPEN_ORDER_STATES))).one()
        # A run that is stopped presents nothing again.
        again = 0
        if run.cancel_asked_at is None:
            again = session.exec(
                undecided.where(col(BatchOrder.state).in_(FAILED), col(BatchOrder.next_try_on).is_not(None))
            ).one()
        retries = session.exec(select(func.count()).where(*due_again(run.token, bank.day.on))).one() if again else 0
        tripped = run.tripped if run.cancel_asked_at is None else None
        open_orders = unanswered + again + _in_term(session, bank)
        return RepliesTaken(open_orders=open_orders, retries=retries, stopped=tripped)


def _in_term(session: Session, bank: BankWork) -> int:
    """Settled orders whose money may still come back: by the same rule as their final state."""
    days = session.exec(
        select(col(BatchOrder.settled_on), func.count())
        .where(
            col(BatchOrder.run) == bank.work.run.token,
            col(BatchOrder.state) == OrderState.SETTLED,
            col(BatchOrder.final_state).is_(None),
        )
        .group_by(col(BatchOrder.settled_on))
    ).all()
    return sum(
        count
        for settled_on, count in days
        if final_of(
            OrderState.SETTLED, settled_on, today=bank.day.on, return_days=bank.settings.return_days,
            is_bank_day=bank.is_bank_day,
        )
        is None
    )  # fmt: skip
