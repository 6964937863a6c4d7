"""What the workflow of a batch needs of its own records. All are idempotent, and short."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.batch_run import ApplyRunDecision, EndRun, EnterRunStage, RunRead, RunStep, RunWanted
from models.contracts.platform import Done


class BatchRunPort(ABC):
    """The run's own row, and what people want of it."""

    @activity.defn(name="batches.read_run", no_thread_cancel_exception=True)
    @abstractmethod
    def read_run(self, input: RunStep) -> RunRead:
        """What of the records decides which way the run goes."""

    @activity.defn(name="batches.enter_stage", no_thread_cancel_exception=True)
    @abstractmethod
    def enter_stage(self, input: EnterRunStage) -> Done:
        """Write where the run stands, fenced."""

    @activity.defn(name="batches.wanted", no_thread_cancel_exception=True)
    @abstractmethod
    def wanted(self, input: RunStep) -> RunWanted:
        """Whether people want the run to wait, or to end."""

    @activity.defn(name="batches.apply_decision", no_thread_cancel_exception=True)
    @abstractmethod
    def apply_decision(self, input: ApplyRunDecision) -> Done:
        """Write all that a decision changes, in one transaction; a normal activity, so that acceptance comes first."""

    @activity.defn(name="batches.end_run", no_thread_cancel_exception=True)
    @abstractmethod
    def end_run(self, input: EndRun) -> Done:
        """Write how the run ended, and close what is open of it."""
