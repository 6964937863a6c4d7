"""What the daily run (日终) needs from the outside: one activity per step, each repeatable at any point."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.daily import CatchUpInput, DayBegun, DayStepInput, NextDay, StepFailedInput
from models.contracts.platform import Done


class DailyPort(ABC):
    """The steps of one business date, in their order."""

    @activity.defn(name="daily.next_date", no_thread_cancel_exception=True)
    @abstractmethod
    def next_date(self, input: CatchUpInput) -> NextDay:
        """Which business dates are to be run next."""

    @activity.defn(name="daily.begin", no_thread_cancel_exception=True)
    @abstractmethod
    def begin(self, input: DayStepInput) -> DayBegun:
        """Open the run of the date; refused out of order, and ahead of the clock outside a sandbox."""

    @activity.defn(name="daily.take_replies", no_thread_cancel_exception=True)
    @abstractmethod
    def take_replies(self, input: DayStepInput) -> Done:
        """Read the bank's files and keep their lines (收取回盘)."""

    @activity.defn(name="daily.post", no_thread_cancel_exception=True)
    @abstractmethod
    def post(self, input: DayStepInput) -> Done:
        """Book what the bank says (入账)."""

    @activity.defn(name="daily.arrears", no_thread_cancel_exception=True)
    @abstractmethod
    def arrears(self, input: DayStepInput) -> Done:
        """Bring agreements to the date and put news for their cases into the outbox (逾期)."""

    @activity.defn(name="daily.reminders", no_thread_cancel_exception=True)
    @abstractmethod
    def reminders(self, input: DayStepInput) -> Done:
        """Remind who has to pay soon (提醒)."""

    @activity.defn(name="daily.debit_orders", no_thread_cancel_exception=True)
    @abstractmethod
    def debit_orders(self, input: DayStepInput) -> Done:
        """Make orders for what is due (扣款)."""

    @activity.defn(name="daily.send_file", no_thread_cancel_exception=True)
    @abstractmethod
    def send_file(self, input: DayStepInput) -> Done:
        """Write the orders' file and send it to the bank (送盘)."""

    @activity.defn(name="daily.roll", no_thread_cancel_exception=True)
    @abstractmethod
    def roll(self, input: DayStepInput) -> Done:
        """Close the date and open the next (换日)."""

    @activity.defn(name="daily.note_failure", no_thread_cancel_exception=True)
    @abstractmethod
    def note_failure(self, input: StepFailedInput) -> Done:
        """Put a step that could not be done into the exception queue."""
