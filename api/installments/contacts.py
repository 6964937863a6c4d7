"""The contact log (沟通记录) and the rules of contact (催收规则): asked before a contact, and about what was recorded.

The log says what happened. A contact that a rule forbids is recorded like any other, with the rule and its citation
beside it and an event that names it: a log that refuses the truth would hide the breach.
"""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from sqlmodel import Session

from api.deps import ApiDeps
from api.identity.principal import Principal
from api.installments.answers import ContactCheckAnswer
from api.installments.bodies import ContactBody, ContactCheckBody, VisitBody
from api.installments.views import verdict_answer
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.policy import ask_gate
from compliance.rules.evaluate import blocks
from compliance.vault.cells import CellAddress
from compliance.verdicts import verdict_rows
from models.domain.application import ContactDirection
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.errors import Conflict, FieldFault, FormInvalid, NotFound
from models.operations.cases import NewContact, add_contact, file_recording
from models.operations.idempotency import KeySlot, open_key
from models.queries import case_file
from models.queries.contact_facts import PlannedContact, Visit, contact_facts
from models.tables.installments import CaseContact, InstallmentCase, RuleVerdict


def check_contact(deps: ApiDeps, case: InstallmentCase, body: ContactCheckBody, *, locale: str) -> ContactCheckAnswer:
    """What the rules say of a contact that is about to be made; blocking."""
    now = deps.clock()
    planned = PlannedContact(
        at=body.at or now,
        channel=body.channel,
        purpose=body.purpose,
        role=body.role,
        script=body.script,
        recorded=body.will_be_recorded,
        letter_fields=_fields(body.letter_fields),
        third_party=body.third_party,
        source=body.source,
        visit=_visit(body.visit),
        agency=body.agency,
    )
    with deps.database.read() as session:
        verdicts = _ask(session, case, planned, key="", now=now)
    return ContactCheckAnswer(
        allowed=not any(_stands(verdict) for verdict in verdicts),
        verdicts=[verdict_answer(verdict, locale=locale) for verdict in verdicts],
    )


def log_talk(
    deps: ApiDeps, case: InstallmentCase, body: ContactBody, *, actor: str, slot: KeySlot, fingerprint: str
) -> str:
    """Write an entry of the contact log; blocking. Returns its id.

    Raises:
        FormInvalid: the talk would be held in the future.
        KeyTaken: another request under this key was first.
    """
    now, contact_id, note = deps.clock(), new_token("con"), None
    at = body.at or now
    if at > now:
        fault = FieldFault(pointer="/at", code="date-future", params={"max": now.date().isoformat()})
        raise FormInvalid(faults=(fault,))
    if body.note is not None:
        address = CellAddress(case.tenant, "case_contacts", "note_cell", contact_id, case.subject_id)
        note = deps.vault.seal(address, body.note)
    contact = NewContact(
        id=contact_id,
        tenant=case.tenant,
        case_token=case.token,
        channel=body.channel,
        direction=body.direction,
        result=body.result_code,
        note_cell=note,
        by_staff=actor,
        at=at,
        purpose=body.purpose,
        role=body.role,
        recording_ref=body.recording_ref,
    )
    deed = _deed(contact, now=now)
    deed.facts |= {"agency": body.agency, "source": body.source, "thirdParty": body.third_party}
    planned = _made(body, at=at)
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session, slot, fingerprint=fingerprint, resource_id=contact_id, now=now, status=HTTPStatus.CREATED
        )
        verdicts = _ask(unit.session, case, planned, key=_key(contact_id), now=now) if planned is not None else []
        unit.session.add_all(verdicts)
        if planned is not None:
            deed.facts["against"] = sorted(verdict.rule_id for verdict in verdicts if _stands(verdict))
        add_contact(unit.session, contact)
    return contact_id


def put_recording(deps: ApiDeps, principal: Principal, case: InstallmentCase, *, contact_id: str, ref: str) -> None:
    """Name the recording of a contact that was logged before it was filed; blocking, and repeatable.

    Raises:
        NotFound: the case has no such contact.
        Conflict: another recording is named already.
    """
    now = deps.clock()
    deed = Deed(
        tenant=case.tenant,
        action="contact.recording-filed",
        target=case.token,
        actor=principal.staff_id,
        at=now,
        facts={"contact": contact_id},
    )
    with unit_of_work(deps.database, deed) as unit:
        contact = unit.session.get(CaseContact, contact_id)
        if contact is None or contact.case_token != case.token:
            raise NotFound
        if contact.recording_ref == ref:
            raise Unchanged
        if not file_recording(unit.session, contact_id, case_token=case.token, recording_ref=ref):
            raise Conflict(detail=contact_id)


def findings(session: Session, contact_ids: Sequence[str]) -> dict[str, list[RuleVerdict]]:
    """By contact, the verdicts that stand against it."""
    keys = {_key(contact_id): contact_id for contact_id in contact_ids}
    found: dict[str, list[RuleVerdict]] = {}
    for verdict in case_file.verdicts_under(session, keys):
        if _stands(verdict):
            found.setdefault(keys[verdict.gate_key], []).append(verdict)
    return found


def _key(contact_id: str) -> str:
    return f"contact/{contact_id}"


def _made(body: ContactBody, *, at: datetime) -> PlannedContact | None:
    """The contact as rules see it; None if it was not we who got in touch, or not about the debt."""
    if body.purpose is None or body.direction is not ContactDirection.OUT:
        return None
    return PlannedContact(
        at=at,
        channel=body.channel,
        purpose=body.purpose,
        role=body.role,
        script=body.script,
        recorded=body.recording_ref is not None,
        letter_fields=_fields(body.letter_fields),
        words=body.note,
        third_party=body.third_party,
        source=body.source,
        visit=_visit(body.visit),
        agency=body.agency,
    )


def _visit(told: VisitBody | None) -> Visit | None:
    return Visit(staff=told.staff, id_shown=told.id_shown, entry_consent=told.entry_consent) if told else None


def _fields(named: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(named) if named is not None else None


def _ask(
    session: Session, case: InstallmentCase, planned: PlannedContact, *, key: str, now: datetime
) -> list[RuleVerdict]:
    facts = contact_facts(session, case, planned)
    verdicts = ask_gate(session, case.tenant, Gate.CONTACT, facts, as_of=shanghai_date(planned.at))
    return verdict_rows(verdicts, gate=Gate.CONTACT, case_token=case.token, key=key, now=now)


def _stands(verdict: RuleVerdict) -> bool:
    return blocks(result=verdict.result, severity=verdict.severity)


def _deed(contact: NewContact, *, now: datetime) -> Deed:
    return Deed(
        tenant=contact.tenant,
        action="contact.logged",
        target=contact.case_token,
        actor=contact.by_staff,
        at=now,
        facts={
            "contact": contact.id,
            "channel": contact.channel.value,
            "direction": contact.direction.value,
            "result": contact.result.value,
            "purpose": contact.purpose.value if contact.purpose is not None else None,
            "role": contact.role.value,
            "recorded": contact.recording_ref is not None,
            "hasNote": contact.note_cell is not None,
        },
    )
