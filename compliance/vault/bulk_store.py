"""Reads and writes of the key store for keys of many subjects (`bulk_keys`). Commits as `store` does."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import bindparam, exists
from sqlalchemy import select as alchemy_select
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col, select

from compliance.vault.purposes import Purpose
from compliance.vault.store import answering, empty_log, overwrite_freed, refuse_inactive
from compliance.vault.tables import SubjectKey, Tombstone
from models.database.bulk import insert_many
from models.database.engine import Database

_SUBJECT_KEYS: Final = SubjectKey.__table__  # type: ignore[attr-defined]
_TOMBSTONES: Final = Tombstone.__table__  # type: ignore[attr-defined]
_OF_A_KEY: Final = ("subject_id", "version", "suite", "branch_version", "wrapped", "commitment", "state")
_ADD_SUBJECT_KEYS: Final = (
    postgresql.insert(_SUBJECT_KEYS).on_conflict_do_nothing().returning(_SUBJECT_KEYS.c.subject_id)
)
# The tombstone rules, as for one subject.
_READ_SUBJECT_KEYS: Final = alchemy_select(*(_SUBJECT_KEYS.c[name] for name in _OF_A_KEY)).where(
    _SUBJECT_KEYS.c.tenant == bindparam("tenant"),
    _SUBJECT_KEYS.c.subject_id.in_(bindparam("subjects", expanding=True)),
    ~exists().where(
        _TOMBSTONES.c.tenant == _SUBJECT_KEYS.c.tenant, _TOMBSTONES.c.subject_id == _SUBJECT_KEYS.c.subject_id
    ),
)

# Subject, version, suite, branch version, wrapped key, commitment, state.
StoredKey = tuple[str, int, int, int, bytes, bytes, str]


@dataclass(frozen=True, slots=True)
class ManySubjectKeys:
    """What the store knows of many subjects: their keys in no order, and who was shredded."""

    keys: Sequence[StoredKey]
    shredded: frozenset[str]


def many_subject_keys(database: Database, *, tenant: str, subject_ids: Collection[str]) -> ManySubjectKeys:
    """The keys of many different subjects (at most some hundreds: one statement).

    Raises:
        KeysUnavailable: the store does not answer.
    """
    with answering(), database.read() as session:
        found = session.connection().execute(_READ_SUBJECT_KEYS, {"tenant": tenant, "subjects": list(subject_ids)})
        rows = cast("Sequence[StoredKey]", found.all())
        if len({row[0] for row in rows}) == len(subject_ids):
            return ManySubjectKeys(rows, frozenset())
        return ManySubjectKeys(rows, _shredded_of(session, tenant, subject_ids))


def add_subject_keys(
    database: Database, rows: Sequence[Mapping[str, object]], *, tenant: str, branch_version: int
) -> frozenset[str]:
    """Write first keys, in one transaction, of subjects who have none and were not shredded.

    Returns:
        Whose key was written; the caller reads what is there of the others.

    Raises:
        NotActive: the branch version that wraps them seals no more.
    """
    subject_ids = [str(row["subject_id"]) for row in rows]
    known = select(SubjectKey.subject_id).where(
        SubjectKey.tenant == tenant, col(SubjectKey.subject_id).in_(subject_ids)
    )
    with answering(), database.write() as session:
        refuse_inactive(session, tenant=tenant, purpose=Purpose.SUBJECT_WRAP, version=branch_version)
        taken = {*session.exec(known).all(), *_shredded_of(session, tenant, subject_ids)}
        missing = [row for row in rows if row["subject_id"] not in taken]
        if not missing:
            return frozenset()
        if database.is_sqlite:  # this is the one writer: nobody was quicker since `taken` was read
            insert_many(session, _SUBJECT_KEYS, missing)
            return frozenset(str(row["subject_id"]) for row in missing)
        return frozenset(session.connection().execute(_ADD_SUBJECT_KEYS, missing).scalars())


def shred_many_subject_keys(
    database: Database, *, tenant: str, subject_ids: Collection[str], at: datetime
) -> frozenset[str]:
    """Bury those of many subjects (at most some hundreds) who have keys: tombstones, then the keys, at once.

    Repeating it does nothing more. On SQLite the freed pages are overwritten and the log is emptied into the file.

    Returns:
        Whose keys there were.

    Raises:
        KeysUnavailable: the store does not answer; nothing was changed.
    """
    mine = (_SUBJECT_KEYS.c.tenant == tenant, _SUBJECT_KEYS.c.subject_id.in_(list(subject_ids)))
    with answering(), database.write() as session:
        buried = frozenset(session.execute(alchemy_select(_SUBJECT_KEYS.c.subject_id).where(*mine)).scalars())
        if not buried:
            return buried
        overwrite_freed(database, session)
        known = _shredded_of(session, tenant, buried)
        session.add_all(
            Tombstone(tenant=tenant, subject_id=subject, created_at=at) for subject in sorted(buried - known)
        )
        session.execute(_SUBJECT_KEYS.delete().where(*mine))
    empty_log(database)
    return buried


def _shredded_of(session: Session, tenant: str, subject_ids: Collection[str]) -> frozenset[str]:
    statement = select(Tombstone.subject_id).where(
        Tombstone.tenant == tenant, col(Tombstone.subject_id).in_(subject_ids)
    )
    return frozenset(session.exec(statement).all())
