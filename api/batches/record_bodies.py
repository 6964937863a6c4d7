"""Shapes of a run's records (暂收、争议): by token, code and amount; nobody's words and no account."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.bodies import Answer, Body
from models.domain.batches.run_forms import DisputeReason


class NewDisputeBody(Body):
    """What a customer contests, in their words if they gave any."""

    reason_code: DisputeReason
    text: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None


class SuspenseAnswer(Answer):
    """Money that no order explains. `amountMinor` above zero came, below zero went; decided in the inbox."""

    id: str
    run: str
    amount_minor: int
    code: str
    state: str
    order_id: str | None
    task_id: str | None
    proposed_by: str | None
    decided_by: str | None
    opened_at: datetime
    decided_at: datetime | None


class SuspenseList(Answer):
    """Oldest first."""

    items: list[SuspenseAnswer]


class DisputeAnswer(Answer):
    """A contested order; its mandate is stopped. Decided in the inbox until `dueAt`."""

    id: str
    run: str
    order_id: str
    reason_code: str
    state: str
    refund_minor: int
    interest_minor: int
    task_id: str | None
    due_at: datetime
    opened_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class DisputeList(Answer):
    """Oldest first."""

    items: list[DisputeAnswer]
