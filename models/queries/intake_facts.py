"""The facts that the gates of intake (受理) ask for: notice, ground, data, consents, and who the holder is.

Which notice was given is read from the record; what it says, from the version that the record names. Where none was
given, everything that hangs on it is left out, which shuts the gate.
"""

from typing import Final

from sqlmodel import Session, col, select

from models.domain.application import PRINTED, TOLD, ConsentPurpose, ContactPointKind, HardshipCode
from models.domain.data_scope import DataKind
from models.domain.privacy_notice import PrivacyNotice
from models.domain.rule_words import LegalBasis, SensitiveData
from models.queries import cases, parties
from models.queries.core import latest_balance
from models.queries.products import data_scope_of, notice_named, product_of
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.parties import Consent, Subject

# Asked for besides, where the notice rests on consent.
_CONSENTS_OF_BASIS: Final = (ConsentPurpose.PERSONAL_DATA.value, ConsentPurpose.SENSITIVE_DATA.value)
_POINTS: Final = {ContactPointKind.MOBILE.value: DataKind.MOBILE, ContactPointKind.EMAIL.value: DataKind.EMAIL}


def intake_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    """The facts about notice, ground, scope and consents."""
    given = cases.latest_consent(session, subject_id=case.subject_id, purpose=ConsentPurpose.PRIVACY_NOTICE)
    notice, subject = None, session.get_one(Subject, case.subject_id)
    facts: dict[str, object] = {
        "sensitive_data": _sensitive(subject, case),
        "data_held": _held(session, case, subject),
        "data_needed": data_scope_of(session, case.tenant).allowed_for(case.hardship_code),
    }
    if given is not None and given.withdrawn_at is None:  # one that was entered by mistake is taken back like a consent
        notice = notice_named(session, case.tenant, version=given.text_version)
        facts |= _notice_facts(session, case, given, notice)
    return facts | _consent_facts(session, case, notice)


def due_diligence_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    """What the card core last said of the holder."""
    balance = latest_balance(session, case_token=case.token)
    said = balance.due_diligence if balance is not None else None
    return {"due_diligence": said} if said is not None else {}


def _notice_facts(
    session: Session, case: InstallmentCase, given: Consent, notice: PrivacyNotice | None
) -> dict[str, object]:
    """A version that nobody knows says nothing."""
    basis = notice.basis if notice is not None else ""
    return {
        "notice_form": given.form,
        "notice_items": notice.items_said if notice is not None else (),
        "sensitive_data_noticed": notice.sensitive_data if notice is not None else (),
        "processing_basis": basis,
        # For a contract the customer's application is what it rests on, and that is the case itself.
        "basis_on_record": basis == LegalBasis.CONTRACT
        or (basis == LegalBasis.CONSENT and _stands(session, case, ConsentPurpose.PERSONAL_DATA, given.text_version)),
        "separate_consent": _stands(session, case, ConsentPurpose.SENSITIVE_DATA, given.text_version),
    }


def _stands(session: Session, case: InstallmentCase, purpose: ConsentPurpose, text_version: str) -> bool:
    """Whether a consent to this version was given and not taken back (个人信息保护法 Arts. 14, 15)."""
    consent = cases.latest_consent(session, subject_id=case.subject_id, purpose=purpose)
    return consent is not None and consent.withdrawn_at is None and consent.text_version == text_version


def _consent_facts(session: Session, case: InstallmentCase, notice: PrivacyNotice | None) -> dict[str, object]:
    """What was asked for since the application; what was asked for another case is that case's matter."""
    asked = session.exec(
        select(Consent.purpose).where(
            col(Consent.subject_id) == case.subject_id,
            col(Consent.given_at) >= case.created_at,
            col(Consent.purpose).not_in(TOLD),
        )
    ).all()
    by_consent = notice is not None and notice.basis == LegalBasis.CONSENT
    needed = (*product_of(session, case.tenant).consents_needed, *(_CONSENTS_OF_BASIS if by_consent else ()))
    return {"consents_asked": tuple(asked), "consents_needed": needed}


def _sensitive(subject: Subject, case: InstallmentCase) -> tuple[str, ...]:
    kinds = []
    if subject.card_cell is not None:
        kinds.append(SensitiveData.FINANCIAL_ACCOUNT.value)
    if case.hardship_code == HardshipCode.ILLNESS:
        kinds.append(SensitiveData.MEDICAL.value)
    return tuple(kinds)


def _held(session: Session, case: InstallmentCase, subject: Subject) -> tuple[str, ...]:
    """Kinds of data on record, and of documents that were brought in; what the bank printed itself is none of them."""
    held = [DataKind.IDENTITY, DataKind.FINANCES]
    held += [_POINTS[point.kind] for point in parties.contact_points(session, subject.id)]
    present = {
        DataKind.ADDRESS: subject.address_cell,
        DataKind.EMPLOYER: subject.employer_cell,
        DataKind.CARD: subject.card_cell,
        DataKind.HARDSHIP_NOTE: case.hardship_note_cell,
        DataKind.CREDIT_REPORT: cases.latest_report(session, case_token=case.token),
    }
    held += [kind for kind, value in present.items() if value is not None]
    documents = session.exec(select(CaseDocument.kind).where(col(CaseDocument.case_token) == case.token)).all()
    return (*(kind.value for kind in held), *(kind for kind in documents if kind not in PRINTED))
