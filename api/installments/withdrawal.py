"""The withdrawal of a case (撤回申请) by staff or by the customer: a decision on the case itself, never on a task."""

from dataclasses import dataclass
from typing import Any, Final

from litestar import Response
from litestar.openapi.datastructures import ResponseSpec

from api.deps import ApiDeps
from api.idempotency import fingerprint, once
from api.in_thread import in_thread
from api.installments.bodies import WithdrawalBody
from api.tasks.deciding import DecidedAnswer, decided_answer, is_settled, send_and_answer
from api.traceparent import current_traceparent
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.forms import REASON_CODES
from models.domain.ids import installment_workflow_id
from models.domain.states import Outcome
from models.domain.tokens import uuid7
from models.errors import FieldFault, FormInvalid
from models.operations.decisions import NewDecision, prepare_withdrawal
from models.operations.idempotency import KeySlot, open_key
from models.tables.installments import InstallmentCase

ANSWERS: Final = {202: ResponseSpec(data_container=DecidedAnswer, description="Not answered yet; it goes on by itself")}


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Withdrawal:
    """Who withdraws which case, and why.

    Attributes:
        note: free text; sealed before it is kept.
        actor: staff id, or link id.
        staff_id, person_id: None for the customer.
        expected_version: what the caller has read, if they said so.
        location: where the caller sees what became of it.
    """

    case: InstallmentCase
    reason_code: str
    note: str | None
    actor: str
    staff_id: str | None
    person_id: str | None
    expected_version: int | None
    slot: KeySlot
    location: str


def check_reason(reason_code: str) -> None:
    """Refuse a reason that no withdrawal has.

    Raises:
        FormInvalid: naming those there are.
    """
    allowed = REASON_CODES[Outcome.WITHDRAW]
    if reason_code not in allowed:
        fault = FieldFault(pointer="/reasonCode", code="not-one-of", params={"allowed": ", ".join(allowed)})
        raise FormInvalid(faults=(fault,))


async def withdraw(deps: ApiDeps, withdrawal: Withdrawal, body: WithdrawalBody) -> Response[Any]:
    """Decide, commit, tell the workflow, answer.

    Raises:
        StaleVersion, DecisionPending, WrongState: the case cannot be withdrawn.
        DecisionRefused: the workflow said no.
    """
    slot = withdrawal.slot
    digest = await in_thread(fingerprint, deps, slot, body)
    return await once(
        deps,
        slot,
        fingerprint=digest,
        act=lambda: _take(deps, withdrawal, digest),
        finish=lambda decision_id: send_and_answer(deps, decision_id, slot=slot, location=withdrawal.location),
        rebuild=lambda decision_id: decided_answer(deps, decision_id, location=withdrawal.location),
        settled=lambda decision_id: is_settled(deps, decision_id),
    )


def _take(deps: ApiDeps, withdrawal: Withdrawal, digest: str) -> str:
    case, now = withdrawal.case, deps.clock()
    decision_id = uuid7(now)
    note = None
    if withdrawal.note is not None:
        address = CellAddress(case.tenant, "decisions", "note_cell", decision_id, case.subject_id)
        note = deps.vault.seal(address, withdrawal.note)
    decision = NewDecision(
        id=decision_id,
        tenant=case.tenant,
        workflow_id=installment_workflow_id(case.token),
        case_token=case.token,
        outcome=Outcome.WITHDRAW,
        reason_code=withdrawal.reason_code,
        note_cell=note,
        staff_id=withdrawal.staff_id,
        person_id=withdrawal.person_id,
        traceparent=current_traceparent(),
    )
    deed = Deed(
        tenant=case.tenant,
        action="case.withdrawal-decided",
        target=case.token,
        actor=withdrawal.actor,
        at=now,
        facts={"decision": decision_id, "reason": withdrawal.reason_code, "hasNote": note is not None},
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, withdrawal.slot, fingerprint=digest, resource_id=decision_id, now=now)
        prepare_withdrawal(unit.session, decision, expected_version=withdrawal.expected_version, now=now)
    return decision_id
