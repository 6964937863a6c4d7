"""One decision that cannot be lost: acknowledged means counted, once, by two persons, on what they were shown."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Fate
from models.contracts.installments import CaseResult, CaseView, DecideResult, Terms
from models.domain.roles import Role
from models.domain.states import Outcome, TaskState, TaskType
from models.errors import AlreadyClaimed, DecisionPending, FourEyesViolation, ShownChanged, StaleVersion
from models.operations import decisions
from models.tables.installments import InstallmentCase
from models.tables.platform import OutboxEntry
from models.tables.tasks import Decision, FourEyes, Task
from tests.support.casework import TERMS, CaseWorld
from tests.workflows.installments import lives


async def _at_approval(world: CaseWorld):
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_approval(world, team, token)
    return team, token, await world.task(token, TaskType.APPROVAL)


# -- four eyes, layer by layer (the first is the API's) ----------------------------------------------------------------


async def test_layer_two_the_compare_and_set_refuses_a_maker(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    with pytest.raises(FourEyesViolation):
        world.take(task, team.officer, Outcome.APPROVE)
    with world.database.read() as session:
        assert session.get_one(Task, task.id).state == TaskState.READY


async def test_layer_two_holds_a_person_with_a_second_account(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    second_account = world.hire(Role.APPROVER, person=team.officer.person_id)
    with pytest.raises(FourEyesViolation):
        world.take(task, second_account, Outcome.APPROVE)


async def test_layer_three_the_workflow_refuses_a_maker(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    decision_id = world.take(task, team.approver, Outcome.APPROVE)
    with world.database.read() as session:
        workflow_id, sent = decisions.decide_input(session, decision_id=decision_id)
    forged = dataclasses.replace(sent, person_id=team.officer.person_id)
    answer = await world.dispatcher.send(workflow_id, forged, budget=timedelta(seconds=20))
    assert (answer.fate, answer.reason) == (Fate.REFUSED, "four-eyes-violation")


async def test_layer_four_the_database_refuses_a_maker_row_beside_a_checker_row(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    deed = Deed(tenant="main", action="test", target="test", actor="test", at=world.clock())
    row = FourEyes(
        id="eye_x",
        tenant="main",
        subject=task.shown_hash,
        person_id=team.officer.person_id,
        side="checker",
        created_at=world.clock(),
    )
    with pytest.raises(IntegrityError), unit_of_work(world.database, deed) as unit:
        unit.session.add(row)


async def test_the_approval_is_bound_to_what_was_shown(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    with pytest.raises(ShownChanged):
        world.take(task, team.approver, Outcome.APPROVE, shown_hash="0" * 64)
    decision_id = world.take(task, team.approver, Outcome.APPROVE)
    with world.database.read() as session:
        workflow_id, sent = decisions.decide_input(session, decision_id=decision_id)
    answer = await world.dispatcher.send(
        workflow_id, dataclasses.replace(sent, shown_hash="0" * 64), budget=timedelta(seconds=20)
    )
    assert answer.reason == "shown-changed"


# -- once --------------------------------------------------------------------------------------------------------------


async def test_the_same_decision_twenty_times_is_one(world: CaseWorld) -> None:
    team, token, task = await _at_approval(world)
    decision_id = world.take(task, team.approver, Outcome.APPROVE)
    answers = await asyncio.gather(*(world.send(decision_id) for _ in range(20)))
    assert {answer.fate for answer in answers} == {Fate.APPLIED}
    await world.task(token, TaskType.SIGNING)
    assert [row.state for row in world.rows(Decision, token)].count("APPLIED") == 4


async def test_of_two_decisions_on_one_task_one_is_taken(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    other = world.hire(Role.APPROVER)
    world.take(task, team.approver, Outcome.APPROVE)
    with pytest.raises(DecisionPending):
        world.take(task, other, Outcome.REJECT)


async def test_a_stale_page_and_a_task_of_another_are_refused(world: CaseWorld) -> None:
    team, _, task = await _at_approval(world)
    stale = task.model_copy(update={"version": task.version - 1})
    with pytest.raises(StaleVersion):
        world.take(stale, team.approver, Outcome.APPROVE)
    deed = Deed(tenant="main", action="test", target="test", actor="test", at=world.clock())
    with unit_of_work(world.database, deed) as unit:
        unit.session.get_one(Task, task.id).assignee = "stf_other"
    with pytest.raises(AlreadyClaimed):
        world.take(task, team.approver, Outcome.APPROVE)


async def test_the_same_id_with_another_payload_is_a_conflict_even_across_runs(world: CaseWorld) -> None:
    """Temporal would answer with the first result; the case remembers what it applied and says no."""
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token, events_per_run=1)  # continues as new at every stage border
    decision_id = world.take(await world.task(token, TaskType.DOCUMENTS), team.officer, Outcome.ACCEPT)
    first_run = (await world.handle(token).describe()).run_id
    await world.send(decision_id)
    await world.task(token, TaskType.ASSESSMENT)
    assert (await world.handle(token).describe()).run_id != first_run
    assert (await world.send(decision_id)).fate is Fate.APPLIED  # the same again: the same answer, no effect
    with world.database.read() as session:
        workflow_id, sent = decisions.decide_input(session, decision_id=decision_id)
    other = dataclasses.replace(sent, terms=Terms(amount_minor=1, term_months=1, concession_bps=0))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        # Not under the update id, which Temporal knows of this run by now.
        await world.client.get_workflow_handle(workflow_id).execute_update("decide", other, result_type=DecideResult)
    assert refused.value.cause.type == "idempotency-mismatch"
    assert (await world.task(token, TaskType.ASSESSMENT)).task_no == 2
    await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RECOMMEND, terms=TERMS)
    await lives.choose(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.APPROVE)
    await world.task(token, TaskType.SIGNING)


async def test_thirty_starts_are_one_case(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    assert all(await asyncio.gather(*(world.dispatcher.start_case(token) for _ in range(30))))
    await lives.declined(world, team, token)
    await world.ended(token)
    assert await world.dispatcher.start_case(token)  # after its end: "already started" is success, and nothing starts
    assert len(world.rows(Task, token)) == 5


async def test_a_case_that_has_ended_is_not_begun_again_when_temporal_has_forgotten_it(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.declined(world, team, token)
    await world.ended(token)
    handle = world.handle(token)
    await handle.result()
    before = (world.case(token).model_dump(), [task.model_dump() for task in world.rows(Task, token)])
    gone = DeleteWorkflowExecutionRequest(
        namespace=world.client.namespace, workflow_execution=WorkflowExecution(workflow_id=handle.id)
    )
    await world.client.workflow_service.delete_workflow_execution(gone)

    async def is_gone() -> bool:
        try:
            await handle.describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    while not await is_gone():  # noqa: ASYNC110 - Temporal deletes in its own time
        await asyncio.sleep(0.02)
    assert await world.dispatcher.start_case(token)
    again: CaseResult = await world.client.get_workflow_handle(handle.id, result_type=CaseResult).result()
    assert (again.outcome, again.reason_code) == (world.case(token).outcome, world.case(token).reason_code)
    assert (world.case(token).model_dump(), [task.model_dump() for task in world.rows(Task, token)]) == before


# -- lost nowhere ------------------------------------------------------------------------------------------------------


async def test_a_withdrawal_and_an_approval_at_once_end_in_one_of_them(world: CaseWorld) -> None:
    team, token, task = await _at_approval(world)
    decision_id = world.take(task, team.approver, Outcome.APPROVE)
    approval, withdrawal = await asyncio.gather(world.send(decision_id), world.withdraw(token))
    # Approved first, the case can still be withdrawn before it is signed; withdrawn first, there is nothing to approve.
    assert withdrawal.fate is Fate.APPLIED
    assert (await world.ended(token)).outcome == "withdrawn"
    assert world.decision(decision_id).state == ("APPLIED" if approval.fate is Fate.APPLIED else "REFUSED")
    assert {task.state for task in world.rows(Task, token)} <= {TaskState.DONE, TaskState.CANCELLED}


async def test_a_decision_after_the_end_comes_back_with_the_reason(world: CaseWorld) -> None:
    team, token, task = await _at_approval(world)
    await world.handle(token).terminate("operator")
    decision_id = world.take(task, team.approver, Outcome.APPROVE)
    answer = await world.send(decision_id)
    assert answer.fate is Fate.GONE


async def test_the_outbox_row_is_closed_by_the_workflows_own_write(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    with world.database.read() as session:
        assert session.exec(select(OutboxEntry.done_at).where(col(OutboxEntry.business_key) == token)).one() is None
    await world.start(token)
    await lives.declined(world, team, token)
    with world.database.read() as session:
        assert all(done is not None for done in session.exec(select(OutboxEntry.done_at)).all())


async def test_the_workflows_own_account_matches_the_records(world: CaseWorld) -> None:
    _, token, task = await _at_approval(world)
    view = await world.handle(token).query("view", result_type=CaseView)
    with world.database.read() as session:
        case = session.get_one(InstallmentCase, token)
    assert (view.stage, view.outcome, view.epoch, view.seq) == (case.stage, case.outcome, case.epoch, case.seq)
    assert [(open_task.task_no, open_task.shown_hash) for open_task in view.open_tasks] == [
        (task.task_no, task.shown_hash)
    ]


async def test_a_cancelled_case_leaves_nobody_with_a_task(world: CaseWorld) -> None:
    _, token, _ = await _at_approval(world)
    await world.handle(token).cancel()
    with pytest.raises(Exception, match="Workflow execution"):
        await world.handle(token).result()
    assert {row.state for row in world.rows(Task, token)} == {TaskState.DONE, TaskState.CANCELLED}
    assert world.case(token).reason_code == "cancelled-by-operator"
