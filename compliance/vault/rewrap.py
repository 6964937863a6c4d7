"""Rewrap: keys that lie under an old version of a branch key are put under the one in force. Data is not touched.

Online, in chunks, resumable: what still lies under an old version is what is left to do. Opening and sealing happen
outside the transaction; the write is a compare-and-set on the old version, so a person who was shredded meanwhile stays
shredded. A key that does not open is left alone and counted: it is named in the log of the run, and retiring its
version is refused as long as it is there.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy
from sqlalchemy import bindparam, func, tuple_, update
from sqlmodel import col, select

from compliance.vault import cells, seal_keys
from compliance.vault.branches import BranchKeys
from compliance.vault.purposes import Purpose
from compliance.vault.rotation_rules import rule_of
from compliance.vault.store import NotActive, answering, empty_log, note, overwrite_freed, refuse_inactive
from compliance.vault.suites import EnabledSuites, SealingKey
from compliance.vault.tables import SealKey, SubjectKey
from models.errors import CannotOpen, WrongState

CHUNK: Final = 1_000
SQLITE_PAUSE_S: Final = 0.005  # so that whoever else writes gets in between two chunks
Sleep = Callable[[float], None]


@dataclass(slots=True, kw_only=True)
class Rewrapped:
    """How far a rewrap is; `total` is what lay under old versions when it began.

    Attributes:
        failed: ids of keys that did not open, the first hundred; they stay where they are.
        failures: how many there are.
    """

    tenant: str
    purpose: str
    version: int
    total: int
    done: int = 0
    failures: int = 0
    failed: list[str] = field(default_factory=list)

    def fail(self, key: str) -> None:
        """Count one that does not open."""
        self.failures += 1
        if len(self.failed) < 100:  # noqa: PLR2004 - enough to see what it is about
            self.failed.append(key)


def rewrap(
    branches: BranchKeys, *, tenant: str, purpose: str, actor: str, chunk: int = CHUNK, sleep: Sleep = time.sleep
) -> Iterator[Rewrapped]:
    """Put every key of a tenant under the version in force; yields after each chunk, and at least once.

    Raises:
        WrongState: nothing that could be moved lies under keys of this purpose.
        KeysUnavailable: store or KEK do not answer; what was done is done.
    """
    if not rule_of(purpose).countable:
        raise WrongState(
            detail=f"nothing lies under the key {purpose} that could be wrapped again: {rule_of(purpose).why}",
            params={"state": purpose},
        )
    moves = _move_subjects if purpose == Purpose.SUBJECT_WRAP else _move_seals
    current = branches.read(tenant, purpose).current
    progress = Rewrapped(
        tenant=tenant, purpose=purpose, version=current.version, total=_left(branches, tenant, purpose, current.version)
    )
    try:
        for _ in moves(branches, progress, current, chunk):
            yield progress
            if branches.database.is_sqlite:
                sleep(SQLITE_PAUSE_S)
    except NotActive:
        raise WrongState(
            detail=f"the key {purpose} was rotated again meanwhile: start the rewrap again", params={"state": purpose}
        ) from None
    finally:
        if progress.done or progress.failures:
            _finish(branches, progress, actor)
    yield progress


def _left(branches: BranchKeys, tenant: str, purpose: str, version: int) -> int:
    table = SubjectKey if purpose == Purpose.SUBJECT_WRAP else SealKey
    statement = select(func.count()).select_from(table)
    with answering(), branches.database.read() as session:
        return session.exec(statement.where(col(table.tenant) == tenant, col(table.branch_version) != version)).one()


def _finish(branches: BranchKeys, progress: Rewrapped, actor: str) -> None:
    empty_log(branches.database)  # a wrapped key of a person who is shredded tomorrow must not survive in there
    facts = {"version": progress.version, "rewrapped": progress.done, "failures": progress.failures}
    with answering(), branches.database.write() as session:
        note(
            session, tenant=progress.tenant, action="key.rewrapped", actor=actor, at=branches.clock(), facts=facts,
            target=f"key/{progress.tenant}/{progress.purpose}/{progress.version}",
        )  # fmt: skip


# Subjects -------------------------------------------------------------------------------------------------------------


def _move_subjects(branches: BranchKeys, progress: Rewrapped, current: SealingKey, chunk: int) -> Iterator[None]:
    for old in _old_versions(branches, progress):
        branch = branches.version(progress.tenant, progress.purpose, old)
        after = ("", 0)
        while rows := _subject_rows(branches, progress.tenant, old, after, chunk):
            after = (rows[-1].subject_id, rows[-1].version)
            alike: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
            for row in rows:
                alike[row.version, row.suite].append(row)
            changes = [
                change
                for group in alike.values()
                for change in _changes(group, branch, current, progress, branches.suites)
            ]
            progress.done += _write_subjects(branches, progress, changes)
            yield


def _old_versions(branches: BranchKeys, progress: Rewrapped) -> Sequence[int]:
    statement = (
        select(SubjectKey.branch_version)
        .where(SubjectKey.tenant == progress.tenant, SubjectKey.branch_version != progress.version)
        .distinct()
    )
    with answering(), branches.database.read() as session:
        return sorted(session.exec(statement).all())


def _subject_rows(branches: BranchKeys, tenant: str, version: int, after: tuple[str, int], limit: int) -> Sequence[Any]:
    """The next rows under a version. Bare rows: objects of the session would be half of the work."""
    columns = SubjectKey.__table__.c  # type: ignore[attr-defined]
    statement = (
        sqlalchemy.select(columns)
        .where(
            columns.tenant == tenant,
            columns.branch_version == version,
            tuple_(columns.subject_id, columns.version) > after,
        )
        .order_by(columns.subject_id, columns.version)
        .limit(limit)
    )
    with answering(), branches.database.read() as session:
        return session.connection().execute(statement).all()


def _changes(
    rows: Sequence[Any], branch: SealingKey | None, current: SealingKey, progress: Rewrapped, suites: EnabledSuites
) -> list[dict[str, Any]]:
    """What is to be written of rows of one version and suite; where they do not all open, of each that does."""
    if branch is None:
        for row in rows:
            progress.fail(row.subject_id)
        return []
    try:
        first, stored = rows[0], [(row.subject_id, row.wrapped, row.commitment) for row in rows]
        many = cells.ManySubjectKeys(
            branch, tenant=progress.tenant, version=first.version, suite=suites.of(first.suite)
        )
        moved = many.rewrap(stored, current)
    except CannotOpen:
        if len(rows) > 1:
            return [one for row in rows for one in _changes([row], branch, current, progress, suites)]
        progress.fail(rows[0].subject_id)
        return []
    return [
        {"of_subject": row.subject_id, "of_version": row.version, "under": row.branch_version, "new": wrapped}
        for row, wrapped in zip(rows, moved, strict=True)
    ]


def _write_subjects(branches: BranchKeys, progress: Rewrapped, changes: list[dict[str, Any]]) -> int:
    if not changes:
        return 0
    statement = (
        update(SubjectKey.__table__)  # type: ignore[attr-defined]
        .where(
            col(SubjectKey.tenant) == progress.tenant,
            col(SubjectKey.subject_id) == bindparam("of_subject"),
            col(SubjectKey.version) == bindparam("of_version"),
            col(SubjectKey.branch_version) == bindparam("under"),
        )
        .values(wrapped=bindparam("new"), branch_version=progress.version)
    )
    database = branches.database
    with answering(), database.write() as session:
        overwrite_freed(database, session)
        refuse_inactive(session, tenant=progress.tenant, purpose=progress.purpose, version=progress.version)
        moved = session.connection().execute(statement, changes)
        return moved.rowcount if moved.rowcount >= 0 else len(changes)


# Seals ----------------------------------------------------------------------------------------------------------------


def _move_seals(branches: BranchKeys, progress: Rewrapped, current: SealingKey, chunk: int) -> Iterator[None]:
    statement = (
        select(SealKey)
        .where(SealKey.tenant == progress.tenant, SealKey.branch_version != current.version)
        .order_by(col(SealKey.version))
        .limit(chunk)  # a tenant has a handful
    )
    with answering(), branches.database.read() as session:
        rows = session.exec(statement).all()
    for row in rows:
        branch = branches.version(progress.tenant, progress.purpose, row.branch_version)
        under = row.branch_version
        try:
            wrapped_anew = None if branch is None else seal_keys.rewrapped(branch, current, row)
        except CannotOpen:
            wrapped_anew = None
        if wrapped_anew is None:
            progress.fail(f"seal/{row.version}")
            continue
        wrapped, authority_wrapped = wrapped_anew
        with answering(), branches.database.write() as session:
            refuse_inactive(session, tenant=row.tenant, purpose=progress.purpose, version=current.version)
            moved = session.exec(
                update(SealKey)
                .where(
                    col(SealKey.tenant) == row.tenant,
                    col(SealKey.version) == row.version,
                    col(SealKey.branch_version) == under,
                )
                .values(wrapped=wrapped, authority_wrapped=authority_wrapped, branch_version=current.version)
            )
            progress.done += moved.rowcount
        yield
