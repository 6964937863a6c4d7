"""Reads and writes of the key store: small rows, created once, never changed here.

The key store is a separate database with no audit log in it, so its commits go through `Database.write()` directly: the
deed that needed a key is recorded where the data is, after the key is committed. Nothing outside this
file and `renewal_store` may do so.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import delete, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.suites import check_suites
from compliance.vault.tables import (
    KEY_SCHEMA_VERSION,
    BranchKey,
    KeyStoreHead,
    KeyTable,
    SealKey,
    SubjectKey,
    Tombstone,
)
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import CannotOpen, DatabaseBusy, KeysUnavailable, SchemaNewer, UnsafeSetting

R = TypeVar("R")
_CHECK_CONSTANT: Final = b"casework key store, check value 1"
_CHECK_BINDING: Final = framed("casework.key-store", KEY_SCHEMA_VERSION)
_INITIALISING: Final = 7_318_402_551  # an advisory lock of PostgreSQL: two processes may not create the tables at once


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """A busy key store is `KeysUnavailable`."""
    try:
        yield
    except DatabaseBusy as busy:
        raise KeysUnavailable(detail=f"the key store does not answer: {busy.detail}") from None


def initialise_key_store(database: Database, *, kek: KekProvider, clock: Clock) -> None:
    """Create the tables and the check value of an empty key store. The only place that ever makes a check value.

    Repeating it under the same KEK does nothing.

    Raises:
        UnsafeSetting: the store was initialised under another KEK, or holds keys without a check value.
        KeysUnavailable: the store or the KEK cannot be reached, or a suite fails its known-answer test.
    """
    check_suites()
    check_value = kek.wrap(_CHECK_CONSTANT, associated_data=_CHECK_BINDING)
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
        right = kek.unwrap(head.check_value, associated_data=_CHECK_BINDING) == _CHECK_CONSTANT
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


def _head(database: Database) -> KeyStoreHead | None:
    if not inspect(database.engine).has_table(KeyStoreHead.__tablename__):
        return None
    with database.read() as session:
        return session.get(KeyStoreHead, 1)


def branch_keys(database: Database, *, tenant: str, purpose: str) -> Sequence[BranchKey]:
    """Every version of a branch key, the newest first; empty when there is none.

    Raises:
        KeysUnavailable: the store does not answer.
    """
    statement = (
        select(BranchKey)
        .where(BranchKey.tenant == tenant, BranchKey.purpose == purpose)
        .order_by(col(BranchKey.version).desc())
    )
    with answering(), database.read() as session:
        return session.exec(statement).all()


def branch_purposes(database: Database, *, tenant: str) -> frozenset[str]:
    """For which purposes a tenant has keys."""
    with answering(), database.read() as session:
        return frozenset(session.exec(select(BranchKey.purpose).where(BranchKey.tenant == tenant)).all())


def add_branch_key(database: Database, row: BranchKey) -> bool:
    """Write a branch key unless this version exists: of two processes that try, the first one's key stays.

    Returns:
        Whether it is this row that was written.
    """
    return _add_once(database, row, lambda session: session.get(BranchKey, (row.tenant, row.purpose, row.version)))


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
    """

    def known(session: Session) -> bool | None:
        rows = _subject_rows(session, row.tenant, row.subject_id)
        return True if rows.keys or rows.shredded else None

    return _add_once(database, row, known)


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
    """
    return _add_once(database, row, lambda session: session.get(SealKey, (row.tenant, row.version)))


def _add_once(database: Database, row: BranchKey | SealKey | SubjectKey, known: Callable[[Session], R | None]) -> bool:
    try:
        with answering(), database.write() as session:
            if known(session) is not None:
                return False
            session.add(row)
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
        if database.is_sqlite:
            session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
        if session.get(Tombstone, (tenant, subject_id)) is None:
            session.add(Tombstone(tenant=tenant, subject_id=subject_id, created_at=clock()))
        session.execute(
            delete(SubjectKey).where(col(SubjectKey.tenant) == tenant, col(SubjectKey.subject_id) == subject_id)
        )
    if database.is_sqlite:
        connection = database.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
