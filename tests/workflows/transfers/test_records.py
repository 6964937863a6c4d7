"""A transfer job over its real records: tasks in both companies' inboxes, decisions, gates and ends stand in SQL."""

import pytest
from sqlmodel import col, select

from models.database.engine import Database
from models.domain.ids import transfer_workflow_id
from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import JobStage
from models.errors import FourEyesViolation
from models.queries.transfers import jobs as queries
from models.tables.audit import AuditEvent
from models.tables.installments import RuleVerdict
from models.tables.tasks import Task
from models.tables.transfer_jobs import TransferEvidence, TransferRollback
from models.tables.transfers import TransferJob, TransferRow, TransferWave
from tests.support.temporal import TemporalServer
from tests.support.transfer_desk import BUYER, SELLER, transfer_desk
from tests.support.transfer_fakes import World
from tests.support.transfer_jobs import SOURCE, TARGET

pytestmark = pytest.mark.temporal


async def test_a_job_runs_through_its_records_and_both_inboxes(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.up_to_go()
        await desk.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE, form={"dissent": "timetable-unsuitable"})
        await desk.decide(TaskType.TRANSFER_CLOSE, Outcome.CONFIRM)
        assert (await desk.end())["outcome"] == "completed"
    job = desk.row()
    assert (job.stage, job.outcome) == (JobStage.ENDED, "completed")
    with sqlite_database.read() as session:
        approvals = queries.approvals_of(session, desk.job, plan_hash=job.plan_hash)
        assert [(each.side, each.tenant, each.person_id) for each in approvals] == [
            ("source", SOURCE, SELLER),
            ("target", TARGET, BUYER),
        ]
        gates = set(session.exec(select(RuleVerdict.gate).where(col(RuleVerdict.case_token) == desk.job)).all())
        assert len(gates) == 9
        bodies = session.exec(select(AuditEvent.body).where(col(AuditEvent.target) == desk.job)).all()
    assert any('"dissent":"timetable-unsuitable"' in body for body in bodies)


async def test_who_made_the_plan_approves_for_neither_company(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        approval = TaskType.TRANSFER_PLAN_APPROVAL
        with pytest.raises(FourEyesViolation):
            await desk.decide(approval, Outcome.APPROVE, person=desk.maker, tenant=SOURCE)
        await desk.decide(approval, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        for person in (desk.maker, SELLER):
            with pytest.raises(FourEyesViolation):
                await desk.decide(approval, Outcome.APPROVE, person=person)


async def test_a_returned_plan_that_comes_back_as_it_was_is_approved_by_both_anew(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    approval = TaskType.TRANSFER_PLAN_APPROVAL
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await desk.decide(approval, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        await desk.decide(approval, Outcome.RETURN, person=BUYER, reason_code="plan-incomplete")
        await desk.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await desk.decide(approval, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        await desk.decide(approval, Outcome.APPROVE, person=BUYER)
        await desk.task(TaskType.TRANSFER_GO_NO_GO)
    job = desk.row()
    with sqlite_database.read() as session:
        approvals = queries.approvals_of(session, desk.job, plan_hash=job.plan_hash)
    assert [(each.side, each.person_id) for each in approvals] == [("source", SELLER), ("target", BUYER)]


async def test_a_gate_shows_its_rule_and_opens_when_the_record_is_mended(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        with sqlite_database.write() as session:
            kept = session.exec(select(TransferEvidence).where(col(TransferEvidence.kind) == "claim-list")).one()
            values = kept.model_dump()
            session.delete(kept)
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        task = await desk.task(TaskType.TRANSFER_GATE)
        assert [each["rule"] for each in task.blocked] == ["MIG-E", "rows-have-moved"]
        assert task.shown["gate"] == "transfers.classify"
        with sqlite_database.write() as session:
            session.add(TransferEvidence(**values))
        await desk.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await desk.task(TaskType.TRANSFER_PLAN_APPROVAL, tenant=SOURCE)


async def test_a_stopped_wave_has_the_whole_job_held_for_its_rollback(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    world = World(waves={})
    async with transfer_desk(sqlite_database, temporal_server, clock, world) as desk:
        await desk.up_to_go()
        await desk.task(TaskType.TRANSFER_GO_NO_GO)
        _set_wave(sqlite_database, desk.job, "stopped")
        await desk.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        task = await desk.task(TaskType.TRANSFER_WAVE_STOPPED)
        assert (task.shown["code"], task.shown["wave"]["number"]) == ("error-budget", 1)
        await desk.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_JOB, reason_code="error-rate")
        with sqlite_database.read() as session:
            asked = session.exec(select(TransferRollback).where(col(TransferRollback.job) == desk.job)).one()
        assert (asked.state, asked.wave, desk.row().paused_at is not None) == ("confirmed", None, True)


async def test_a_wave_that_was_put_back_is_decided_about_while_others_still_ask_people(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    wave_stopped = TaskType.TRANSFER_WAVE_STOPPED
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.up_to_go()
        await desk.task(TaskType.TRANSFER_GO_NO_GO)
        _set_wave(sqlite_database, desk.job, "stopped")
        await desk.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await desk.task(wave_stopped)
        _set_wave(sqlite_database, desk.job, "undone")  # its steps are in memory here
        with sqlite_database.write() as session:
            row = session.exec(select(TransferRow).where(col(TransferRow.job) == desk.job)).first()
            assert row is not None
            row.move = "conflict"
            session.add(row)
        await desk.decide(wave_stopped, Outcome.UNDO_WAVE, reason_code="error-rate")
        task = await desk.task(wave_stopped)
        assert [(each["outcome"], each["rule"]) for each in task.blocked] == [("undo-wave", "wave-undone")]
        with sqlite_database.read() as session:
            gates = (col(Task.case_token) == desk.job, col(Task.type) == TaskType.TRANSFER_GATE)
            assert session.exec(select(Task).where(*gates)).all() == [], "PIPL-8 would count the open conflict"


def _set_wave(database: Database, job: str, state: str) -> None:
    with database.write() as session:
        wave = session.get_one(TransferWave, (job, 1))
        wave.state, wave.stop_code = state, "error-budget"
        session.add(wave)


async def test_a_cancelled_job_leaves_no_task_behind(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.task(TaskType.TRANSFER_CLASSIFICATION)
        with sqlite_database.write() as session:
            session.delete(session.get_one(TransferWave, (desk.job, 1)))
            job = session.get_one(TransferJob, desk.job)
            job.cancel_asked_at = clock()
            session.add(job)
        await desk.dispatcher.nudge(transfer_workflow_id(desk.job))
        assert (await desk.end())["outcome"] == "cancelled"
        with sqlite_database.read() as session:
            states = session.exec(select(Task.state).where(col(Task.case_token) == desk.job)).all()
        assert states == ["CANCELLED"]
