"""A ticket: each step is known, can break, repeat and lose its answer; its clock runs out; a rejection takes two."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from models.domain.aftercare.clocks import TicketKind
from models.domain.ids import ticket_workflow_id
from models.domain.states import Outcome, TaskState, TaskType, TicketOutcome, TicketStage, TicketState
from models.tables.tasks import Task
from tests.support.aftercare import Care, in_service
from tests.support.breakage import Breakage
from tests.support.casework import case_world
from tests.support.temporal import TemporalServer
from tests.workflows.aftercare.conftest import Bank

STEPS = ["platform.register_run", "aftercare.read_ticket", "tasks.open_task", "aftercare.settle_ticket"]
GROUND = STEPS[:3]


async def _rejected(care: Care, ticket: str) -> None:
    """Refused by an officer, returned by the checker, refused again, and confirmed."""
    await care.answer(ticket, care.officer, Outcome.REJECT)
    await care.decide(
        ticket, TaskType.TICKET_CHECK, care.approver, Outcome.RETURN, reason_code="rejection-not-justified"
    )
    await care.answer(ticket, care.officer, Outcome.REJECT)
    await care.decide(ticket, TaskType.TICKET_CHECK, care.approver, Outcome.CONFIRM)
    assert (await care.ticket_ended(ticket))["outcome"] == "rejected"


def _rejected_once(care: Care, ticket: str) -> None:
    row = care.ticket_row(ticket)
    assert (row.state, row.stage, row.outcome) == (TicketState.DONE, TicketStage.ENDED, TicketOutcome.REJECTED)
    assert row.reason_code == "not-founded"
    assert [task.state for task in care.world.rows(Task, care.case)] == [TaskState.DONE] * 4
    assert care.notices() == ["ticket-answered"]


async def test_the_list_of_steps_is_complete(bank: Bank) -> None:
    plan = Breakage()
    async with bank(plan) as world:
        care = in_service(world)
        ticket = await care.ticket()
        await _rejected(care, ticket)
        assert plan.steps() == STEPS
        _rejected_once(care, ticket)


async def test_every_step_twice_is_every_step_once(bank: Bank) -> None:
    async with bank(Breakage(repeat=True)) as world:
        care = in_service(world)
        ticket = await care.ticket()
        await _rejected(care, ticket)
        _rejected_once(care, ticket)


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_whose_answer_is_lost_is_done_once(bank: Bank, step: str) -> None:
    async with bank(Breakage(lose_answer_of=step)) as world:
        care = in_service(world)
        ticket = await care.ticket()
        await _rejected(care, ticket)
        _rejected_once(care, ticket)


@pytest.mark.parametrize("step", GROUND)
async def test_a_broken_ground_step_is_tried_again_after_a_rest(bank: Bank, step: str) -> None:
    plan = Breakage(fail_at=step, fail_times=1)
    async with bank(plan) as world:
        care = in_service(world)
        ticket = await care.ticket()
        await care.answer(ticket, care.officer, Outcome.ANSWER)
        assert (await care.ticket_ended(ticket))["outcome"] == "answered"
        assert plan.failed[step] == 1


async def test_a_decision_that_cannot_be_applied_goes_back_to_the_inbox(bank: Bank) -> None:
    async with bank(Breakage(fail_at="aftercare.settle_ticket", fail_times=1)) as world:
        care = in_service(world)
        ticket = await care.ticket()
        assert (await care.answer(ticket, care.officer, Outcome.ANSWER)).fate == "refused"
        assert care.notices() == []
        await care.answer(ticket, care.officer, Outcome.ANSWER)
        await care.ticket_ended(ticket)
        assert care.notices() == ["ticket-answered"]


async def test_who_rejects_does_not_check_and_neither_does_who_took_it_in(bank: Bank) -> None:
    """The layers below the API, each by itself: the compare-and-set of the records, and the workflow."""
    async with bank() as world:
        care = in_service(world)
        ticket = await care.ticket()
        await care.answer(ticket, care.officer, Outcome.REJECT)
        task = await care.task(ticket, TaskType.TICKET_CHECK)
        assert task.excluded_persons == [care.officer.person_id]
        assert task.shown["proposal"]["reason"] == "not-founded"
        refused = await care.decide_unchecked(task, care.officer, Outcome.CONFIRM)
        assert (refused.fate, refused.reason) == ("refused", "four-eyes-violation")
        changed = await care.decide_unchecked(task, care.approver, Outcome.CONFIRM, shown_hash="0" * 64)
        assert (changed.fate, changed.reason) == ("refused", "shown-changed")
        assert care.ticket_row(ticket).state == TicketState.OPEN


async def test_a_question_is_refused_by_one_person(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        ticket = await care.ticket(TicketKind.QUESTION)
        await care.answer(ticket, care.officer, Outcome.REJECT)
        assert (await care.ticket_ended(ticket))["outcome"] == "rejected"


async def test_the_clock_is_extended_as_often_as_the_law_allows(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        ticket = await care.ticket(TicketKind.COMPLAINT)
        opened = care.ticket_row(ticket).created_at
        for days in (30, 60):
            more = await care.decide(ticket, TaskType.TICKET, care.officer, Outcome.EXTEND, reason_code="facts-complex")
            assert more.fate == "applied"
            left = care.ticket_row(ticket).due_at - opened
            assert timedelta(days=days) <= left < timedelta(days=days + 1)
        refused = await care.decide(ticket, TaskType.TICKET, care.officer, Outcome.EXTEND, reason_code="facts-complex")
        assert (refused.fate, refused.reason) == ("refused", "wrong-state")
        assert care.notices() == ["ticket-extended", "ticket-extended"]
        await care.answer(ticket, care.officer, Outcome.ANSWER)
        await care.ticket_ended(ticket)


async def test_a_cancelled_workflow_leaves_no_task_behind(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        ticket = await care.ticket()
        await care.task(ticket, TaskType.TICKET)
        await world.client.get_workflow_handle(ticket_workflow_id(care.case, ticket)).cancel()

        def dropped(session):
            return session.exec(
                select(Task).where(col(Task.case_token) == care.case, col(Task.state) == TaskState.CANCELLED)
            ).first()

        await world.until(dropped)
        row = care.ticket_row(ticket)
        assert (row.state, row.outcome) == (TicketState.DONE, TicketOutcome.DROPPED)


# The clock ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def skipping(sqlite_database, vault, clock, time_skipping):
    """A bank whose Temporal skips to the next timer when told to."""
    address = time_skipping.client.service_client.config.target_host
    server = TemporalServer(address=address, namespace=time_skipping.client.namespace)

    def make(*interceptors):
        return case_world(sqlite_database, vault, clock, server, interceptors=interceptors)

    return make


async def test_when_the_clock_runs_out_the_ticket_goes_up(skipping, time_skipping) -> None:
    plan = Breakage(repeat=True)
    async with skipping(plan) as world:
        care = in_service(world)
        due = await time_skipping.get_current_time() + timedelta(days=15)
        ticket = await care.ticket(due_at=due)
        first = await care.task(ticket, TaskType.TICKET)
        await time_skipping.sleep(timedelta(days=14))
        assert care.ticket_row(ticket).escalated_at is None
        await time_skipping.sleep(timedelta(days=2))
        late = await care.task(ticket, TaskType.TICKET_OVERDUE)
        assert (late.candidate_role, late.priority > first.priority) == ("approver", True)
        assert care.ticket_row(ticket).escalated_at is not None
        assert plan.steps() == [*STEPS[:3], "aftercare.escalate_ticket"]
        await care.answer(ticket, care.approver, Outcome.ANSWER, TaskType.TICKET_OVERDUE)
        await care.ticket_ended(ticket)
        states = sorted(task.state for task in world.rows(Task, care.case))
        assert states == [TaskState.CANCELLED, TaskState.DONE]


async def test_a_rejection_that_is_being_checked_stays_with_its_checker(skipping, time_skipping) -> None:
    async with skipping(Breakage(lose_answer_of="aftercare.escalate_ticket")) as world:
        care = in_service(world)
        due = await time_skipping.get_current_time() + timedelta(days=15)
        ticket = await care.ticket(due_at=due)
        await care.answer(ticket, care.officer, Outcome.REJECT)
        await care.task(ticket, TaskType.TICKET_CHECK)
        await time_skipping.sleep(timedelta(days=16))

        def flagged(_session):
            row = care.ticket_row(ticket)
            return row if row.escalated_at is not None else None

        await world.until(flagged)
        await care.decide(ticket, TaskType.TICKET_CHECK, care.approver, Outcome.RETURN, reason_code="answer-not-clear")
        await care.answer(ticket, care.second_approver, Outcome.ANSWER, TaskType.TICKET_OVERDUE)
        assert (await care.ticket_ended(ticket))["outcome"] == "answered"


async def test_a_ticket_that_comes_late_to_its_workflow_goes_up_at_once(bank: Bank, clock) -> None:
    async with bank() as world:
        care = in_service(world)
        ticket = await care.ticket(due_at=clock() - timedelta(days=400))
        late = await care.task(ticket, TaskType.TICKET_OVERDUE)
        await care.answer(ticket, care.approver, Outcome.ANSWER, TaskType.TICKET_OVERDUE)
        await care.ticket_ended(ticket)
        assert late.task_no == 2
