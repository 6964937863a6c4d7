"""Which processes hold keys, and what each of them knows: the barrier between publishing a version and using it.

Every process that serves calls `beat` every few seconds. It takes each published version into its memory, which proves
that its KEK opens it, and says so in the key store. A version becomes active when every living process has said so. A
process that sleeps through this does no harm: it finds a version that it does not know in the store, and what it wraps
under an older one is refused (`store.refuse_inactive`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from compliance.vault.branches import BranchKeys
from compliance.vault.states import KeyState
from compliance.vault.store import answering
from compliance.vault.tables import BranchKey, KeyAcknowledgement, KeyHolder, KeyStoreHead
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable

BEAT_EVERY: Final = timedelta(seconds=10)
LIVES_FOR: Final = timedelta(seconds=45)  # after its last beat; clocks of several machines may differ by some seconds
_FORGOTTEN_AFTER: Final = timedelta(days=1)
_BETWEEN: Final = "\n"  # labels of tokens may hold blanks


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process that holds keys.

    Attributes:
        name: unique among all that ever ran at the same time.
        component: `app`, `api` or `worker`.
        keks: ids of the key-encryption keys that it could open the store with.
    """

    name: str
    component: str
    keks: frozenset[str]
    started_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Who has not said that it knows a version, or a KEK."""

    process: str
    component: str
    seen_at: datetime


def beat(branches: BranchKeys, process: Process) -> int:
    """Say that this process is alive, and which published versions it has in its memory.

    Forgets the cached branch keys when some key changed its state since the last beat, so that a new version seals
    within seconds.

    Returns:
        How many published versions it acknowledged.

    Raises:
        KeysUnavailable: store or KEK do not answer; nothing was said.
    """
    now, database = branches.clock(), branches.database
    with answering(), database.read() as session:
        generation = session.exec(select(KeyStoreHead.generation)).first() or 0
        mine = session.get(KeyHolder, process.name)
        published = session.exec(select(BranchKey).where(BranchKey.state == KeyState.PUBLISHED)).all()
    if mine is None or mine.generation != generation:
        branches.forget()
    known = [row for row in published if _knows(branches, row)]
    with answering(), database.write() as session:
        session.merge(
            KeyHolder(
                process=process.name,
                component=process.component,
                keks=_BETWEEN.join(sorted(process.keks | {branches.kek.id})),
                generation=generation,
                started_at=process.started_at,
                seen_at=now,
            )
        )
        for row in known:
            session.merge(
                KeyAcknowledgement(
                    process=process.name, tenant=row.tenant, purpose=row.purpose, version=row.version, at=now
                )
            )
    return len(known)


def leave(database: Database, name: str) -> None:
    """A process ends in order: nobody waits for it any more."""
    with answering(), database.write() as session:
        _remove(session, [name])


def nobody_lives(database: Database) -> None:
    """For who knows that nothing else runs: rows of processes that were killed are waited for no more."""
    with answering(), database.write() as session:
        session.execute(delete(KeyAcknowledgement))
        session.execute(delete(KeyHolder))


def living(session: Session, *, now: datetime) -> Sequence[KeyHolder]:
    """Every process that beat a moment ago, by name."""
    statement = select(KeyHolder).where(KeyHolder.seen_at > now - LIVES_FOR).order_by(KeyHolder.process)
    return session.exec(statement).all()


def outstanding(session: Session, *, tenant: str, purpose: str, version: int, now: datetime) -> list[Waiting]:
    """Living processes that have not acknowledged a version."""
    known = set(
        session.exec(
            select(KeyAcknowledgement.process).where(
                KeyAcknowledgement.tenant == tenant,
                KeyAcknowledgement.purpose == purpose,
                KeyAcknowledgement.version == version,
            )
        ).all()
    )
    return [_waiting(holder) for holder in living(session, now=now) if holder.process not in known]


def without_kek(session: Session, kek_id: str, *, now: datetime) -> list[Waiting]:
    """Living processes that could not open the store under that KEK."""
    return [_waiting(holder) for holder in living(session, now=now) if kek_id not in holder.keks.split(_BETWEEN)]


def sweep(session: Session, *, now: datetime) -> None:
    """Forget processes that have been silent for a day, and what they said."""
    gone = session.exec(select(KeyHolder.process).where(KeyHolder.seen_at < now - _FORGOTTEN_AFTER)).all()
    _remove(session, gone)


def _waiting(holder: KeyHolder) -> Waiting:
    return Waiting(process=holder.process, component=holder.component, seen_at=holder.seen_at)


def _knows(branches: BranchKeys, row: BranchKey) -> bool:
    try:
        return branches.version(row.tenant, row.purpose, row.version) is not None
    except (CannotOpen, KeysUnavailable):
        return False  # this process stays on the list of those who are waited for


def _remove(session: Session, names: Iterable[str]) -> None:
    for name in names:
        session.execute(delete(KeyAcknowledgement).where(col(KeyAcknowledgement.process) == name))
        session.execute(delete(KeyHolder).where(col(KeyHolder.process) == name))
