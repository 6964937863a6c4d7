"""Tasks of follow-ups and tickets that differ from what their workflows say are mended, and counted."""

from datetime import timedelta

from sqlmodel import col, update

from activities.duties.care_reconciler import CareReconciler
from models.domain.ids import ticket_workflow_id
from models.domain.states import FollowUpState, Outcome, TaskState, TaskType, TicketOutcome, TicketState
from models.tables.tasks import Task
from tests.support.aftercare import in_service
from tests.support.casework import CaseWorld


def _reconciler(world: CaseWorld) -> CareReconciler:
    return CareReconciler(world.database, world.client, world.clock, settled_after=timedelta(0))


async def test_a_task_that_got_lost_is_brought_back(world: CaseWorld) -> None:
    care = in_service(world)
    item = await care.follow_up()
    task = await care.task(item, TaskType.FOLLOW_UP)
    with world.database.write() as session:
        session.exec(update(Task).where(col(Task.id) == task.id).values(state=TaskState.CANCELLED))
    reconciler = _reconciler(world)
    assert await reconciler.run_once(world.clock()) == 1
    assert dict(reconciler.drift) == {"missing": 1}
    assert await reconciler.run_once(world.clock()) == 0
    await care.decide(item, TaskType.FOLLOW_UP, care.officer, Outcome.REACHED, reason_code="in-order")
    await care.follow_up_ended(item)
    assert [row.state for row in care.follow_ups()] == [FollowUpState.DONE]


async def test_what_an_operator_terminated_leaves_no_task_and_is_marked(world: CaseWorld) -> None:
    care = in_service(world)
    ticket = await care.ticket()
    await care.task(ticket, TaskType.TICKET)
    await world.client.get_workflow_handle(ticket_workflow_id(care.case, ticket)).terminate("test")
    reconciler = _reconciler(world)
    assert await reconciler.run_once(world.clock()) == 2
    assert dict(reconciler.drift) == {"ghost": 1, "state": 1}
    row = care.ticket_row(ticket)
    assert (row.state, row.outcome) == (TicketState.DONE, TicketOutcome.DROPPED)
    assert [task.state for task in world.rows(Task, care.case)] == [TaskState.CANCELLED]
    assert await reconciler.run_once(world.clock()) == 0


async def test_what_has_not_been_started_yet_is_left_to_the_relay(world: CaseWorld) -> None:
    care = in_service(world)
    await care.ticket(start=False)
    assert await _reconciler(world).run_once(world.clock()) == 0
