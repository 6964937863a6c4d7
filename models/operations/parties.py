"""Changes to subjects, contact points, consents and customers' links. Values come in sealed, under committed keys."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from models.domain.application import (
    Channel,
    ConsentForm,
    ConsentPurpose,
    ContactPointKind,
    EvidenceKind,
    LinkPurpose,
)
from models.domain.consent_effects import EFFECTS
from models.domain.tokens import new_token
from models.errors import LinkExpired, NotFound
from models.operations.consent_texts import hash_of_text
from models.tables.consent_register import ConsentWithdrawal
from models.tables.parties import Consent, ContactPoint, CustomerLink, Subject


class SubjectKnown(Exception):
    """Somebody else was first with this identity document; roll back, look again and use that subject."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class NewSubject:
    """A person not on record yet. `cells` by column: `name_cell`, `id_cell` and any of the optional ones.

    While index keys change, the same document may be on record under one of `other_id_indexes`.
    """

    id: str
    tenant: str
    id_type: str
    id_index: bytes
    other_id_indexes: tuple[bytes, ...] = ()
    cells: dict[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class NewContactPoint:
    """A way to reach a subject, sealed under the subject's key; `index` for what is searched exactly."""

    id: str
    kind: ContactPointKind
    cell: bytes
    index: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewConsent:
    """What a subject agreed to (同意): purpose, form, the version of the text they were shown, and the evidence.

    Attributes:
        channel: whether staff entered it or the customer gave it through a link.
        evidence_document_id: a file of the case; then `evidence_kind` is `document`.
        evidence_ref: where a recording lies, the link, or the one-time code; never a number of a person.
    """

    id: str
    purpose: ConsentPurpose
    form: ConsentForm
    text_version: str
    channel: Channel
    evidence_document_id: str | None = None
    evidence_kind: EvidenceKind | None = None
    evidence_ref: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewLink:
    """A link to be made. `case_token` belongs to a progress link, `terms` to an application link."""

    id: str
    tenant: str
    purpose: LinkPurpose
    branch: str
    created_by: str
    expires_at: datetime
    case_token: str | None = None
    terms: dict[str, int | str] = field(default_factory=dict)


def add_subject(session: Session, subject: NewSubject, *, now: datetime) -> None:
    """Put a person on record, once per identity document and tenant.

    Raises:
        SubjectKnown: the tenant has a subject with this document; the transaction is spoilt and must be rolled back.
    """
    if subject.other_id_indexes:
        known = select(Subject.id).where(
            col(Subject.tenant) == subject.tenant, col(Subject.id_index).in_(subject.other_id_indexes)
        )
        if session.exec(known).first() is not None:
            raise SubjectKnown
    session.add(
        Subject(
            id=subject.id,
            tenant=subject.tenant,
            id_type=subject.id_type,
            id_index=subject.id_index,
            name_cell=subject.cells["name_cell"],
            id_cell=subject.cells["id_cell"],
            employer_cell=subject.cells.get("employer_cell"),
            address_cell=subject.cells.get("address_cell"),
            card_cell=subject.cells.get("card_cell"),
            created_at=now,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise SubjectKnown from None


def fill_subject(session: Session, *, subject_id: str, cells: dict[str, bytes]) -> None:
    """Add what was not known of a subject; what is known stays as it is."""
    for column, cell in cells.items():
        session.execute(
            update(Subject)
            .where(col(Subject.id) == subject_id, getattr(Subject, column).is_(None))
            .values({column: cell})
            .execution_options(synchronize_session=False)
        )


def add_contact_point(session: Session, point: NewContactPoint, *, tenant: str, subject_id: str, now: datetime) -> None:
    """Add a way to reach a subject; the newest of a kind is the one that is used."""
    session.add(
        ContactPoint(
            id=point.id,
            tenant=tenant,
            subject_id=subject_id,
            kind=point.kind,
            value_cell=point.cell,
            value_index=point.index,
            created_at=now,
        )
    )
    session.flush()


def add_consent(session: Session, consent: NewConsent, *, tenant: str, subject_id: str, now: datetime) -> None:
    """Record a consent; the newest of a purpose is the one that counts. The hash of the text is kept with it."""
    session.add(
        Consent(
            id=consent.id,
            tenant=tenant,
            subject_id=subject_id,
            purpose=consent.purpose,
            form=consent.form,
            text_version=consent.text_version,
            text_hash=hash_of_text(session, tenant=tenant, kind=consent.purpose.value, version=consent.text_version),
            channel=consent.channel.value,
            evidence_document_id=consent.evidence_document_id,
            evidence_kind=consent.evidence_kind.value if consent.evidence_kind is not None else None,
            evidence_ref=consent.evidence_ref,
            given_at=now,
        )
    )
    session.flush()


def withdraw_consent(
    session: Session, consent_id: str, *, tenant: str, subject_id: str, channel: Channel, actor: str, now: datetime
) -> bool:
    """Mark a consent withdrawn (撤回同意); it stays on record, and beside it what the withdrawal stops.

    Returns:
        False if it had been withdrawn before; then nothing is changed.

    Raises:
        NotFound: the subject has no such consent.
    """
    withdrawn = session.execute(
        update(Consent)
        .where(
            col(Consent.id) == consent_id,
            col(Consent.tenant) == tenant,
            col(Consent.subject_id) == subject_id,
            col(Consent.withdrawn_at).is_(None),
        )
        .values(withdrawn_at=now)
        .execution_options(synchronize_session=False)
    )
    consent = session.get(Consent, consent_id, populate_existing=True)
    if withdrawn.rowcount and consent is not None:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        session.add(
            ConsentWithdrawal(
                id=new_token("cwd"),
                tenant=tenant,
                consent_id=consent_id,
                subject_id=subject_id,
                channel=channel.value,
                actor=actor,
                effect=EFFECTS[ConsentPurpose(consent.purpose)].as_record(),
                withdrawn_at=now,
            )
        )
        session.flush()
        return True
    if consent is None or (consent.tenant, consent.subject_id) != (tenant, subject_id):
        raise NotFound
    return False


def create_link(session: Session, link: NewLink, *, now: datetime) -> CustomerLink:
    """Record a customer's link; its token is worked out from this row and a key, and is stored nowhere."""
    row = CustomerLink(
        id=link.id,
        tenant=link.tenant,
        purpose=link.purpose,
        case_token=link.case_token,
        branch=link.branch,
        terms=link.terms,
        created_by=link.created_by,
        created_at=now,
        expires_at=link.expires_at,
    )
    session.add(row)
    session.flush()
    return row


def use_link(session: Session, link_id: str, *, tenant: str, now: datetime) -> None:
    """Spend a link of one use.

    Raises:
        LinkExpired: it is spent already, or its time is over.
    """
    used = session.execute(
        update(CustomerLink)
        .where(
            col(CustomerLink.id) == link_id,
            col(CustomerLink.tenant) == tenant,
            col(CustomerLink.used_at).is_(None),
            col(CustomerLink.expires_at) > now,
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if not used.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise LinkExpired
