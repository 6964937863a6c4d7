"""What the periodic check of moved records needs from the outside."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.transfer_accuracy import AccuracyDone, AccuracyInput


class AccuracyPort(ABC):
    """Moved records stay right (个人信息保护法 Art. 8)."""

    @activity.defn(name="transfers.check_accuracy", no_thread_cancel_exception=True)
    @abstractmethod
    def check_accuracy(self, input: AccuracyInput) -> AccuracyDone:
        """Check a sample of moved records again; each finding is a record task. The same date, the same sample."""
