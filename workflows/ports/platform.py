"""What every workflow needs from the platform."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.platform import (
    CancelTaskInput,
    CloseTasksInput,
    Done,
    EvaluateGateInput,
    GateAnswer,
    OpenTask,
    OpenTaskInput,
    RecordStageInput,
    RegisterRunInput,
    RunRegistered,
)


class PlatformPort(ABC):
    """Runs, gates and tasks. Every method is idempotent and short enough for a local activity."""

    @activity.defn(name="platform.register_run", no_thread_cancel_exception=True)
    @abstractmethod
    def register_run(self, input: RegisterRunInput) -> RunRegistered:
        """Give this run its epoch, once; closes the start's outbox row."""

    @activity.defn(name="rules.evaluate_gate", no_thread_cancel_exception=True)
    @abstractmethod
    def evaluate_gate(self, input: EvaluateGateInput) -> GateAnswer:
        """Ask the rules of a gate and store their verdicts, once per gate key."""

    @activity.defn(name="tasks.open_task", no_thread_cancel_exception=True)
    @abstractmethod
    def open_task(self, input: OpenTaskInput) -> OpenTask:
        """Write the task's row, fenced; returns what it shows by hash and whom it bars."""

    @activity.defn(name="tasks.close_tasks", no_thread_cancel_exception=True)
    @abstractmethod
    def close_tasks(self, input: CloseTasksInput) -> Done:
        """Close what is open of a workflow that ends without a decision."""

    @activity.defn(name="tasks.cancel_task", no_thread_cancel_exception=True)
    @abstractmethod
    def cancel_task(self, input: CancelTaskInput) -> Done:
        """Take a task out of the inbox whose question has settled itself."""

    @activity.defn(name="platform.record_stage", no_thread_cancel_exception=True)
    @abstractmethod
    def record_stage(self, input: RecordStageInput) -> Done:
        """Write where the case stands, when no decision brought it there."""
