"""Change of the key-encryption key: branch keys and the check value are wrapped anew; persons' keys and data stay.

The number of rows does not depend on the number of persons. Both providers are asked before the transaction; the
transaction writes everything or nothing, and only if nobody added or changed a branch key meanwhile. From its commit on
the old KEK opens nothing here; running processes read which KEK is in force and take it up (`BranchKeys`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from compliance.vault.branches import branch_binding, opened
from compliance.vault.kek import KekProvider
from compliance.vault.store import (
    CHECK_BINDING,
    CHECK_CONSTANT,
    answering,
    check_key_store,
    empty_log,
    kek_in_force,
    locked_head,
    note,
    overwrite_freed,
)
from compliance.vault.tables import BranchKey
from models.database.engine import Database
from models.errors import KeysUnavailable, UnsafeSetting

_TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A branch key before and after."""

    row: BranchKey
    wrapped: bytes


class _Moved(Exception):
    """Somebody added or changed a branch key while the providers were asked."""


def rotate_kek(database: Database, *, old: KekProvider, new: KekProvider, actor: str, at: datetime) -> int:
    """Put the key store under another KEK. Where it is under `new` already, nothing is done.

    Returns:
        How many branch keys were wrapped anew.

    Raises:
        UnsafeSetting: the store is under neither of them, or a KEK does not open what it wrapped itself.
        CannotOpen: a branch key was altered; nothing was changed.
        KeysUnavailable: store or provider do not answer; nothing was changed.
    """
    if kek_in_force(database) == new.id:
        check_key_store(database, kek=new)
        return 0
    check_key_store(database, kek=old)
    for _ in range(_TRIES):
        changes = [_wrapped_anew(row, old, new) for row in _rows(database)]
        check_value = new.wrap(CHECK_CONSTANT, associated_data=CHECK_BINDING)
        try:
            _write(database, changes, check_value, old=old, new=new, actor=actor, at=at)
        except _Moved:
            continue
        empty_log(database)
        check_key_store(database, kek=new)
        return len(changes)
    raise KeysUnavailable(detail="branch keys are being added all the time: try again")


def _rows(database: Database) -> Sequence[BranchKey]:
    with answering(), database.read() as session:
        return _still_there(session)


def _still_there(session: Session) -> Sequence[BranchKey]:
    statement = select(BranchKey).where(BranchKey.wrapped != b"")  # a destroyed version has no key any more
    return session.exec(statement.order_by(col(BranchKey.tenant), col(BranchKey.purpose), col(BranchKey.version))).all()


def _wrapped_anew(row: BranchKey, old: KekProvider, new: KekProvider) -> _Change:
    binding = branch_binding(row.tenant, row.purpose, row.version, row.suite)
    secret = opened(old, row)
    wrapped = new.wrap(secret, associated_data=binding)
    if new.unwrap(wrapped, associated_data=binding) != secret:
        raise UnsafeSetting(detail=f"the key-encryption key {new.id} does not open what it wrapped itself")
    return _Change(row=row, wrapped=wrapped)


def _write(
    database: Database,
    changes: Sequence[_Change],
    check_value: bytes,
    *,
    old: KekProvider,
    new: KekProvider,
    actor: str,
    at: datetime,
) -> None:
    with answering(), database.write() as session:
        overwrite_freed(database, session)
        head = locked_head(session, to_change=True)
        if head.kek_id != old.id:
            raise UnsafeSetting(detail=f"the key store came under {head.kek_id} meanwhile; nothing was changed")
        if {(row.tenant, row.purpose, row.version) for row in _still_there(session)} != {
            (change.row.tenant, change.row.purpose, change.row.version) for change in changes
        }:
            raise _Moved
        for change in changes:
            moved = session.exec(
                update(BranchKey)
                .where(
                    col(BranchKey.tenant) == change.row.tenant,
                    col(BranchKey.purpose) == change.row.purpose,
                    col(BranchKey.version) == change.row.version,
                    col(BranchKey.wrapped) == change.row.wrapped,
                )
                .values(wrapped=change.wrapped)
                .execution_options(synchronize_session=False)
            )
            if moved.rowcount != 1:
                raise _Moved
        head.kek_id, head.check_value = new.id, check_value
        head.generation += 1
        note(
            session, tenant="_", action="key.kek-rotated", target="key/_/kek", actor=actor, at=at,
            facts={"from": old.id, "to": new.id, "branch_keys": len(changes)},
        )  # fmt: skip
