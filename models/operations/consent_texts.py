"""Writes about texts (告知与同意文本): drafted and changed by makers, submitted, then published by another person.

A published version is a row of its own in an append-only table. Four-eyes holds in three layers: the API asks before,
the compare-and-set asks who made it, and `four_eyes` is unique over subject and person.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from models.domain.consent_texts import TextContent, TextKind, TextState
from models.domain.product import TermsKind
from models.domain.tokens import new_token
from models.errors import Conflict, FourEyesViolation, NotFound, ShownChanged, StaleVersion, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_makers
from models.tables.consent_register import TextDraft, TextVersion
from models.tables.tenants import Product

# Kinds whose definition the rules read from the records of the institution.
_PRODUCT_KINDS = {TextKind.PRIVACY_NOTICE: TermsKind.NOTICE, TextKind.DATA_SCOPE: TermsKind.DATA_SCOPE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Validity:
    """For which time a text is meant; None: from its publication on, until the next version."""

    valid_from: datetime | None
    valid_until: datetime | None


def draft_text(
    session: Session, content: TextContent, validity: Validity, *, draft_id: str, by: By, now: datetime
) -> None:
    """Write a new draft."""
    session.add(
        TextDraft(
            id=draft_id,
            tenant=by.tenant,
            kind=content.kind,
            version=content.version,
            zh=content.zh,
            en=content.en,
            definition=_kept(content),
            material=content.material,
            valid_from=validity.valid_from,
            valid_until=validity.valid_until,
            state=TextState.DRAFT,
            made_by=[by.person_id],
            drafted_by=by.staff_id,
            created_at=now,
            updated_at=now,
        )
    )
    session.flush()


def change_draft(
    session: Session,
    content: TextContent,
    validity: Validity,
    *,
    draft_id: str,
    read_revision: int,
    by: By,
    now: datetime,
) -> None:
    """Put other words into a draft; whoever does so is one of its makers.

    Raises:
        NotFound, WrongState, StaleVersion: why not; nothing is changed.
    """
    draft = _draft_in(session, draft_id, tenant=by.tenant, state=TextState.DRAFT, read_revision=read_revision)
    _move(
        session,
        draft,
        kind=content.kind,
        version=content.version,
        zh=content.zh,
        en=content.en,
        definition=_kept(content),
        material=content.material,
        valid_from=validity.valid_from,
        valid_until=validity.valid_until,
        made_by=sorted({*draft.made_by, by.person_id}),
        updated_at=now,
    )


def submit_draft(
    session: Session, *, draft_id: str, read_revision: int, shown_hash: str, by: By, now: datetime
) -> None:
    """Freeze a draft for the second person, who is bound to what was shown.

    Raises:
        NotFound, WrongState, StaleVersion: why not; nothing is changed.
    """
    draft = _draft_in(session, draft_id, tenant=by.tenant, state=TextState.DRAFT, read_revision=read_revision)
    makers = sorted({*draft.made_by, by.person_id})
    _move(
        session,
        draft,
        state=TextState.SUBMITTED,
        shown_hash=shown_hash,
        made_by=makers,
        return_reason=None,
        updated_at=now,
    )
    stand_as_makers(session, tenant=by.tenant, subject=shown_hash, persons=tuple(makers), now=now)


def return_draft(session: Session, *, draft_id: str, shown_hash: str, reason_code: str, by: By, now: datetime) -> None:
    """Give a submitted draft back to its makers.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why not; nothing is changed.
    """
    _decide(session, draft_id, shown_hash=shown_hash, by=by, to=TextState.DRAFT, reason_code=reason_code, now=now)


def publish_draft(session: Session, *, draft_id: str, shown_hash: str, by: By, now: datetime) -> TextVersion:
    """Publish a submitted draft as the second person. It holds from its day on, at the earliest from now.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why not; nothing is changed.
        Conflict: the kind has this version, or another one from the same moment on.
    """
    draft = _decide(session, draft_id, shown_hash=shown_hash, by=by, to=TextState.PUBLISHED, reason_code=None, now=now)
    return publish(
        session,
        content_of(draft),
        Validity(valid_from=draft.valid_from, valid_until=draft.valid_until),
        tenant=draft.tenant,
        drafted_by=draft.drafted_by,
        published_by=by.staff_id,
        now=now,
    )


def publish(
    session: Session,
    content: TextContent,
    validity: Validity,
    *,
    tenant: str,
    drafted_by: str,
    published_by: str,
    now: datetime,
    product_kept: bool = False,
) -> TextVersion:
    """Write a version that holds. `product_kept`: what the rules read of it is on record already.

    Raises:
        Conflict: as `publish_draft`.
    """
    version = TextVersion(
        id=new_token("txv"),
        tenant=tenant,
        kind=content.kind,
        version=content.version,
        zh=content.zh,
        en=content.en,
        definition=_kept(content),
        material=content.material,
        content_hash=content.digest(),
        valid_from=max(validity.valid_from or now, now),
        valid_until=validity.valid_until,
        drafted_by=drafted_by,
        published_by=published_by,
        published_at=now,
    )
    session.add(version)
    kind = _PRODUCT_KINDS.get(TextKind(content.kind))
    if kind is not None and not product_kept:
        session.add(
            Product(
                id=new_token("prd"),
                tenant=tenant,
                kind=kind.value,
                version=content.version,
                definition=_kept(content) or {},
                created_by=published_by,
                created_at=now,
            )
        )
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail="text version") from None
    return version


def content_of(text: TextDraft | TextVersion) -> TextContent:
    """What a draft or a version says."""
    return TextContent(
        kind=text.kind,
        version=text.version,
        zh=text.zh,
        en=text.en,
        definition=text.definition,
        material=text.material,
    )


def hash_of_text(session: Session, *, tenant: str, kind: str, version: str) -> str | None:
    """The hash of a published version; None for one that the register does not know."""
    return session.scalar(
        select(col(TextVersion.content_hash)).where(
            col(TextVersion.tenant) == tenant, col(TextVersion.kind) == kind, col(TextVersion.version) == version
        )
    )


def _kept(content: TextContent) -> dict[str, object] | None:
    return dict(content.definition) if content.definition is not None else None


def _decide(
    session: Session,
    draft_id: str,
    *,
    shown_hash: str,
    by: By,
    to: TextState,
    reason_code: str | None,
    now: datetime,
) -> TextDraft:
    decided = session.execute(
        update(TextDraft)
        .where(
            col(TextDraft.id) == draft_id,
            col(TextDraft.tenant) == by.tenant,
            col(TextDraft.state) == TextState.SUBMITTED,
            col(TextDraft.shown_hash) == shown_hash,
            ~is_maker(shown_hash=col(TextDraft.shown_hash), person_id=by.person_id),
        )
        .values(
            state=to,
            decided_by=by.staff_id,
            return_reason=reason_code,
            revision=col(TextDraft.revision) + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    draft = session.get(TextDraft, draft_id, populate_existing=True)
    if draft is None or draft.tenant != by.tenant:
        raise NotFound
    if not decided.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise _why_not_decided(draft, shown_hash=shown_hash)
    stand_as_checker(session, tenant=by.tenant, subject=shown_hash, person_id=by.person_id, record_id=draft_id, now=now)
    return draft


def _why_not_decided(draft: TextDraft, *, shown_hash: str) -> Exception:
    if draft.state != TextState.SUBMITTED:
        return WrongState(params={"state": draft.state})
    if draft.shown_hash != shown_hash:
        return ShownChanged()
    return FourEyesViolation()


def _draft_in(session: Session, draft_id: str, *, tenant: str, state: TextState, read_revision: int) -> TextDraft:
    draft = session.get(TextDraft, draft_id, populate_existing=True)
    if draft is None or draft.tenant != tenant:
        raise NotFound
    if draft.state != state:
        raise WrongState(params={"state": draft.state})
    if draft.revision != read_revision:
        raise StaleVersion(params={"currentVersion": draft.revision})
    return draft


def _move(session: Session, draft: TextDraft, **values: object) -> None:
    """Change a draft in the revision that was read.

    Raises:
        StaleVersion: somebody else was first.
    """
    moved = session.execute(
        update(TextDraft)
        .where(col(TextDraft.id) == draft.id, col(TextDraft.revision) == draft.revision)
        .values(revision=draft.revision + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise StaleVersion
