"""Showing one field of a person in clear: recorded first, shown after, and not shown if it cannot be recorded."""

from dataclasses import dataclass
from typing import Final

from api.deps import ApiDeps
from api.identity.principal import Principal
from api.parties.bodies import RevealBody
from api.parties.views import newest_point
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.application import ContactPointKind, RevealField, RevealReason
from models.errors import FieldFault, FormInvalid, NotFound, SubjectLocked
from models.queries import case_file, parties
from models.queries.retention import locked
from models.tables.installments import CaseContact
from models.tables.parties import ContactPoint, Subject

_COLUMNS: Final = {
    RevealField.NAME: "name_cell",
    RevealField.ID_NUMBER: "id_cell",
    RevealField.ADDRESS: "address_cell",
    RevealField.EMPLOYER: "employer_cell",
    RevealField.CARD_NUMBER: "card_cell",
}
_POINTS: Final = {RevealField.MOBILE: ContactPointKind.MOBILE, RevealField.EMAIL: ContactPointKind.EMAIL}
# What data that may only be stored are still opened for: the person's own request, and proof.
_ALSO_LOCKED: Final = frozenset({RevealReason.DATA_SUBJECT_REQUEST, RevealReason.AUDIT})
_NOTES: Final = frozenset({RevealField.HARDSHIP_NOTE, RevealField.CONTACT_NOTE})


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class _Found:
    """Where the value lies, still sealed."""

    subject: Subject
    points: list[ContactPoint]
    cell: bytes | None
    address: CellAddress | None


def subject_for(deps: ApiDeps, principal: Principal, subject_id: str) -> tuple[Subject, list[ContactPoint]]:
    """A subject with a case in the caller's branch, with contact points; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    with deps.database.read() as session:
        subject = parties.visible_subject(session, subject_id, tenant=principal.tenant, branch=principal.branch)
        if subject is None:
            raise NotFound
        return subject, parties.contact_points(session, subject.id)


def refuse_locked(deps: ApiDeps, subject_id: str) -> None:
    """Refuse what is more than storing, once a person's data are locked; blocking.

    Raises:
        SubjectLocked: with the last day of the lock.
    """
    with deps.database.read() as session:
        lock = locked(session, subject_id)
    if lock is not None:
        raise SubjectLocked(params={"until": lock.until.isoformat(), "rule": lock.rule})


def reveal(deps: ApiDeps, principal: Principal, subject_id: str, body: RevealBody) -> tuple[str | None, str]:
    """The clear value, or None if there is none, and the id of the event that tells of it; blocking.

    Raises:
        NotFound: no such subject or record, or not the caller's to see.
        FormInvalid: a note without its record, or a record with another field.
        SubjectLocked: the data may only be stored, and the reason is no exception.
        SubjectShredded, CannotOpen: nothing can be shown; nothing is recorded either.
    """
    if (body.field in _NOTES) != (body.record is not None):
        code = "missing" if body.record is None else "unknown-field"
        raise FormInvalid(faults=(FieldFault(pointer="/record", code=code),))
    found = _find(deps, principal, subject_id, body)
    if body.reason not in _ALSO_LOCKED:
        refuse_locked(deps, found.subject.id)
    value = _open(deps, found, body.field)
    deed = Deed(
        tenant=principal.tenant,
        action="subject.revealed",
        target=subject_id,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={
            "field": body.field.value,
            "reason": body.reason.value,
            "ticket": body.ticket,
            "record": body.record,
            "found": value is not None,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        pass  # the event is all there is to write
    return value, unit.event_ids[0]


def _find(deps: ApiDeps, principal: Principal, subject_id: str, body: RevealBody) -> _Found:
    subject, points = subject_for(deps, principal, subject_id)
    if body.field in _POINTS:
        return _Found(subject=subject, points=points, cell=None, address=None)
    if body.field in _COLUMNS:
        column = _COLUMNS[body.field]
        address = CellAddress(subject.tenant, "subjects", column, subject.id, subject.id)
        return _Found(subject=subject, points=points, cell=getattr(subject, column), address=address)
    table, column, row, cell = _note(deps, principal, subject, body)
    address = CellAddress(subject.tenant, table, column, row, subject.id)
    return _Found(subject=subject, points=points, cell=cell, address=address)


def _note(
    deps: ApiDeps, principal: Principal, subject: Subject, body: RevealBody
) -> tuple[str, str, str, bytes | None]:
    with deps.database.read() as session:
        contact: CaseContact | None = None
        token = body.record or ""
        if body.field is RevealField.CONTACT_NOTE:
            contact = case_file.contact_by_id(session, token, tenant=principal.tenant)
            if contact is None:
                raise NotFound
            token = contact.case_token
        case = case_file.visible_case(session, token, tenant=principal.tenant, branch=principal.branch)
    if case is None or case.subject_id != subject.id:
        raise NotFound
    if contact is not None:
        return "case_contacts", "note_cell", contact.id, contact.note_cell
    return "installment_cases", "hardship_note_cell", case.token, case.hardship_note_cell


def _open(deps: ApiDeps, found: _Found, field: RevealField) -> str | None:
    if field in _POINTS:
        return newest_point(deps, found.subject, found.points, kind=_POINTS[field])
    if found.cell is None or found.address is None:
        return None
    return deps.vault.open_text(found.address, found.cell)
