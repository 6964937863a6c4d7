"""Reads and writes of the key store for versions of keys (`compliance.vault.renewal`). Commits as `store` does.

What a write relies on is asked again inside its transaction: two processes that do the same step at once end as one.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, exists, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from compliance.vault.purposes import Purpose
from compliance.vault.states import KeyState
from compliance.vault.store import answering, empty_log, overwrite_freed, refuse_inactive
from compliance.vault.tables import BranchKey, SubjectKey, Tombstone
from models.database.engine import Database


def branch_versions(database: Database, *, tenant: str, purpose: str) -> Sequence[BranchKey]:
    """Every version of a branch key, the newest first."""
    with answering(), database.read() as session:
        return _newest_first(session, tenant, purpose)


def subjects_after(database: Database, *, tenant: str, after: str, limit: int) -> list[str]:
    """The ids of subjects that have keys, in order, from behind `after` on."""
    statement = (
        select(SubjectKey.subject_id)
        .where(col(SubjectKey.tenant) == tenant, col(SubjectKey.subject_id) > after)
        .distinct()
        .order_by(col(SubjectKey.subject_id))
        .limit(limit)
    )
    with answering(), database.read() as session:
        return list(session.exec(statement).all())


def subject_versions(database: Database, *, tenant: str, subject_ids: Collection[str]) -> Sequence[SubjectKey]:
    """Every version of these subjects' keys, by subject, the newest first; none of who was shredded."""
    with answering(), database.read() as session:
        return _versions(session, tenant, subject_ids)


def _versions(session: Session, tenant: str, subject_ids: Collection[str]) -> Sequence[SubjectKey]:
    buried = exists().where(col(Tombstone.tenant) == tenant, col(Tombstone.subject_id) == col(SubjectKey.subject_id))
    return session.exec(
        select(SubjectKey)
        .where(col(SubjectKey.tenant) == tenant, col(SubjectKey.subject_id).in_(subject_ids), ~buried)
        .order_by(col(SubjectKey.subject_id), col(SubjectKey.version).desc())
    ).all()


def add_subject_versions(database: Database, rows: Sequence[SubjectKey]) -> int:
    """Write the next version of several subjects' keys, all under one branch key; the older ones then only open.

    A subject who got that version from another process, or was shredded meanwhile, keeps what is there.

    Returns:
        How many were written.

    Raises:
        NotActive: the branch version that wraps them seals no more.
    """
    try:
        with answering(), database.write() as session:
            return _add_versions(session, rows[0].tenant, rows) if rows else 0
    except IntegrityError:  # another process wrote the same version first: theirs is the one
        return 0


def _add_versions(session: Session, tenant: str, rows: Sequence[SubjectKey]) -> int:
    refuse_inactive(session, tenant=tenant, purpose=Purpose.SUBJECT_WRAP, version=rows[0].branch_version)
    known = _versions(session, tenant, [row.subject_id for row in rows])
    standing = {(row.subject_id, row.version) for row in known}
    new = [
        row
        for row in rows
        if (row.subject_id, row.version - 1) in standing and (row.subject_id, row.version) not in standing
    ]
    session.execute(
        update(SubjectKey)
        .where(col(SubjectKey.tenant) == tenant, col(SubjectKey.subject_id).in_([row.subject_id for row in new]))
        .values(state=KeyState.DECRYPT_ONLY)
        .execution_options(synchronize_session=False)
    )
    session.add_all(new)
    session.flush()
    return len(new)


def destroy_old_versions(database: Database, *, tenant: str, subject_ids: Collection[str]) -> int:
    """Delete every version of these subjects' keys but the one that seals; freed pages are overwritten on SQLite."""
    with answering(), database.write() as session:
        overwrite_freed(database, session)
        gone = session.execute(
            delete(SubjectKey)
            .where(
                col(SubjectKey.tenant) == tenant,
                col(SubjectKey.subject_id).in_(subject_ids),
                col(SubjectKey.state) == KeyState.DECRYPT_ONLY,
            )
            .execution_options(synchronize_session=False)
        )
    empty_log(database)
    return int(gone.rowcount)  # type: ignore[attr-defined]


def shredded(database: Database, *, tenant: str, subject_ids: Collection[str]) -> frozenset[str]:
    """Which of these subjects were shredded."""
    statement = select(Tombstone.subject_id).where(
        col(Tombstone.tenant) == tenant, col(Tombstone.subject_id).in_(subject_ids)
    )
    with answering(), database.read() as session:
        return frozenset(session.exec(statement).all())


def subject_keys_by_suite(database: Database, *, tenant: str) -> dict[int, int]:
    """How many versions of subjects' keys there are of each suite."""
    statement = (
        select(SubjectKey.suite, func.count()).where(col(SubjectKey.tenant) == tenant).group_by(col(SubjectKey.suite))
    )
    with answering(), database.read() as session:
        return {suite: int(count) for suite, count in session.exec(statement).all()}


def branch_keys_by_suite(database: Database, *, tenant: str) -> dict[str, dict[int, int]]:
    """How many versions of each branch key there are of each suite, those that were destroyed left out."""
    statement = (
        select(BranchKey.purpose, BranchKey.suite, func.count())
        .where(col(BranchKey.tenant) == tenant, col(BranchKey.state) != KeyState.DESTROYED)
        .group_by(col(BranchKey.purpose), col(BranchKey.suite))
    )
    counts: dict[str, dict[int, int]] = {}
    with answering(), database.read() as session:
        for purpose, suite, count in session.exec(statement).all():
            counts.setdefault(purpose, {})[suite] = int(count)
    return counts


def _newest_first(session: Session, tenant: str, purpose: str) -> Sequence[BranchKey]:
    return session.exec(
        select(BranchKey)
        .where(col(BranchKey.tenant) == tenant, col(BranchKey.purpose) == purpose)
        .order_by(col(BranchKey.version).desc())
    ).all()
