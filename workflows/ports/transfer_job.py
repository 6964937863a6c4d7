"""What the workflow of a transfer job needs of its own records. All are idempotent, and short."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.platform import Done
from models.contracts.transfer_job import (
    ApplyJobDecision,
    EndJob,
    EnterStage,
    JobRead,
    JobWanted,
    RollbackSettled,
    WaveHalted,
    WavesStanding,
)
from models.contracts.transfers import JobStep


class JobPort(ABC):
    """The job's own row, its waves as they stand, and what people want of it."""

    @activity.defn(name="transfers.read_job", no_thread_cancel_exception=True)
    @abstractmethod
    def read_job(self, input: JobStep) -> JobRead:
        """What of the records decides which way the job goes."""

    @activity.defn(name="transfers.enter_stage", no_thread_cancel_exception=True)
    @abstractmethod
    def enter_stage(self, input: EnterStage) -> Done:
        """Write where the job stands, fenced."""

    @activity.defn(name="transfers.wanted", no_thread_cancel_exception=True)
    @abstractmethod
    def wanted(self, input: JobStep) -> JobWanted:
        """Whether people want the job to wait, to end, or to be rolled back."""

    @activity.defn(name="transfers.waves_standing", no_thread_cancel_exception=True)
    @abstractmethod
    def waves_standing(self, input: JobStep) -> WavesStanding:
        """Which waves are to begin, how many move, and which one waits for a person."""

    @activity.defn(name="transfers.halt_wave", no_thread_cancel_exception=True)
    @abstractmethod
    def halt_wave(self, input: WaveHalted) -> Done:
        """Note that a wave stands still, and why."""

    @activity.defn(name="transfers.apply_decision", no_thread_cancel_exception=True)
    @abstractmethod
    def apply_decision(self, input: ApplyJobDecision) -> Done:
        """Write all that a decision changes, in one transaction; a normal activity, so that acceptance comes first."""

    @activity.defn(name="transfers.settle_rollback", no_thread_cancel_exception=True)
    @abstractmethod
    def settle_rollback(self, input: RollbackSettled) -> Done:
        """A rollback is done; what was held for it goes on."""

    @activity.defn(name="transfers.end_job", no_thread_cancel_exception=True)
    @abstractmethod
    def end_job(self, input: EndJob) -> Done:
        """Write how the job ended, and close what is open of it."""
