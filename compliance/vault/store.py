"""Reads and writes of the key store: small rows, created once; their states are `compliance.vault.rotation`'s.

The key store is a separate database with no audit log in it, so its commits go through `Database.write()` directly, in
this file and in those of the operations beside it. What becomes of a key is written into the store's own journal in the
same transaction, and comes from there into the audit log (`compliance.audit.key_deeds`).
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import delete, inspect, text, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.purposes import Purpose
from compliance.vault.states import KeyState, deed_of
from compliance.vault.suites import EnabledSuites
from compliance.vault.tables import (
    KEY_SCHEMA_VERSION,
    BranchKey,
    KeyJournal,
    KeyStoreHead,
    KeyTable,
    SealKey,
    SubjectKey,
    Tombstone,
)
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.tokens import uuid7
from models.errors import CannotOpen, DatabaseBusy, KeysUnavailable, SchemaNewer, UnsafeSetting

R = TypeVar("R")
CHECK_CONSTANT: Final = b"casework key store, check value 1"
CHECK_BINDING: Final = framed("casework.key-store", KEY_SCHEMA_VERSION)
_INITIALISING: Final = 7_318_402_551  # an advisory lock of PostgreSQL: two processes may not create the tables at once


class KekChanged(Exception):
    """The key store is under another key-encryption key than the caller used: wrap again, under that one."""


class NotActive(Exception):
    """The version under which the caller wrapped seals no more: read the branch key again, wrap again."""


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """A store that does not answer is `KeysUnavailable`."""
    try:
        yield
    except DatabaseBusy as busy:
        raise KeysUnavailable(detail=f"the key store does not answer: {busy.detail}") from None


def initialise_key_store(
    database: Database, *, kek: KekProvider, clock: Clock, suites: EnabledSuites | None = None
) -> None:
    """Create the tables and the check value of an empty key store. The only place that ever makes a check value.

    Repeating it under the same KEK does nothing. Without `suites` every suite of this program must work.

    Raises:
        UnsafeSetting: the store was initialised under another KEK, or holds keys without a check value.
        KeysUnavailable: the store or the KEK cannot be reached, or a suite fails its known-answer test.
    """
    (EnabledSuites.every() if suites is None else suites).check()
    check_value = kek.wrap(CHECK_CONSTANT, associated_data=CHECK_BINDING)
    with answering(), database.write() as session:
        if not database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _INITIALISING})
        KeyTable.metadata.create_all(session.connection())
        if session.get(KeyStoreHead, 1) is None:
            if session.exec(select(BranchKey.tenant).limit(1)).first() is not None:
                raise UnsafeSetting(detail="the key store holds keys but no check value: restore it from its backup")
            session.add(
                KeyStoreHead(
                    schema_version=KEY_SCHEMA_VERSION, kek_id=kek.id, check_value=check_value, created_at=clock()
                )
            )
    check_key_store(database, kek=kek)


def check_key_store(database: Database, *, kek: KekProvider) -> None:
    """Prove that this KEK belongs to this key store; change nothing.

    Raises:
        KeysUnavailable: the store was never initialised, or does not answer.
        UnsafeSetting: the KEK does not open the check value.
        SchemaNewer: a newer version of the product wrote the store.
    """
    with answering():
        head = _head(database)
    if head is None:
        raise KeysUnavailable(
            detail="the key store holds no check value: `casework keys init` makes one on an empty store"
        )
    if head.schema_version > KEY_SCHEMA_VERSION:
        raise SchemaNewer(detail=f"key store has schema {head.schema_version}, this program knows {KEY_SCHEMA_VERSION}")
    try:
        right = kek.unwrap(head.check_value, associated_data=CHECK_BINDING) == CHECK_CONSTANT
    except CannotOpen:
        right = False
    if not right:
        raise UnsafeSetting(
            detail=f"the key-encryption key {kek.id} does not open this key store, which {head.kek_id} made: "
            "put the right key back; nothing was changed"
        )


def is_initialised(database: Database) -> bool:
    """Whether a key store with its check value stands here; false also where its schema is not there yet."""
    return _head(database) is not None


def kek_in_force(database: Database) -> str | None:
    """The id of the KEK that wraps this store's keys; None where there is no initialised store."""
    with answering():
        head = _head(database)
    return None if head is None else head.kek_id


def _head(database: Database) -> KeyStoreHead | None:
    if not inspect(database.engine).has_table(KeyStoreHead.__tablename__):
        return None
    with database.read() as session:
        return session.get(KeyStoreHead, 1)


@dataclass(frozen=True, slots=True)
class BranchRows:
    """Every version of a branch key, the newest first, as one snapshot with the id of the KEK that wraps them."""

    kek_id: str | None
    rows: Sequence[BranchKey]


def branch_keys(database: Database, *, tenant: str, purpose: str) -> BranchRows:
    """What the store has of one tenant's key for one purpose; no rows when there is none.

    Raises:
        KeysUnavailable: the store does not answer.
    """
    statement = (
        select(BranchKey)
        .where(BranchKey.tenant == tenant, BranchKey.purpose == purpose)
        .order_by(col(BranchKey.version).desc())
    )
    with answering(), _snapshot(database) as session:
        kek_id = session.exec(select(KeyStoreHead.kek_id)).first()
        return BranchRows(kek_id, session.exec(statement).all())


@contextlib.contextmanager
def _snapshot(database: Database) -> Iterator[Session]:
    """Several reads that see one state: on PostgreSQL the default level sees a new one with each statement."""
    with database.read() as session:
        if not database.is_sqlite:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


def branch_purposes(database: Database, *, tenant: str) -> frozenset[str]:
    """For which purposes a tenant has keys."""
    with answering(), database.read() as session:
        return frozenset(session.exec(select(BranchKey.purpose).where(BranchKey.tenant == tenant)).all())


def add_branch_keys(database: Database, rows: Sequence[BranchKey], *, kek_id: str, actor: str = "vault") -> bool:
    """Write branch keys in one transaction unless one of these versions exists: of two processes, the first one's stay.

    Args:
        database: the key store.
        rows: PUBLISHED, or ACTIVE for a first version; all of one tenant.
        kek_id: under which KEK the rows are wrapped.
        actor: who made them, for the journal.

    Returns:
        Whether it is these rows that were written, all of them.

    Raises:
        KekChanged: the store is under another KEK by now.
    """

    def known(session: Session) -> BranchKey | None:
        head = locked_head(session)
        if head.kek_id != kek_id:
            raise KekChanged
        versions = [(row.purpose, row.version) for row in rows]
        same = tuple_(col(BranchKey.purpose), col(BranchKey.version)).in_(versions)
        return session.exec(select(BranchKey).where(BranchKey.tenant == rows[0].tenant, same).limit(1)).first()

    def journalled(session: Session) -> None:
        for row in rows:
            note_step(session, row, before=None, actor=actor, at=row.created_at, facts={"suite": row.suite})

    return _add_once(database, rows, known, also=journalled)


def locked_head(session: Session, *, to_change: bool = False) -> KeyStoreHead:
    """The store's one row, which stays as it is until this transaction ends.

    Raises:
        KeysUnavailable: the store was never initialised.
    """
    head = session.exec(select(KeyStoreHead).with_for_update(read=not to_change)).first()
    if head is None:
        raise KeysUnavailable(detail="the key store holds no check value: `casework keys init` makes one")
    return head


def note_step(
    session: Session, row: BranchKey, *, before: KeyState | None, actor: str, at: datetime, facts: dict[str, Any]
) -> None:
    """Write a step of a branch key, which stands in its new state already, into the journal.

    Raises:
        WrongState: there is no such step.
    """
    deed = deed_of(before, KeyState(row.state))
    note(
        session, tenant=row.tenant, action=deed, target=name_of(row.tenant, row.purpose, row.version),
        actor=actor, at=at, facts=facts,
    )  # fmt: skip


def note(
    session: Session, *, tenant: str, action: str, target: str, actor: str, at: datetime, facts: dict[str, Any]
) -> None:
    """Write a change of keys into the journal, in the transaction that makes it."""
    spelt = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    session.add(KeyJournal(id=uuid7(at), at=at, tenant=tenant, action=action, target=target, actor=actor, facts=spelt))


def unrecorded(database: Database, *, limit: int) -> Sequence[KeyJournal]:
    """Lines of the journal that the audit log does not have yet, the oldest first."""
    statement = select(KeyJournal).where(col(KeyJournal.recorded_at).is_(None)).order_by(col(KeyJournal.seq))
    with answering(), database.read() as session:
        return session.exec(statement.limit(limit)).all()


def mark_recorded(database: Database, ids: Sequence[str], *, at: datetime) -> None:
    """The audit log has these lines."""
    with answering(), database.write() as session:
        session.execute(update(KeyJournal).where(col(KeyJournal.id).in_(ids)).values(recorded_at=at))


def name_of(tenant: str, purpose: str, version: int) -> str:
    """How logs and the audit log call a version of a branch key."""
    return f"key/{tenant}/{purpose}/{version}"


@dataclass(frozen=True, slots=True)
class SubjectRows:
    """What the store knows of a subject: versions of the key, the newest first, or that it was shredded."""

    keys: Sequence[SubjectKey]
    shredded: bool


def subject_rows(database: Database, *, tenant: str, subject_id: str) -> SubjectRows:
    """The keys of a subject.

    Raises:
        KeysUnavailable: the store does not answer.
    """
    with answering(), database.read() as session:
        return _subject_rows(session, tenant, subject_id)


def _subject_rows(session: Session, tenant: str, subject_id: str) -> SubjectRows:
    # The tombstone rules: on PostgreSQL a key may be inserted beside it, and is then never used.
    if session.get(Tombstone, (tenant, subject_id)) is not None:
        return SubjectRows((), shredded=True)
    statement = (
        select(SubjectKey)
        .where(SubjectKey.tenant == tenant, SubjectKey.subject_id == subject_id)
        .order_by(col(SubjectKey.version).desc())
    )
    return SubjectRows(session.exec(statement).all(), shredded=False)


def add_subject_key(database: Database, row: SubjectKey) -> bool:
    """Write a subject's first key unless they have one or were shredded.

    Returns:
        Whether it is this row that was written; if not, the caller reads what is there.

    Raises:
        NotActive: the branch version that wraps it seals no more.
    """

    def known(session: Session) -> bool | None:
        refuse_inactive(session, tenant=row.tenant, purpose=Purpose.SUBJECT_WRAP, version=row.branch_version)
        rows = _subject_rows(session, row.tenant, row.subject_id)
        return True if rows.keys or rows.shredded else None

    return _add_once(database, [row], known)


def refuse_inactive(session: Session, *, tenant: str, purpose: str, version: int) -> None:
    """Whoever writes what a branch key wraps calls this first, in the same transaction.

    So nothing new lies under a version once it is decrypt-only, whatever an idle process still has in its memory, and a
    count of zero stays zero.

    Raises:
        NotActive: the version seals no more.
    """
    state = session.exec(
        select(BranchKey.state)
        .where(BranchKey.tenant == tenant, BranchKey.purpose == purpose, BranchKey.version == version)
        .with_for_update(read=True)
    ).first()
    if state != KeyState.ACTIVE:
        raise NotActive


def shredded_since(database: Database, since: datetime) -> list[tuple[str, str]]:
    """Tenant and id of every subject whose keys were destroyed at or after an instant, by the clock of who did it.

    Raises:
        KeysUnavailable: the store does not answer.
    """
    with answering(), database.read() as session:
        rows = session.exec(select(Tombstone.tenant, Tombstone.subject_id).where(col(Tombstone.created_at) >= since))
        return [(tenant, subject_id) for tenant, subject_id in rows]


def tombstones(database: Database) -> Sequence[Tombstone]:
    """Every subject whose keys were destroyed, the latest first.

    Raises:
        KeysUnavailable: the store does not answer.
    """
    with answering(), database.read() as session:
        return session.exec(
            select(Tombstone).order_by(col(Tombstone.created_at).desc(), col(Tombstone.subject_id))
        ).all()


def seal_keys(database: Database, *, tenant: str) -> Sequence[SealKey]:
    """Every version of a tenant's seal key, the newest first; empty when there is none.

    Raises:
        KeysUnavailable: the store does not answer.
    """
    statement = select(SealKey).where(SealKey.tenant == tenant).order_by(col(SealKey.version).desc())
    with answering(), database.read() as session:
        return session.exec(statement).all()


def add_seal_key(database: Database, row: SealKey) -> bool:
    """Write a seal key unless this version exists: of two processes that try, the first one's key stays.

    Returns:
        Whether it is this row that was written.

    Raises:
        NotActive: the branch version that wraps it seals no more.
    """

    def known(session: Session) -> SealKey | None:
        refuse_inactive(session, tenant=row.tenant, purpose=Purpose.SEAL_WRAP, version=row.branch_version)
        return session.get(SealKey, (row.tenant, row.version))

    return _add_once(database, [row], known)


def _add_once(
    database: Database,
    rows: Sequence[BranchKey | SealKey | SubjectKey],
    known: Callable[[Session], R | None],
    *,
    also: Callable[[Session], None] | None = None,
) -> bool:
    try:
        with answering(), database.write() as session:
            if known(session) is not None:
                return False
            session.add_all(rows)
            if also is not None:
                also(session)
    except IntegrityError:  # somebody else committed the same key first: theirs is the one
        return False
    return True


def shred_subject_keys(database: Database, *, tenant: str, subject_id: str, clock: Clock) -> None:
    """Bury a subject: tombstone, then the wrapped keys away, in one transaction. Repeating it does nothing more.

    On SQLite the freed pages are overwritten and the write-ahead log is emptied into the file as far as readers allow.

    Raises:
        KeysUnavailable: the store does not answer; nothing was changed.
    """
    with answering(), database.write() as session:
        overwrite_freed(database, session)
        if session.get(Tombstone, (tenant, subject_id)) is None:
            session.add(Tombstone(tenant=tenant, subject_id=subject_id, created_at=clock()))
        session.execute(
            delete(SubjectKey).where(col(SubjectKey.tenant) == tenant, col(SubjectKey.subject_id) == subject_id)
        )
    empty_log(database)


def empty_log(database: Database) -> None:
    """On SQLite: move what the write-ahead log still holds into the file, so that what was overwritten is gone."""
    if not database.is_sqlite:
        return
    connection = database.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def overwrite_freed(database: Database, session: Session) -> None:
    """On SQLite: what this transaction deletes or replaces is overwritten in the file."""
    if database.is_sqlite:
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
