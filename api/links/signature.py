"""The customer's signature (电子签约): code, decision, signature and mandate in one transaction, then the workflow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from litestar import Response

from api.deps import ApiDeps
from api.idempotency import fingerprint, once
from api.in_thread import in_thread
from api.links.bodies import MandateBody, SignatureBody
from api.links.signing import Signing, link_still_stands, signing_of_link
from api.tasks.deciding import decided_answer, is_settled, send_and_answer
from api.traceparent import current_traceparent
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit, unit_of_work
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.one_time_codes import prove_code
from models.domain.mandates import PROFILE, mandate_terms
from models.domain.servicing.stored import rows_from_json
from models.domain.shanghai import shanghai_date
from models.domain.states import Outcome
from models.domain.tokens import new_token, uuid7
from models.errors import CaseworkError, ShownChanged, StaleVersion
from models.operations.decisions import NewDecision, prepare_task_decision
from models.operations.idempotency import KeySlot, KeyTaken, find_key, open_key
from models.operations.one_time_codes import use_code
from models.operations.signing import Read, both_read, revoke_mandates
from models.tables.agreements import Mandate, Signature
from models.tables.parties import CustomerLink, Subject
from models.tables.tasks import Task

_LOCATION: Final = "signing"  # relative, since answers are stored and tokens are not
_TRIES: Final = 5  # somebody of the bank may claim or release the task while the customer signs


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class _Proven:
    """A signature that nothing stands against: what was read, and the code that was right."""

    about: Signing
    task: Task
    read: Read
    code_id: str
    mandate: Mandate | None


async def sign(deps: ApiDeps, link: CustomerLink, body: SignatureBody, *, key: str) -> Response[Any]:
    """Sign once, tell the workflow, answer.

    Raises:
        CodeRefused: the code is wrong, used, late, or was sent for something else.
        NotRead: a document is not confirmed.
        ShownChanged: what was signed is not what the task shows.
        DecisionPending, WrongState, BlockedByRule: there is nothing to be signed now.
        DecisionRefused: the workflow said no.
    """
    slot = KeySlot(tenant=link.tenant, principal=link.id, route="links.sign", key=key)
    digest = await in_thread(fingerprint, deps, slot, body)
    return await once(
        deps,
        slot,
        fingerprint=digest,
        act=lambda: _take(deps, link, body, slot=slot, digest=digest),
        finish=lambda decision_id: send_and_answer(deps, decision_id, slot=slot, location=_LOCATION),
        rebuild=lambda decision_id: decided_answer(deps, decision_id, location=_LOCATION),
        settled=lambda decision_id: is_settled(deps, decision_id),
    )


def _take(deps: ApiDeps, link: CustomerLink, body: SignatureBody, *, slot: KeySlot, digest: str) -> str:
    try:
        proven = _prove(deps, link, body)
        for left in reversed(range(_TRIES)):
            try:
                return _commit(deps, proven, slot=slot, digest=digest)
            except StaleVersion:
                if not left:
                    raise
                proven = _read_again(deps, proven, body)
    except CaseworkError:
        # The same request, sent twice at once: the first has spent the code, and the second gets the first's answer.
        with deps.database.read() as session:
            if find_key(session, slot) is not None:
                raise KeyTaken from None
        raise
    raise AssertionError("the last try returns or raises")


def _prove(deps: ApiDeps, link: CustomerLink, body: SignatureBody) -> _Proven:
    about = signing_of_link(deps, link)
    task = _shown(about, body)
    read = both_read(about.text, about.readings)
    now = deps.clock()
    code_id = prove_code(deps.database, deps.vault, about.confirming(task), body.code, now=now)
    mandate = _mandate(deps, about, body.mandate, now=now) if body.mandate is not None else None
    return _Proven(about=about, task=task, read=read, code_id=code_id, mandate=mandate)


def _shown(about: Signing, body: SignatureBody) -> Task:
    task = about.open_task()
    if body.shown_hash != task.shown_hash:
        raise ShownChanged
    return task


def _read_again(deps: ApiDeps, proven: _Proven, body: SignatureBody) -> _Proven:
    about = signing_of_link(deps, proven.about.link)
    return _Proven(
        about=about, task=_shown(about, body), read=proven.read, code_id=proven.code_id, mandate=proven.mandate
    )


def _commit(deps: ApiDeps, proven: _Proven, *, slot: KeySlot, digest: str) -> str:
    about, now = proven.about, deps.clock()
    decision = NewDecision(
        id=uuid7(now),
        tenant=about.case.tenant,
        workflow_id=proven.task.workflow_id,
        case_token=about.case.token,
        outcome=Outcome.SIGN,
        shown_hash=proven.task.shown_hash,
        traceparent=current_traceparent(),
    )
    with unit_of_work(deps.database, _deed(proven, decision, now=now)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=decision.id, now=now)
        link_still_stands(unit.session, about.link, now=now)
        use_code(unit.session, proven.code_id, bound_to=proven.task.shown_hash, now=now)
        prepare_task_decision(
            unit.session, decision, task_id=proven.task.id, expected_version=proven.task.version, now=now
        )
        _keep(unit, proven, decision, now=now)
    return decision.id


def _keep(unit: Unit, proven: _Proven, decision: NewDecision, *, now: datetime) -> None:
    about = proven.about
    unit.session.add(
        Signature(
            id=new_token("sig"),
            tenant=about.case.tenant,
            case_token=about.case.token,
            subject_id=about.case.subject_id,
            method="electronic",
            plan_hash=about.text.plan_hash,
            text_id=about.text.id,
            reading_seconds=proven.read.seconds,
            cost_confirmed_at=proven.read.cost_confirmed_at,
            code_id=proven.code_id,
            decision_id=decision.id,
            signed_at=now,
        )
    )
    revoke_mandates(unit.session, case_token=about.case.token, now=now)
    if proven.mandate is not None:
        unit.session.add(Mandate(**proven.mandate.model_dump()))  # a row of its own for each try


def _deed(proven: _Proven, decision: NewDecision, *, now: datetime) -> Deed:
    about, mandate = proven.about, proven.mandate
    facts: dict[str, Any] = {
        "task": proven.task.id,
        "decision": decision.id,
        "shown": proven.task.shown_hash,
        "plan": about.text.plan_hash,
        "text": about.text.id,
        "code": proven.code_id,
        "readingSeconds": proven.read.seconds,
        "costConfirmedAt": proven.read.cost_confirmed_at.isoformat(),
        "mandate": mandate.id if mandate is not None else None,
    }
    if mandate is not None:
        facts |= {"limitMinor": mandate.limit_minor, "validTo": mandate.valid_to.isoformat()}
    return Deed(
        tenant=about.case.tenant,
        action="agreement.signed",
        target=about.case.token,
        actor=about.link.id,
        at=now,
        facts=facts,
    )


def _mandate(deps: ApiDeps, about: Signing, body: MandateBody, *, now: datetime) -> Mandate:
    """The mandate's row, its cells sealed: the holder is the customer, as they are on record."""
    case, mandate_id = about.case, new_token("mdt")
    with deps.database.read() as session:
        subject = session.get_one(Subject, case.subject_id)
    name = CellAddress(subject.tenant, "subjects", "name_cell", subject.id, subject.id)
    row = RowAddress(tenant=case.tenant, table="mandates", row=mandate_id, subject=case.subject_id)
    values: dict[str, bytes | str] = {
        "account_cell": body.account,
        "holder_cell": deps.vault.open_text(name, subject.name_cell),
    }
    cells = deps.vault.seal_many(row, values)
    terms = mandate_terms(rows_from_json(about.offer.rows))
    return Mandate(
        id=mandate_id,
        tenant=case.tenant,
        subject_id=case.subject_id,
        case_token=case.token,
        account_cell=cells["account_cell"],
        holder_cell=cells["holder_cell"],
        bank_code=body.bank_code,
        profile=PROFILE,
        purpose=terms.purpose,
        limit_minor=terms.limit_minor,
        signed_on=shanghai_date(now),
        valid_to=terms.valid_to,
        created_at=now,
    )
