"""Reads and writes of the key store for versions of keys (`compliance.vault.renewal`). Commits as `store` does.

What a write relies on is asked again inside its transaction: two processes that do the same step at once end as one.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import case, delete, exists, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from compliance.vault.store import answering
from compliance.vault.tables import BranchKey, KeyState, SealKey, SubjectKey, Tombstone
from models.database.engine import Database

_SEAL_WRAP: Final = "seal-wrap"
_SUBJECT_WRAP: Final = "subject-wrap"


def branch_versions(database: Database, *, tenant: str, purpose: str) -> Sequence[BranchKey]:
    """Every version of a branch key, the newest first."""
    with answering(), database.read() as session:
        return _newest_first(session, tenant, purpose)


def add_branch_version(database: Database, row: BranchKey) -> bool:
    """Write a version unless it exists; returns whether it is this row that was written."""
    try:
        with answering(), database.write() as session:
            if session.get(BranchKey, (row.tenant, row.purpose, row.version)) is not None:
                return False
            session.add(row)
    except IntegrityError:  # another process was first
        return False
    return True


def activate_newest(database: Database, *, tenant: str, purpose: str, suite: int) -> bool:
    """Have the newest version seal if it is of this suite; the others then only open. Returns whether that changed."""
    with answering(), database.write() as session:
        rows = _newest_first(session, tenant, purpose)
        if not rows or rows[0].suite != suite or rows[0].state == KeyState.ACTIVE:
            return False
        newest = case((col(BranchKey.version) == rows[0].version, KeyState.ACTIVE), else_=KeyState.DECRYPT_ONLY)
        session.execute(
            update(BranchKey)
            .where(col(BranchKey.tenant) == tenant, col(BranchKey.purpose) == purpose)
            .values(state=newest)
            .execution_options(synchronize_session=False)
        )
    return True


def destroy_unused_branches(database: Database, *, tenant: str, purpose: str, suite: int) -> int:
    """Destroy the versions of other suites under which no key lies. Returns how many went."""
    unused: list[Any] = [col(BranchKey.state) == KeyState.DECRYPT_ONLY, col(BranchKey.suite) != suite]
    if purpose == _SUBJECT_WRAP:
        under = (col(SubjectKey.tenant) == tenant, col(SubjectKey.branch_version) == col(BranchKey.version))
        unused.append(~exists().where(*under))
    elif purpose == _SEAL_WRAP:
        under = (col(SealKey.tenant) == tenant, col(SealKey.branch_version) == col(BranchKey.version))
        unused.append(~exists().where(*under))
    with answering(), database.write() as session:
        _overwriting(database, session)
        gone = session.execute(
            delete(BranchKey)
            .where(col(BranchKey.tenant) == tenant, col(BranchKey.purpose) == purpose, *unused)
            .execution_options(synchronize_session=False)
        )
        return int(gone.rowcount)  # type: ignore[attr-defined]


def seal_rows(database: Database, *, tenant: str) -> Sequence[SealKey]:
    """Every version of a tenant's seal."""
    with answering(), database.read() as session:
        return session.exec(select(SealKey).where(col(SealKey.tenant) == tenant)).all()


def exchange_seal(database: Database, old: SealKey, new: SealKey) -> bool:
    """Put the same seal under another branch key, unless somebody did already."""
    with answering(), database.write() as session:
        changed = session.execute(
            update(SealKey)
            .where(
                col(SealKey.tenant) == old.tenant,
                col(SealKey.version) == old.version,
                col(SealKey.branch_version) == old.branch_version,
            )
            .values(branch_version=new.branch_version, wrapped=new.wrapped, authority_wrapped=new.authority_wrapped)
            .execution_options(synchronize_session=False)
        )
        return int(changed.rowcount) == 1  # type: ignore[attr-defined]


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
    """Write the next version of several subjects' keys; the older ones then only open. All in one commit.

    A subject who got that version from another process, or was shredded meanwhile, keeps what is there.

    Returns:
        How many were written.
    """
    try:
        with answering(), database.write() as session:
            return _add_versions(session, rows[0].tenant, rows) if rows else 0
    except IntegrityError:  # another process wrote the same version first: theirs is the one
        return 0


def _add_versions(session: Session, tenant: str, rows: Sequence[SubjectKey]) -> int:
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
        _overwriting(database, session)
        gone = session.execute(
            delete(SubjectKey)
            .where(
                col(SubjectKey.tenant) == tenant,
                col(SubjectKey.subject_id).in_(subject_ids),
                col(SubjectKey.state) == KeyState.DECRYPT_ONLY,
            )
            .execution_options(synchronize_session=False)
        )
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
    """How many versions of each branch key there are of each suite."""
    statement = (
        select(BranchKey.purpose, BranchKey.suite, func.count())
        .where(col(BranchKey.tenant) == tenant)
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


def _overwriting(database: Database, session: Session) -> None:
    if database.is_sqlite:
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
