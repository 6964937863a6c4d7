"""What follow-up calls and tickets need from the outside."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.aftercare import (
    DropCareInput,
    EscalateTicketInput,
    ReadTicketInput,
    RecordFollowUpInput,
    SettleTicketInput,
    TicketFacts,
    TicketSettled,
)
from models.contracts.platform import Done


class AftercarePort(ABC):
    """After-care in the records. All are idempotent under a business key."""

    @activity.defn(name="aftercare.record_follow_up", no_thread_cancel_exception=True)
    @abstractmethod
    def record_follow_up(self, input: RecordFollowUpInput) -> Done:
        """Write what a follow-up brought, and what the rules of contact say of the call (回访记录)."""

    @activity.defn(name="aftercare.read_ticket", no_thread_cancel_exception=True)
    @abstractmethod
    def read_ticket(self, input: ReadTicketInput) -> TicketFacts:
        """Read a ticket's clock."""

    @activity.defn(name="aftercare.settle_ticket", no_thread_cancel_exception=True)
    @abstractmethod
    def settle_ticket(self, input: SettleTicketInput) -> TicketSettled:
        """Write what a decision changes of a ticket, and tell the customer, in one transaction."""

    @activity.defn(name="aftercare.escalate_ticket", no_thread_cancel_exception=True)
    @abstractmethod
    def escalate_ticket(self, input: EscalateTicketInput) -> Done:
        """Flag a ticket whose clock has run out (超时升级)."""

    @activity.defn(name="aftercare.drop", no_thread_cancel_exception=True)
    @abstractmethod
    def drop(self, input: DropCareInput) -> Done:
        """Close what is open of a workflow that was cancelled."""
