"""Changes to an installment case that are not its workflow's: its making, its contact log, its documents."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from models.domain.application import Channel, ContactChannel, ContactDirection, ContactResult, HardshipCode
from models.domain.ids import installment_workflow_id
from models.domain.rule_words import ContactPurpose, ContactRole
from models.domain.states import CaseStage, OutboxKind
from models.operations import outbox
from models.tables.installments import CaseContact, CaseDocument, InstallmentCase


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFigures:
    """What the customer owes, has and asks for; amounts in minor units, a month's where a name says so.

    Attributes:
        total_due_minor: the whole debt on the card (欠款总额).
        dependants: persons who live on the income.
    """

    total_due_minor: int
    requested_amount_minor: int
    requested_term_months: int
    monthly_income_minor: int
    essential_expense_minor: int
    other_debt_payment_minor: int
    dependants: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCase:
    """A case to be made; whose it is was decided before, and the subject's row stands.

    Attributes:
        token: the business key, from which the workflow's id follows.
        created_by: staff id, or link id.
        created_by_person: the natural person behind the staff id; None for the customer.
        traceparent: of the request, so that the workflow's spans join it.
    """

    token: str
    tenant: str
    subject_id: str
    branch: str
    channel: Channel
    figures: CaseFigures
    hardship: HardshipCode
    hardship_note_cell: bytes | None
    willing_to_repay: bool
    created_by: str
    created_by_person: str | None
    traceparent: str | None = None


def create_case(session: Session, case: NewCase, *, now: datetime) -> InstallmentCase:
    """The case row in stage intake, and the start that the relay repeats until its workflow runs."""
    figures = case.figures
    row = InstallmentCase(
        token=case.token,
        tenant=case.tenant,
        subject_id=case.subject_id,
        branch=case.branch,
        channel=case.channel,
        stage=CaseStage.INTAKE,
        total_due_minor=figures.total_due_minor,
        requested_amount_minor=figures.requested_amount_minor,
        requested_term_months=figures.requested_term_months,
        monthly_income_minor=figures.monthly_income_minor,
        essential_expense_minor=figures.essential_expense_minor,
        other_debt_payment_minor=figures.other_debt_payment_minor,
        dependants=figures.dependants,
        hardship_code=case.hardship,
        hardship_note_cell=case.hardship_note_cell,
        willing_to_repay=case.willing_to_repay,
        created_by=case.created_by,
        created_by_person=case.created_by_person,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    outbox.enqueue(
        session,
        tenant=case.tenant,
        kind=OutboxKind.START,
        business_key=case.token,
        workflow_id=installment_workflow_id(case.token),
        traceparent=case.traceparent,
        now=now,
    )
    session.flush()
    return row


@dataclass(frozen=True, kw_only=True, slots=True)
class NewContact:
    """An entry of the contact log (沟通记录); the words are sealed.

    Attributes:
        purpose: why we got in touch about the debt; None for any other talk.
        recording_ref: where the recording lies.
    """

    id: str
    tenant: str
    case_token: str
    channel: ContactChannel
    direction: ContactDirection
    result: ContactResult
    note_cell: bytes | None
    by_staff: str
    at: datetime
    purpose: ContactPurpose | None = None
    role: ContactRole = ContactRole.DEBTOR
    recording_ref: str | None = None


def add_contact(session: Session, contact: NewContact) -> None:
    """Add to the contact log; entries are never changed."""
    session.add(
        CaseContact(
            id=contact.id,
            tenant=contact.tenant,
            case_token=contact.case_token,
            channel=contact.channel,
            direction=contact.direction,
            result_code=contact.result,
            note_cell=contact.note_cell,
            by_staff=contact.by_staff,
            at=contact.at,
            purpose=contact.purpose,
            role=contact.role,
            is_collection=contact.purpose is ContactPurpose.COLLECTION,
            recording_ref=contact.recording_ref,
        )
    )
    session.flush()


def file_recording(session: Session, contact_id: str, *, case_token: str, recording_ref: str) -> bool:
    """Name the recording of a contact that was logged without one; False if it names one already."""
    filed = session.execute(
        update(CaseContact)
        .where(
            col(CaseContact.id) == contact_id,
            col(CaseContact.case_token) == case_token,
            col(CaseContact.recording_ref).is_(None),
        )
        .values(recording_ref=recording_ref)
        .execution_options(synchronize_session=False)
    )
    return bool(filed.rowcount)  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """A file that lies sealed under its final name already; `digest` is the sealed file's."""

    id: str
    tenant: str
    case_token: str
    subject_id: str
    kind: str
    media_type: str
    filename_cell: bytes | None
    size_bytes: int
    digest: str
    added_by: str


def add_document(session: Session, document: NewDocument, *, now: datetime) -> None:
    """Put a sealed file on the case's record."""
    session.add(
        CaseDocument(
            id=document.id,
            tenant=document.tenant,
            case_token=document.case_token,
            subject_id=document.subject_id,
            kind=document.kind,
            media_type=document.media_type,
            filename_cell=document.filename_cell,
            size_bytes=document.size_bytes,
            digest=document.digest,
            added_by=document.added_by,
            created_at=now,
        )
    )
    session.flush()
