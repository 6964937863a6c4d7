"""Recorded histories of follow-ups and tickets, as those of cases: `pytest tests/replay --record-histories`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import pytest
from temporalio.workflow import NondeterminismError

from models.domain.aftercare.follow_ups import FollowUpKind
from models.domain.ids import follow_up_workflow_id, ticket_workflow_id
from models.domain.states import Outcome, TaskType
from tests.replay import golden
from tests.support.aftercare import Care, in_service
from tests.support.casework import case_world

_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)


async def _reached(care: Care) -> str:
    item = await care.follow_up(FollowUpKind.WELCOME)
    await care.decide(item, TaskType.FOLLOW_UP, care.officer, Outcome.REACHED, reason_code="in-order")
    await care.follow_up_ended(item)
    return follow_up_workflow_id(care.case, item)


async def _not_reached(care: Care) -> str:
    item = await care.follow_up(FollowUpKind.WELCOME)
    more = {"reason_code": "no-answer", "nextContactDays": 2}
    await care.decide(item, TaskType.FOLLOW_UP, care.officer, Outcome.NOT_REACHED, **more)
    await care.follow_up_ended(item)
    return follow_up_workflow_id(care.case, item)


async def _answered(care: Care) -> str:
    ticket = await care.ticket()
    more = {"reason_code": "facts-complex"}
    await care.decide(ticket, TaskType.TICKET, care.officer, Outcome.EXTEND, **more)
    await care.answer(ticket, care.officer, Outcome.ANSWER)
    await care.ticket_ended(ticket)
    return ticket_workflow_id(care.case, ticket)


async def _rejected(care: Care) -> str:
    ticket = await care.ticket()
    await care.answer(ticket, care.officer, Outcome.REJECT)
    await care.decide(ticket, TaskType.TICKET_CHECK, care.approver, Outcome.CONFIRM)
    await care.ticket_ended(ticket)
    return ticket_workflow_id(care.case, ticket)


async def _overdue(care: Care) -> str:
    ticket = await care.ticket(due_at=_LONG_AGO)
    await care.answer(ticket, care.approver, Outcome.ANSWER, TaskType.TICKET_OVERDUE)
    await care.ticket_ended(ticket)
    return ticket_workflow_id(care.case, ticket)


SCENARIOS: Final[dict[str, Callable[[Care], Awaitable[str]]]] = {
    "follow-up-reached": _reached,
    "follow-up-not-reached": _not_reached,
    "ticket-answered": _answered,
    "ticket-rejected": _rejected,
    "ticket-overdue": _overdue,
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_record(scenario: str, sqlite_database, vault, clock, temporal_server) -> None:
    """Record one scenario; collected only under the switch."""
    async with case_world(sqlite_database, vault, clock, temporal_server, plain=True) as world:
        workflow_id = await SCENARIOS[scenario](in_service(world))
        await golden.record(scenario, world.client.get_workflow_handle(workflow_id))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with the step of the decision under another name must not replay."""
    record = golden.read(scenario)
    golden.scheduled(record)[0]["name"] = "aftercare.other"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
