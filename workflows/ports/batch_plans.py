"""What a date of a standing plan needs from the outside."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.batch_plans import PlannedDate, PlannedRun


class BatchPlanPort(ABC):
    """Runs of standing plans (批量排期)."""

    @activity.defn(name="batches.begin_planned", no_thread_cancel_exception=True)
    @abstractmethod
    def begin_planned(self, input: PlannedDate) -> PlannedRun:
        """Get the run of a plan's date, or begin it if it is due; one run, whoever asks and however often."""
