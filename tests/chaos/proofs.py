"""What must hold when a siege is over, read where an auditor would read it: stores, audit log, histories, commands."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from temporalio.client import Client

from models.database.engine import open_database
from tests.chaos.siege import Siege
from tests.support.played import Tally, histories_tell_each_decision_once, stores_agree


async def prove(siege: Siege) -> Tally:
    """Everything that must hold; call it while the stack still runs. The stack is stopped on the way.

    Raises:
        AssertionError: something was lost, doubled, or made up.
    """
    assert siege.stack is not None
    assert siege.played is not None
    client = await Client.connect(siege.stack.facts["temporal"], namespace=siege.stack.facts["namespace"])
    await histories_tell_each_decision_once(client, siege.played)
    siege.stack.stop()
    assert siege.stack.process.returncode == 0
    assert siege.nothing_is_left()
    tally = agree(siege)
    _audit_log_holds(siege)
    for path in (siege.data.database, siege.data.keys, siege.data.temporal):
        with closing(sqlite3.connect(path)) as store:
            assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path.name
    return tally


def stores_agree(siege: Siege) -> Tally:
    """What clients were told, and what the stores hold, are the same.

    Raises:
        AssertionError: they are not.
    """
    wire, office = siege.wire, siege.office
    assert wire is not None
    assert office is not None
    database = open_database(f"sqlite:///{siege.data.database}")
    try:
        with database.read() as session:
            decisions = session.exec(select(Decision)).all()
            keys = session.exec(select(IdempotencyKey)).all()
            events = session.exec(select(AuditEvent)).all()
            tasks = session.exec(select(Task)).all()
            cases = session.exec(select(InstallmentCase)).all()
            documents = session.exec(select(CaseDocument.id)).all()
            unsent = session.exec(select(func.count()).where(col(OutboxEntry.done_at).is_(None))).one()
    finally:
        database.dispose()

    by_state = {state: {row.id for row in decisions if row.state == state} for state in DecisionState}
    applied, refused = by_state[DecisionState.APPLIED], by_state[DecisionState.REFUSED]
    # Acknowledged is what was done, and what was done is what was acknowledged; nothing hangs in between.
    assert by_state[DecisionState.PENDING] == set()
    assert wire.acknowledged.keys() - applied - refused == set()
    assert applied - wire.acknowledged.keys() == set()
    assert all(wire.acknowledged[decision] == _ACCEPTED for decision in refused & wire.acknowledged.keys())
    _refused_came_back(refused, events, {row.id: row for row in decisions}, {task.id: task for task in tasks})
    _each_deed_is_told_once(events, decisions=applied | refused, applied=applied)
    _each_answer_closed_one_task(tasks, decisions=[row for row in decisions if row.id in applied])

    assert {case.token for case in cases} == {life.token for life in siege.lives}
    assert {case.token: case.outcome for case in cases} == {life.token: life.plan.end for life in siege.lives}
    assert len(documents) == sum(what == "documents" for what in wire.made.values())
    assert unsent == 0
    assert {key.key for key in keys} >= wire.made.keys()
    return Tally(
        decisions=len(wire.acknowledged),
        accepted=sum(status == _ACCEPTED for status in wire.acknowledged.values()),
        refused=len(refused & wire.acknowledged.keys()),
        repeats=office.line.repeats,
        shadow=sum(wire.sends[key.key] > 1 and key.created_at < wire.last_sent[key.key] for key in keys),
        after_restart=len(wire.after_restart),
    )


def _refused_came_back(
    refused: set[str], events: "list[AuditEvent]", decisions: dict[str, Decision], tasks: dict[str, Task]
) -> None:
    told = Counter(
        json.loads(event.body)["facts"]["decision"] for event in events if event.action == "decision.refused"
    )
    assert told == Counter(refused)
    for decision_id in refused:
        decision = decisions[decision_id]
        assert decision.refusal
        if decision.task_id is not None:
            task = tasks[decision.task_id]
            # It went back with the reason; who then answered it closed it with another decision, or the case ended.
            assert task.pending_decision_id != decision_id
            assert task.return_reason == decision.refusal or task.state == TaskState.CANCELLED


def _each_deed_is_told_once(events: "list[AuditEvent]", *, decisions: set[str], applied: set[str]) -> None:
    facts = [(event.action, json.loads(event.body)["facts"]) for event in events]
    taken = Counter(fact["decision"] for action, fact in facts if action in ("task.decided", "case.withdrawal-decided"))
    assert taken == Counter(decisions)
    assert Counter(fact["decision"] for action, fact in facts if action == "decision.applied") == Counter(applied)


def _each_answer_closed_one_task(tasks: "list[Task]", *, decisions: list[Decision]) -> None:
    done = Counter(task.id for task in tasks if task.state == TaskState.DONE)
    assert done == Counter(row.task_id for row in decisions if row.task_id is not None)
    assert not [task.id for task in tasks if task.state in OPEN_TASK_STATES]


def agree(siege: Siege) -> Tally:
    """`stores_agree` for the data directory; the stack must not run.

    Raises:
        AssertionError: they do not.
    """
    assert siege.played is not None
    database = open_database(f"sqlite:///{siege.data.database}")
    try:
        return stores_agree(database, siege.played)
    finally:
        database.dispose()


def _audit_log_holds(siege: Siege) -> None:
    report = command(siege.data.root, "audit", "verify", "--json")
    assert report.returncode == 0, report.stdout
    told = json.loads(report.stdout)
    assert told["ok"] is True
    with closing(sqlite3.connect(siege.data.database)) as store:
        assert store.execute("SELECT count(*) FROM audit_events").fetchone() == (told["leaves"] + told["pending"],)
    assert told["leaves"] > told["pending"]


async def _histories_tell_each_decision_once(siege: Siege) -> None:
    """Temporal's own account: the workflows completed as many decisions, under the same ids, and were started once."""
    assert siege.stack is not None
    assert siege.wire is not None
    client = await Client.connect(siege.stack.facts["temporal"], namespace=siege.stack.facts["namespace"])
    completed: Counter[str] = Counter()
    for life in siege.lives:
        runs = 0
        async for _ in client.list_workflows(f"WorkflowId = '{installment_workflow_id(life.token)}'"):
            runs += 1
        assert runs == 1, life.token
        history = await client.get_workflow_handle(installment_workflow_id(life.token)).fetch_history()
        for event in history.events:
            if event.HasField("workflow_execution_update_completed_event_attributes"):
                update = event.workflow_execution_update_completed_event_attributes
                completed[update.meta.update_id] += update.outcome.HasField("success")
    assert set(completed.values()) <= {0, 1}
    assert {update for update, count in completed.items() if count} <= siege.wire.acknowledged.keys()


def command(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A `casework` command on a data directory."""
    line = [sys.executable, "-m", "deploy.commands", *arguments, "--data", str(data)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
