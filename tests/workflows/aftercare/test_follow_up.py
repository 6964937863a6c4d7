"""A follow-up call: each step is known, can break, repeat and lose its answer; the rules of contact stand before it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from models.domain.aftercare.follow_ups import SCHEDULE, FollowUpKind
from models.domain.ids import follow_up_workflow_id
from models.domain.shanghai import shanghai_date
from models.domain.states import FollowUpState, Outcome, TaskState, TaskType
from models.tables.installments import RuleVerdict
from models.tables.tasks import Task
from tests.support.aftercare import Care, in_service
from tests.support.breakage import Breakage
from tests.workflows.aftercare.conftest import Bank

STEPS = [
    "platform.register_run",
    "tasks.open_task",
    "aftercare.record_follow_up",
]
GROUND = STEPS[:2]


async def _reached(care: Care, item: str, **more: object) -> object:
    return await care.decide(item, TaskType.FOLLOW_UP, care.officer, Outcome.REACHED, reason_code="in-order", **more)


async def _missed(care: Care, item: str, **more: object) -> object:
    return await care.decide(
        item, TaskType.FOLLOW_UP, care.officer, Outcome.NOT_REACHED, reason_code="no-answer", **more
    )


async def _one_call(care: Care) -> None:
    item = await care.follow_up()
    answer = await _reached(care, item)
    assert answer.fate == "applied", answer
    assert (await care.follow_up_ended(item))["outcome"] == "reached"


def _called_once(care: Care) -> None:
    [row] = care.follow_ups()
    assert (row.state, row.outcome, row.reason_code) == (FollowUpState.DONE, "reached", "in-order")
    [contact] = care.contacts()
    assert (contact.id, contact.result_code, contact.direction) == (row.contact_id, "reached", "out")
    assert not contact.is_collection
    assert [task.state for task in care.world.rows(Task, care.case)] == [TaskState.DONE]
    verdicts = care.world.rows(RuleVerdict, care.case)
    assert len(verdicts) == len({verdict.rule_id for verdict in verdicts}) > 10


async def test_the_list_of_steps_is_complete(bank: Bank) -> None:
    plan = Breakage()
    async with bank(plan) as world:
        care = in_service(world)
        await _one_call(care)
        assert plan.steps() == STEPS
        _called_once(care)


async def test_every_step_twice_is_every_step_once(bank: Bank) -> None:
    async with bank(Breakage(repeat=True)) as world:
        care = in_service(world)
        await _one_call(care)
        _called_once(care)


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_whose_answer_is_lost_is_done_once(bank: Bank, step: str) -> None:
    async with bank(Breakage(lose_answer_of=step)) as world:
        care = in_service(world)
        await _one_call(care)
        _called_once(care)


@pytest.mark.parametrize("step", GROUND)
async def test_a_broken_ground_step_is_tried_again_after_a_rest(bank: Bank, step: str) -> None:
    plan = Breakage(fail_at=step, fail_times=1)
    async with bank(plan) as world:
        care = in_service(world)
        await _one_call(care)
        assert plan.failed[step] == 1
        _called_once(care)


@pytest.mark.parametrize("step", STEPS[2:])
async def test_a_decision_that_cannot_be_applied_goes_back_to_the_inbox(bank: Bank, step: str) -> None:
    async with bank(Breakage(fail_at=step, fail_times=1)) as world:
        care = in_service(world)
        item = await care.follow_up()
        assert (await _reached(care, item)).fate == "refused"
        assert care.contacts() == []
        await _reached(care, item)
        await care.follow_up_ended(item)
        assert len(care.contacts()) == 1


async def test_who_is_not_reached_is_called_again_later_and_at_most_so_often(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world, status="in-arrears", days_past_due=5)
        today = shanghai_date(world.clock())
        item = await care.follow_up(FollowUpKind.MISSED)
        await _missed(care, item)
        await care.follow_up_ended(item)
        rows = care.follow_ups()
        assert [(row.attempt, row.state) for row in rows] == [(1, "DONE"), (2, "PLANNED")]
        assert rows[1].due_on == today + timedelta(days=SCHEDULE.retry_days)
        for attempt in range(2, SCHEDULE.max_attempts + 1):
            await _again(care, attempt)
        assert [row.state for row in care.follow_ups()] == ["DONE"] * SCHEDULE.max_attempts
        assert len(care.contacts()) == SCHEDULE.max_attempts


async def _again(care: Care, attempt: int) -> None:
    """The daily run comes to the next attempt, and nobody answers again."""
    [row] = [row for row in care.follow_ups() if row.attempt == attempt]
    care.open_planned(row.id)
    assert await care.world.dispatcher.start(follow_up_workflow_id(care.case, row.id))
    await _missed(care, row.id, nextContactDays=9)
    await care.follow_up_ended(row.id)


async def test_another_call_can_be_agreed_on(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        item = await care.follow_up()
        await _reached(care, item, nextContactDays=14)
        await care.follow_up_ended(item)
        [_, agreed] = care.follow_ups()
        wanted = shanghai_date(world.clock()) + timedelta(days=14)
        assert (agreed.kind, agreed.due_on, agreed.state) == ("agreed", wanted, "PLANNED")


async def test_a_call_at_night_is_on_record_with_the_rule_that_it_broke(bank: Bank, clock) -> None:
    clock.set(datetime(2026, 11, 23, 14, 30, tzinfo=UTC))  # 22:30 in Shanghai
    async with bank() as world:
        care = in_service(world)
        await _one_call(care)
        [contact] = care.contacts()
        broken = [row for row in world.rows(RuleVerdict, care.case) if row.result == "FAIL"]
        assert [(row.rule_id, row.gate_key) for row in broken] == [("COLL-CBA-HOURS", f"contact/{contact.id}")]


async def test_the_seventh_call_of_a_day_is_on_record_with_the_rule_that_it_broke(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        care.log_calls(6)
        await _one_call(care)
        assert [row.rule_id for row in world.rows(RuleVerdict, care.case) if row.result == "FAIL"] == ["COLL-CBA-DIAL"]


async def test_what_the_officer_wrote_stands_sealed_in_the_contact_log(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        item = await care.follow_up()
        await care.note_on(item, "孩子住院，下月起收入恢复")
        await care.follow_up_ended(item)
        [contact] = care.contacts()
        assert "孩子".encode() not in contact.note_cell
        assert care.words_of(contact) == "孩子住院，下月起收入恢复"


async def test_a_cancelled_workflow_leaves_no_task_behind(bank: Bank) -> None:
    async with bank() as world:
        care = in_service(world)
        item = await care.follow_up()
        await care.task(item, TaskType.FOLLOW_UP)
        await world.client.get_workflow_handle(follow_up_workflow_id(care.case, item)).cancel()

        def dropped(session):
            return session.exec(
                select(Task).where(col(Task.case_token) == care.case, col(Task.state) == TaskState.CANCELLED)
            ).first()

        await world.until(dropped)
        assert [row.state for row in care.follow_ups()] == [FollowUpState.DROPPED]
