"""How a person is shown: masked on the server by class of JR/T 0171. The clear value leaves through a reveal only."""

from datetime import datetime

from api.bodies import Answer
from api.deps import ApiDeps
from api.wording import worded
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.masking import MaskedSubject, mask_subject
from models.domain.application import ContactPointKind
from models.errors import SubjectShredded
from models.queries.products import masks_of
from models.tables.parties import Consent, ContactPoint, Subject


class MaskedSubjectAnswer(Answer):
    """A subject (自然人), masked.

    `hasEmployer`: an employer is on record; it is not shown, not even masked. `erased`: the keys were destroyed, and
    nothing identifying can be shown again.
    """

    id: str
    id_type: str
    id_type_text: str
    name: str | None
    id_number: str | None
    mobile: str | None
    email: str | None
    card_number: str | None
    address: str | None
    has_employer: bool
    erased: bool = False


class ConsentAnswer(Answer):
    """What a subject agreed to (同意)."""

    id: str
    purpose: str
    purpose_text: str
    form: str
    form_text: str
    text_version: str
    evidence_document_id: str | None
    given_at: datetime
    withdrawn_at: datetime | None


def masked_subject(deps: ApiDeps, subject: Subject, points: list[ContactPoint], *, locale: str) -> MaskedSubjectAnswer:
    """Open what is on record and mask it; call it outside any transaction.

    Raises:
        CannotOpen: a cell was altered or moved.
    """
    try:
        shown = _open_and_mask(deps, subject, points)
    except SubjectShredded:
        return _answer(subject, MaskedSubject(), locale=locale, erased=True)
    return _answer(subject, shown, locale=locale, erased=False)


def _open_and_mask(deps: ApiDeps, subject: Subject, points: list[ContactPoint]) -> MaskedSubject:
    sealed = {
        "name_cell": subject.name_cell,
        "id_cell": subject.id_cell,
        "card_cell": subject.card_cell,
        "address_cell": subject.address_cell,
    }
    with deps.database.read() as session:
        masks = masks_of(session, subject.tenant)
    row = RowAddress(subject.tenant, "subjects", subject.id, subject.id)
    clear = deps.vault.open_many_text(row, {column: cell for column, cell in sealed.items() if cell is not None})
    return mask_subject(
        name=clear["name_cell"],
        id_number=clear["id_cell"],
        mobile=newest_point(deps, subject, points, kind=ContactPointKind.MOBILE),
        email=newest_point(deps, subject, points, kind=ContactPointKind.EMAIL),
        card=clear.get("card_cell"),
        address=clear.get("address_cell"),
        masks=masks,
    )


def _answer(subject: Subject, shown: MaskedSubject, *, locale: str, erased: bool) -> MaskedSubjectAnswer:
    return MaskedSubjectAnswer(
        id=subject.id,
        id_type=subject.id_type,
        id_type_text=worded(f"id-type.{subject.id_type}", locale),
        name=shown.name,
        id_number=shown.id_number,
        mobile=shown.mobile,
        email=shown.email,
        card_number=shown.card,
        address=shown.address,
        has_employer=subject.employer_cell is not None,
        erased=erased,
    )


def newest_point(deps: ApiDeps, subject: Subject, points: list[ContactPoint], *, kind: ContactPointKind) -> str | None:
    """The clear value of the newest contact point of a kind, or None. `points` are the subject's, newest first."""
    point = next((each for each in points if each.kind == kind), None)
    if point is None:
        return None
    address = CellAddress(subject.tenant, "contact_points", "value_cell", point.id, subject.id)
    return deps.vault.open_text(address, point.value_cell)


def consent_answer(consent: Consent, *, locale: str) -> ConsentAnswer:
    """One consent as it is told."""
    return ConsentAnswer(
        id=consent.id,
        purpose=consent.purpose,
        purpose_text=worded(f"consent-purpose.{consent.purpose}", locale),
        form=consent.form,
        form_text=worded(f"consent-form.{consent.form}", locale),
        text_version=consent.text_version,
        evidence_document_id=consent.evidence_document_id,
        given_at=consent.given_at,
        withdrawn_at=consent.withdrawn_at,
    )
