"""The row that makes a repeated request the same request: written with the effect it guards, answered once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.domain.tokens import uuid7
from models.tables.platform import IdempotencyKey

MAX_ROUTE: Final = 120  # characters, as the column


@dataclass(frozen=True, kw_only=True, slots=True)
class KeySlot:
    """Where a key is unique: the same key of another caller or for another route is another key.

    Attributes:
        principal: staff id, or link id.
        route: the operation's name and the ids in its path, e.g. `tasks.decide/tsk_…`.
    """

    tenant: str
    principal: str
    route: str
    key: str


class KeyTaken(Exception):
    """Another request under this key was first; roll back and look at its row."""


def find_key(session: Session, slot: KeySlot) -> IdempotencyKey | None:
    """The row of a slot, if there is one."""
    return session.exec(
        select(IdempotencyKey).where(
            col(IdempotencyKey.tenant) == slot.tenant,
            col(IdempotencyKey.principal) == slot.principal,
            col(IdempotencyKey.route) == slot.route,
            col(IdempotencyKey.key) == slot.key,
        )
    ).one_or_none()


def open_key(
    session: Session, slot: KeySlot, *, fingerprint: str, resource_id: str, now: datetime, status: int | None = None
) -> None:
    """Take the slot, in the transaction of the effect. Call it first: then the loser of a race has done nothing yet.

    Args:
        session: of the unit of work.
        slot: what to take.
        fingerprint: keyed digest of the request's body.
        resource_id: what the effect makes; the answer can be built again from it.
        now: when.
        status: the answer's status where it is known already: then the answer is built from the resource each time, and
            nothing else is stored. None where the workflow has the last word and `store_answer` will follow.

    Raises:
        KeyTaken: the slot has a row.
    """
    row = IdempotencyKey(
        id=uuid7(now),
        tenant=slot.tenant,
        principal=slot.principal,
        route=slot.route,
        key=slot.key,
        fingerprint=fingerprint,
        resource_id=resource_id,
        status=status,
        created_at=now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise KeyTaken from None


def store_answer(
    session: Session, slot: KeySlot, *, status: int, body: dict[str, Any] | None, headers: dict[str, str] | None
) -> None:
    """Keep the answer of a slot, once; a later one changes nothing. The body must hold no identifying data.

    `headers` None: only that there is an answer; it is built again from what the effect made.
    """
    session.exec(
        update(IdempotencyKey)
        .where(
            col(IdempotencyKey.tenant) == slot.tenant,
            col(IdempotencyKey.principal) == slot.principal,
            col(IdempotencyKey.route) == slot.route,
            col(IdempotencyKey.key) == slot.key,
            col(IdempotencyKey.status).is_(None),
        )
        .values(status=status, body=body, headers=headers)
        .execution_options(synchronize_session=False)
    )
