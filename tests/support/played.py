"""Cases played over HTTP by the demo's people: what was sent and acknowledged, and whether the stores agree with it."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlmodel import col, func, select
from temporalio.client import Client

from deploy.demo.book import generate_book
from deploy.demo.lives import Life
from deploy.demo.mailbox import Phones, SpoolPhones
from deploy.demo.office import Office
from deploy.demo.plans import CASES, IN_SERVICE, cast
from deploy.values import DataDir
from models.database.engine import Database
from models.domain.ids import installment_workflow_id
from models.domain.states import OPEN_TASK_STATES, CaseStage, DecisionState, TaskState
from models.tables.agreements import Agreement, Signature
from models.tables.audit import AuditEvent
from models.tables.core import CoreOrder
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.platform import IdempotencyKey, OutboxEntry
from models.tables.tasks import Decision, Task

_SEED = 20_261_121
_BOOK_SIZE = 600
_ACCEPTED = 202
_TAKING = ("task.decided", "case.withdrawal-decided", "agreement.signed")
_SIGNING = ("sign", "paper")
_ORDERED = ("block-card", "recall-collection")  # at the card core, before an agreement is in force


@dataclass(slots=True)
class Wire:
    """An HTTP client that remembers what was sent under each key, and each decision that was acknowledged.

    Attributes:
        sends: how often a request was sent under its key: so often it would have its effect without a memory for keys.
        last_sent: when it was sent last, by the clock of this machine.
        acknowledged: decision id to the status it was acknowledged with.
        after_restart: decisions acknowledged by another process than the one that was first asked.
        restarts: how many blows have fallen.
    """

    http: httpx.AsyncClient
    sends: Counter[str] = field(default_factory=Counter)
    last_sent: dict[str, datetime] = field(default_factory=dict)
    first_asked: dict[str, int] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)  # what was made under each key: the last word of the path
    acknowledged: dict[str, int] = field(default_factory=dict)
    after_restart: set[str] = field(default_factory=set)
    restarts: int = 0

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """As `httpx.AsyncClient.request`."""
        key = request.get("headers", {}).get("Idempotency-Key")
        if key is not None:
            self.sends[key] += 1
            self.last_sent[key] = datetime.now(UTC)
            self.first_asked.setdefault(key, self.restarts)
        answer = await self.http.request(method, path, **request)
        if key is not None and answer.is_success:
            self._note(key, path, answer)
        return answer

    def _note(self, key: str, path: str, answer: httpx.Response) -> None:
        self.made[key] = path.rpartition("/")[2]
        body = answer.json()
        decision = body.get("decisionId") if isinstance(body, dict) else None
        if decision is not None:
            self.acknowledged.setdefault(decision, answer.status_code)
            if self.first_asked[key] < self.restarts:
                self.after_restart.add(decision)


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """An office, its line, and the cases before it."""

    office: Office
    wire: Wire
    lives: list[Life]

    async def play(self, *, at_once: int) -> None:
        """Every case into service or to its end, so many at a time."""
        gate = asyncio.Semaphore(at_once)

        async def one(life: Life) -> None:
            async with gate:
                await life.play()

        await asyncio.gather(*(one(life) for life in self.lives))


def lives_of(office: Office, phones: Phones, cases: int) -> list[Life]:
    """So many cases, spread evenly over the plans of the demo, the end of each known beforehand."""
    roles = cast(list(generate_book(_BOOK_SIZE, _SEED)))
    chosen = [roles[number * CASES // cases] for number in range(cases)]
    return [Life(office, plan, row, phones, by_senior=number % 2 == 0) for number, (plan, row) in enumerate(chosen)]


def debts_of_all() -> dict[str, int]:
    """By card number, what each customer whom `lives_of` may choose owes in all, minor units."""
    return {row.card_number: row.total_due_minor for _, row in cast(list(generate_book(_BOOK_SIZE, _SEED)))}


def phones_of(data: DataDir) -> SpoolPhones:
    """Where the messages of an embedded stack can be read."""
    return SpoolPhones(data.beside(".exchange") / "spool")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The siege in figures.

    Attributes:
        shadow: effects that a product without a memory for keys would have had twice: what was sent again under a key
            when its effect stood in the store already.
        applied: ids of the decisions that count.
        refused: acknowledged with 202, then refused by the workflow and put back.
    """

    decisions: int
    accepted: int
    refused: int
    repeats: int
    shadow: int
    after_restart: int
    applied: set[str]

    def __str__(self) -> str:
        return (
            f"{self.decisions} decisions acknowledged ({self.accepted} with 202, {self.refused} refused later), "
            f"{self.after_restart} of them after a restart; {self.repeats} requests sent again, "
            f"{self.shadow} of them when their effect was in the store already"
        )


def stores_agree(database: Database, played: Played) -> Tally:
    """What clients were told, and what the stores hold, are the same.

    Raises:
        AssertionError: they are not.
    """
    wire = played.wire
    with database.read() as session:
        decisions = session.exec(select(Decision)).all()
        keys = session.exec(select(IdempotencyKey)).all()
        events = session.exec(select(AuditEvent)).all()
        tasks = session.exec(select(Task)).all()
        cases = session.exec(select(InstallmentCase)).all()
        documents = session.exec(select(CaseDocument.id).where(col(CaseDocument.added_by) != "workflow")).all()
        served = _Served(
            decided={row.id for row in decisions if row.outcome in _SIGNING and row.state == DecisionState.APPLIED},
            cases={case.token for case in cases if case.stage == CaseStage.SERVICING},
            agreements=list(session.exec(select(Agreement)).all()),
            signatures=list(session.exec(select(Signature)).all()),
            orders=Counter(session.exec(select(CoreOrder.case_token)).all()),
        )
        unsent = session.exec(select(func.count()).where(col(OutboxEntry.done_at).is_(None))).one()

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

    assert {case.token for case in cases} == {life.token for life in played.lives}
    assert {case.token: _end_of(case) for case in cases} == {life.token: life.plan.end for life in played.lives}
    assert len(documents) == sum(what == "documents" for what in wire.made.values())
    _each_signature_is_in_force_once(served)
    assert unsent == 0
    assert {key.key for key in keys} >= wire.made.keys()
    return Tally(
        decisions=len(wire.acknowledged),
        accepted=sum(status == _ACCEPTED for status in wire.acknowledged.values()),
        refused=len(refused & wire.acknowledged.keys()),
        repeats=played.office.line.repeats,
        shadow=sum(wire.sends[key.key] > 1 and key.created_at < wire.last_sent[key.key] for key in keys),
        after_restart=len(wire.after_restart),
        applied=applied,
    )


def _end_of(case: InstallmentCase) -> str | None:
    return IN_SERVICE if case.stage == CaseStage.SERVICING else case.outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class _Served:
    """What must go together: signing decisions, signatures, agreements in force, orders to the core."""

    decided: set[str]
    cases: set[str]
    agreements: list[Agreement]
    signatures: list[Signature]
    orders: Counter[str]


def _each_signature_is_in_force_once(served: _Served) -> None:
    """A case in service has one agreement, of the plan that was signed last, and one order of each kind at the core."""
    assert Counter(agreement.case_token for agreement in served.agreements) == Counter(served.cases)
    sealed = {signature.case_token: signature for signature in served.signatures if signature.sealed_document_id}
    assert sealed.keys() == served.cases
    assert {signature.decision_id for signature in sealed.values()} <= served.decided
    for agreement in served.agreements:
        assert agreement.plan_hash == sealed[agreement.case_token].plan_hash
    assert served.orders == Counter({token: len(_ORDERED) for token in served.cases})


def _refused_came_back(
    refused: set[str], events: Sequence[AuditEvent], decisions: dict[str, Decision], tasks: dict[str, Task]
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


def _each_deed_is_told_once(events: Sequence[AuditEvent], *, decisions: set[str], applied: set[str]) -> None:
    facts = [(event.action, json.loads(event.body)["facts"]) for event in events]
    taken = Counter(fact["decision"] for action, fact in facts if action in _TAKING)
    assert taken == Counter(decisions)
    assert Counter(fact["decision"] for action, fact in facts if action == "decision.applied") == Counter(applied)


def _each_answer_closed_one_task(tasks: Sequence[Task], *, decisions: list[Decision]) -> None:
    done = Counter(task.id for task in tasks if task.state == TaskState.DONE)
    assert done == Counter(row.task_id for row in decisions if row.task_id is not None)
    assert not [task.id for task in tasks if task.state in OPEN_TASK_STATES]


async def decisions_in_histories(client: Client, played: Played) -> set[str]:
    """Temporal's own account: the decisions that the workflows completed with success.

    Raises:
        AssertionError: a decision was completed twice, or a case has more than one run.
    """
    completed: Counter[str] = Counter()
    for life in played.lives:
        workflow_id = installment_workflow_id(life.token)
        runs = [run async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
        assert len(runs) == 1, life.token
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        for event in history.events:
            if event.HasField("workflow_execution_update_completed_event_attributes"):
                update = event.workflow_execution_update_completed_event_attributes
                completed[update.meta.update_id] += update.outcome.HasField("success")
    assert set(completed.values()) <= {0, 1}
    return {update for update, count in completed.items() if count}
