"""Payloads of after-care (贷后关怀): follow-up calls and tickets. References and codes only."""

from dataclasses import dataclass
from datetime import datetime

from models.contracts.platform import Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class CareInput:
    """Start one follow-up or ticket of a case."""

    case_token: str
    item: str  # flw_… or tkt_…


@dataclass(frozen=True, kw_only=True, slots=True)
class CareResult:
    """How it ended."""

    item: str
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFollowUpInput:
    """Write what a follow-up brought: task, decision, contact log, and the next attempt; one transaction."""

    workflow_id: str
    case_token: str
    item: str
    decision_id: str
    fence: Fence
    task_no: int
    outcome: str
    reason_code: str | None = None
    next_contact_days: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DropCareInput:
    """The workflow is cancelled: nobody may be left with a task that leads nowhere."""

    workflow_id: str
    case_token: str
    item: str
    fence: Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadTicketInput:
    """Ask what a ticket's workflow has to know."""

    case_token: str
    item: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFacts:
    """The clock of a ticket, and whether a rejection takes a second person."""

    kind: str
    due_at: datetime
    checked_rejection: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleTicketInput:
    """Write what a decision changes of a ticket: task, decision, ticket, notice; one transaction."""

    workflow_id: str
    case_token: str
    item: str
    decision_id: str
    fence: Fence
    task_no: int
    outcome: str
    next_stage: str
    ticket_outcome: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketSettled:
    """The ticket's clock after the decision."""

    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class EscalateTicketInput:
    """The clock has run out: flag the ticket, and take the task from who has it, unless it is being checked."""

    workflow_id: str
    case_token: str
    item: str
    fence: Fence
