"""A decision after its commit: sent to the workflow within a budget and answered 201, 202 or 409."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from sqlmodel import Session

from api.bodies import Answer
from api.deps import ApiDeps
from api.idempotency import Stored
from api.in_thread import in_thread
from compliance.audit.unit import bookkeeping
from compliance.payloads.dispatch import Fate, record_refusal
from models.contracts.installments import DecideInput, DecideResult
from models.domain.states import DecisionState
from models.errors import DecisionRefused
from models.operations.decisions import decide_input
from models.operations.idempotency import KeySlot, store_answer
from models.queries.aftercare import care_standing
from models.tables.installments import InstallmentCase
from models.tables.tasks import Decision

BUDGET: Final = timedelta(seconds=2)


class DecidedAnswer(Answer):
    """A decision and the state after it; while `state` is PENDING, `stage` and `outcome` are those before it."""

    decision_id: str
    state: str
    case_token: str | None
    task_id: str | None
    stage: str | None
    outcome: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A stored decision as far as it is sent and answered: to which workflow, with what, and about what."""

    decision_id: str
    workflow_id: str
    case_token: str | None
    task_id: str | None
    update: DecideInput


def kept_decision(session: Session, decision_id: str) -> Kept:
    """A decision out of the records; in the unit that writes it no statement is needed.

    Raises:
        NotFound: no such decision.
    """
    workflow_id, update = decide_input(session, decision_id=decision_id)
    decision = session.get_one(Decision, decision_id)
    return Kept(
        decision_id=decision_id,
        workflow_id=workflow_id,
        case_token=decision.case_token,
        task_id=decision.task_id,
        update=update,
    )


async def send_and_answer(
    deps: ApiDeps, decision_id: str, *, slot: KeySlot, location: str, kept: Kept | None = None
) -> Stored:
    """Send a decision that has been committed, and say what became of it.

    Args:
        deps: dispatcher and database.
        decision_id: of a stored decision.
        slot: the request's idempotency slot; of a refusal it remembers that there was one.
        location: where the caller looks while nobody has answered.
        kept: the decision, where the caller has it at hand; else it is read.

    Returns:
        201 if the workflow applied it, 202 with `Location` if there was no answer in the budget: the relay goes on.

    Raises:
        DecisionRefused: the workflow said no; task and case are back with people.
    """
    sent = kept if kept is not None else await in_thread(_load, deps, decision_id)
    answer = await deps.dispatcher.send(sent.workflow_id, sent.update, budget=BUDGET)
    if answer.result is not None:  # the workflow's own word: nothing has to be read
        deps.metrics.count_decision(state=DecisionState.APPLIED)
        return _applied(sent, answer.result, location=location)
    if answer.fate is Fate.REFUSED:
        deps.metrics.count_decision(state=DecisionState.REFUSED)
        await in_thread(_refuse, deps, decision_id, slot, answer.reason or "internal")
    stored = await in_thread(decided_answer, deps, decision_id, location=location)
    deps.metrics.count_decision(state=stored.body["state"] if stored.body is not None else DecisionState.PENDING)
    return stored


def decided_answer(deps: ApiDeps, decision_id: str, *, location: str) -> Stored:
    """The answer about a decision as it stands now; blocking. Also for a request that is sent again.

    Args:
        deps: database.
        decision_id: of a stored decision.
        location: where the caller looks while nobody has answered.

    Raises:
        DecisionRefused: it was refused.
    """
    with deps.database.read() as session:
        decision = session.get_one(Decision, decision_id)
        case = session.get(InstallmentCase, decision.case_token) if decision.case_token is not None else None
        stands = care_standing(session, decision.workflow_id) or case
    if decision.state == DecisionState.REFUSED:
        raise DecisionRefused(detail=decision_id, params={"reason": decision.refusal or "internal"})
    applied = decision.state == DecisionState.APPLIED
    body = DecidedAnswer(
        decision_id=decision.id,
        state=decision.state,
        case_token=decision.case_token,
        task_id=decision.task_id,
        stage=stands.stage if stands is not None else None,
        outcome=stands.outcome if stands is not None else None,
    )
    return _stored(body, applied=applied, location=location)


def _applied(sent: Kept, result: DecideResult, *, location: str) -> Stored:
    body = DecidedAnswer(
        decision_id=sent.decision_id,
        state=DecisionState.APPLIED,
        case_token=sent.case_token,
        task_id=sent.task_id,
        stage=result.stage,
        outcome=result.outcome,
    )
    return _stored(body, applied=True, location=location)


def _stored(body: DecidedAnswer, *, applied: bool, location: str) -> Stored:
    return Stored(
        status=HTTPStatus.CREATED if applied else HTTPStatus.ACCEPTED,
        body=body.model_dump(mode="json"),
        headers={"Location": location},
    )


def is_settled(deps: ApiDeps, decision_id: str) -> bool:
    """Whether the workflow's word on a decision is known; blocking."""
    with deps.database.read() as session:
        decision = session.get(Decision, decision_id)
    return decision is not None and decision.state != DecisionState.PENDING


def _load(deps: ApiDeps, decision_id: str) -> Kept:
    with deps.database.read() as session:
        return kept_decision(session, decision_id)


def _refuse(deps: ApiDeps, decision_id: str, slot: KeySlot, reason: str) -> None:
    with deps.database.read() as session:
        decision = session.get_one(Decision, decision_id)
    record_refusal(
        deps.database,
        tenant=decision.tenant,
        target=decision.case_token or decision.workflow_id,
        decision_id=decision_id,
        reason=reason,
        now=deps.clock(),
    )
    with bookkeeping(deps.database) as session:
        store_answer(session, slot, status=DecisionRefused.status, body=None, headers=None)
