"""What sealing again needs from the outside: each step can be killed and repeated at any point."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.parties import (
    ResealBegun,
    ResealFailed,
    ResealScanned,
    ResealStep,
    ResealWanted,
    SubjectsDone,
    SubjectsStep,
)
from models.contracts.platform import Done


class ResealPort(ABC):
    """The steps of a change of suite (密码算法切换), in their order."""

    @activity.defn(name="reseal.begin", no_thread_cancel_exception=True)
    @abstractmethod
    def begin(self, input: ResealStep) -> ResealBegun:
        """Note that the workflow runs, and read what there is to do."""

    @activity.defn(name="reseal.publish", no_thread_cancel_exception=True)
    @abstractmethod
    def publish(self, input: ResealStep) -> Done:
        """Make the tenant's keys in the new suite; they open, and do not seal yet."""

    @activity.defn(name="reseal.activate", no_thread_cancel_exception=True)
    @abstractmethod
    def activate(self, input: ResealStep) -> Done:
        """Have them seal: from now on every new person's key is of the new suite."""

    @activity.defn(name="reseal.subjects", no_thread_cancel_exception=True)
    @abstractmethod
    def subjects(self, input: SubjectsStep) -> SubjectsDone:
        """Seal again what is the next subjects', and destroy their old keys where nothing lies under them."""

    @activity.defn(name="reseal.branches", no_thread_cancel_exception=True)
    @abstractmethod
    def branches(self, input: ResealStep) -> Done:
        """Destroy the tenant's keys of other suites under which nothing lies."""

    @activity.defn(name="reseal.scan", no_thread_cancel_exception=True)
    @abstractmethod
    def scan(self, input: ResealStep) -> ResealScanned:
        """Read the header of everything that is sealed, count by suite, and record what was found."""

    @activity.defn(name="reseal.wanted", no_thread_cancel_exception=True)
    @abstractmethod
    def wanted(self, input: ResealStep) -> ResealWanted:
        """Whether people want the change to go on, to wait or to end."""

    @activity.defn(name="reseal.close", no_thread_cancel_exception=True)
    @abstractmethod
    def close(self, input: ResealStep) -> Done:
        """End the change: done, or cancelled where that is wanted."""

    @activity.defn(name="reseal.note_failure", no_thread_cancel_exception=True)
    @abstractmethod
    def note_failure(self, input: ResealFailed) -> Done:
        """Record a step that could not be done."""
