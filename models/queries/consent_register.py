"""Reads of the consent and notice register (同意与告知台账): texts by version, who was given which, what is old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, true, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.domain.viewer import ANY_BRANCH
from models.tables.consent_register import ConsentWithdrawal, TextDraft, TextVersion
from models.tables.installments import InstallmentCase
from models.tables.parties import Consent

Position = tuple[datetime, str]
"""Where a page goes on: the time and the key of the last row seen."""


class Standing(StrEnum):
    """How a consent stands."""

    STANDS = "stands"
    OUTDATED = "outdated"  # to a version before the last material change: the person must be asked again
    REPLACED = "replaced"  # by a newer one of the same person and purpose
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterFilter:
    """What the register is narrowed to."""

    purpose: str
    text_version: str | None = None
    standing: Standing | None = None


# Texts ----------------------------------------------------------------------------------------------------------------


def draft_by_id(session: Session, draft_id: str, *, tenant: str) -> TextDraft | None:
    """A draft of the tenant."""
    draft = session.get(TextDraft, draft_id)
    return draft if draft is not None and draft.tenant == tenant else None


def list_drafts(
    session: Session, *, tenant: str, kind: str | None, state: str | None, after: Position | None, limit: int
) -> list[TextDraft]:
    """Drafts, newest first; at most `limit`."""
    query = select(TextDraft).where(col(TextDraft.tenant) == tenant)
    if kind is not None:
        query = query.where(col(TextDraft.kind) == kind)
    if state is not None:
        query = query.where(col(TextDraft.state) == state)
    if after is not None:
        query = query.where(tuple_(col(TextDraft.created_at), col(TextDraft.id)) < tuple_(*after))
    ordered = query.order_by(col(TextDraft.created_at).desc(), col(TextDraft.id).desc())
    return list(session.exec(ordered.limit(limit)).all())


def version_named(session: Session, *, tenant: str, kind: str, version: str) -> TextVersion | None:
    """A published text."""
    return session.exec(
        select(TextVersion).where(
            col(TextVersion.tenant) == tenant, col(TextVersion.kind) == kind, col(TextVersion.version) == version
        )
    ).one_or_none()


def versions_of(session: Session, *, tenant: str, kind: str) -> list[TextVersion]:
    """Every published version of a kind, in the order in which they begin to hold."""
    return list(
        session.exec(
            select(TextVersion)
            .where(col(TextVersion.tenant) == tenant, col(TextVersion.kind) == kind)
            .order_by(col(TextVersion.valid_from))
        ).all()
    )


def current_version(session: Session, *, tenant: str, kind: str, now: datetime) -> TextVersion | None:
    """The version that holds now; None where none was published, or the last one has run out."""
    begun = session.exec(
        select(TextVersion)
        .where(col(TextVersion.tenant) == tenant, col(TextVersion.kind) == kind, col(TextVersion.valid_from) <= now)
        .order_by(col(TextVersion.valid_from).desc())
        .limit(1)
    ).first()
    if begun is None or (begun.valid_until is not None and begun.valid_until <= now):
        return None
    return begun


def ends_at(version: TextVersion, others: Sequence[TextVersion]) -> datetime | None:
    """When a version stops holding: at its own end, or when the next one begins."""
    ends = [other.valid_from for other in others if other.valid_from > version.valid_from]
    if version.valid_until is not None:
        ends.append(version.valid_until)
    return min(ends, default=None)


def is_known_text(session: Session, *, tenant: str, kind: str, version: str, now: datetime) -> bool:
    """Whether somebody may have been given this version: it has begun to hold, or the kind has no text at all yet."""
    named = version_named(session, tenant=tenant, kind=kind, version=version)
    if named is not None:
        return named.valid_from <= now
    published = select(TextVersion.id).where(col(TextVersion.tenant) == tenant, col(TextVersion.kind) == kind)
    return session.exec(published.limit(1)).first() is None


def last_material(session: Session, *, tenant: str, kind: str, now: datetime) -> TextVersion | None:
    """The newest version in force that changed something of weight; consents to earlier ones are outdated."""
    return session.exec(
        select(TextVersion)
        .where(
            col(TextVersion.tenant) == tenant,
            col(TextVersion.kind) == kind,
            col(TextVersion.material).is_(True),
            col(TextVersion.valid_from) <= now,
        )
        .order_by(col(TextVersion.valid_from).desc())
        .limit(1)
    ).first()


def up_to_date(session: Session, *, tenant: str, kind: str, now: datetime) -> frozenset[str] | None:
    """The versions to which a consent is not outdated; None: all of them, nothing of weight was ever changed."""
    material = last_material(session, tenant=tenant, kind=kind, now=now)
    if material is None:
        return None
    return frozenset(
        each.version
        for each in versions_of(session, tenant=tenant, kind=kind)
        if each.valid_from >= material.valid_from
    )


# Who was given which --------------------------------------------------------------------------------------------------


def register_of_purpose(
    session: Session,
    filter: RegisterFilter,
    *,
    tenant: str,
    branch: str,
    now: datetime,
    after: Position | None,
    limit: int,
) -> list[Consent]:
    """Entries of one purpose, newest first; of persons with a case in the branch. At most `limit`."""
    conditions = [col(Consent.tenant) == tenant, col(Consent.purpose) == filter.purpose, _in_branch(branch)]
    if filter.text_version is not None:
        conditions.append(col(Consent.text_version) == filter.text_version)
    if filter.standing is not None:
        fresh = up_to_date(session, tenant=tenant, kind=filter.purpose, now=now)
        conditions.append(_stands_as(filter.standing, fresh))
    if after is not None:
        conditions.append(tuple_(col(Consent.given_at), col(Consent.id)) < tuple_(*after))
    return list(
        session.exec(
            select(Consent)
            .where(*conditions)
            .order_by(col(Consent.given_at).desc(), col(Consent.id).desc())
            .limit(limit)
        ).all()
    )


def count_outdated(session: Session, *, tenant: str, branch: str, purpose: str, now: datetime) -> int:
    """How many persons must be asked again about a purpose."""
    fresh = up_to_date(session, tenant=tenant, kind=purpose, now=now)
    query = select(func.count()).where(
        col(Consent.tenant) == tenant,
        col(Consent.purpose) == purpose,
        _in_branch(branch),
        _stands_as(Standing.OUTDATED, fresh),
    )
    return int(session.exec(query).one())


def standings(session: Session, consents: Sequence[Consent], *, now: datetime) -> dict[str, Standing]:
    """How each of these consents stands, by id."""
    replaced = set(
        session.exec(select(Consent.id).where(col(Consent.id).in_([each.id for each in consents]), _has_newer())).all()
    )
    fresh: dict[tuple[str, str], frozenset[str] | None] = {}
    found = {}
    for each in consents:
        key = (each.tenant, each.purpose)
        if key not in fresh:
            fresh[key] = up_to_date(session, tenant=each.tenant, kind=each.purpose, now=now)
        found[each.id] = _standing(each, replaced=each.id in replaced, fresh=fresh[key])
    return found


def withdrawals_of(session: Session, consents: Sequence[Consent]) -> dict[str, ConsentWithdrawal]:
    """What is on record about the withdrawal of these consents, by consent."""
    rows = session.exec(
        select(ConsentWithdrawal).where(col(ConsentWithdrawal.consent_id).in_([each.id for each in consents]))
    ).all()
    return {row.consent_id: row for row in rows}


def _standing(consent: Consent, *, replaced: bool, fresh: frozenset[str] | None) -> Standing:
    if consent.withdrawn_at is not None:
        return Standing.WITHDRAWN
    if replaced:
        return Standing.REPLACED
    return Standing.OUTDATED if fresh is not None and consent.text_version not in fresh else Standing.STANDS


def _stands_as(standing: Standing, fresh: frozenset[str] | None) -> ColumnElement[bool]:
    withdrawn = col(Consent.withdrawn_at).is_not(None)
    if standing is Standing.WITHDRAWN:
        return withdrawn
    if standing is Standing.REPLACED:
        return and_(~withdrawn, _has_newer())
    outdated: Any = ~true() if fresh is None else col(Consent.text_version).not_in(sorted(fresh))
    wanted = outdated if standing is Standing.OUTDATED else ~outdated
    return and_(~withdrawn, ~_has_newer(), wanted)


def _has_newer() -> ColumnElement[bool]:
    """The newest consent of a person and purpose counts, also where that one was withdrawn."""
    newer = aliased(Consent)
    return exists().where(
        newer.subject_id == Consent.subject_id,  # type: ignore[arg-type]
        newer.purpose == Consent.purpose,  # type: ignore[arg-type]
        or_(
            col(newer.given_at) > col(Consent.given_at),
            and_(col(newer.given_at) == col(Consent.given_at), col(newer.id) > col(Consent.id)),
        ),
    )


def _in_branch(branch: str) -> ColumnElement[bool]:
    if branch == ANY_BRANCH:
        return true()
    return exists().where(
        col(InstallmentCase.subject_id) == col(Consent.subject_id), col(InstallmentCase.branch) == branch
    )
