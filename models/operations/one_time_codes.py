"""One-time codes in SQL: made within a rate, tried a few times, used once. Digits never come here, only their MAC."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from sqlalchemy import UpdateBase, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from models.domain.one_time_codes import CODE_LIFE, CODES_WINDOW, MAX_CODES, MAX_TRIES, CodePurpose, CodeRefusal
from models.errors import CodeRefused, TooManyRequests
from models.tables.notices import OneTimeCode

_COLLIDED_S: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class NewCode:
    """A code to be recorded; `bound_to` is the hash of what it confirms."""

    id: str
    tenant: str
    subject_id: str
    purpose: CodePurpose
    bound_to: str
    code_mac: bytes


def add_code(session: Session, code: NewCode, *, now: datetime) -> None:
    """Record a code, valid for `CODE_LIFE`; the person's earlier ones for the same purpose count no more.

    Raises:
        TooManyRequests: `MAX_CODES` were made in the last hour, or another one at this very moment; nothing is
            written, and the transaction must be rolled back.
    """
    since = now - CODES_WINDOW
    recent = session.exec(
        select(OneTimeCode.created_at)
        .where(col(OneTimeCode.subject_id) == code.subject_id, col(OneTimeCode.created_at) > since)
        .order_by(col(OneTimeCode.created_at))
    ).all()
    if len(recent) >= MAX_CODES:
        wait = ceil((recent[-MAX_CODES] - since).total_seconds())
        raise TooManyRequests(params={"retryAfter": max(1, wait)})
    last = session.exec(
        select(func.coalesce(func.max(OneTimeCode.serial), 0)).where(col(OneTimeCode.subject_id) == code.subject_id)
    ).one()
    session.add(
        OneTimeCode(
            id=code.id,
            tenant=code.tenant,
            subject_id=code.subject_id,
            serial=last + 1,
            purpose=code.purpose,
            bound_to=code.bound_to,
            code_mac=code.code_mac,
            created_at=now,
            expires_at=now + CODE_LIFE,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        # Another one was made between the count and here: whoever comes second asks again and is counted then.
        raise TooManyRequests(params={"retryAfter": _COLLIDED_S}) from None


def newest_code(session: Session, *, tenant: str, subject_id: str, purpose: CodePurpose) -> OneTimeCode | None:
    """The only code of a purpose that can still be used."""
    return session.exec(
        select(OneTimeCode)
        .where(
            col(OneTimeCode.tenant) == tenant,
            col(OneTimeCode.subject_id) == subject_id,
            col(OneTimeCode.purpose) == purpose,
        )
        .order_by(col(OneTimeCode.serial).desc())
        .limit(1)
    ).one_or_none()


def reserve_try(session: Session, code_id: str, *, now: datetime) -> bool:
    """Count a try before the digits are looked at, so that tries made at once cannot slip past the limit."""
    return _execute(
        session,
        update(OneTimeCode)
        .where(
            col(OneTimeCode.id) == code_id,
            col(OneTimeCode.used_at).is_(None),
            col(OneTimeCode.tries) < MAX_TRIES,
            col(OneTimeCode.expires_at) > now,
        )
        .values(tries=OneTimeCode.tries + 1),
    )


def refusal_of(code: OneTimeCode | None, *, bound_to: str, now: datetime) -> CodeRefusal | None:
    """Why this code is not even compared, or None."""
    if code is None:
        return CodeRefusal.NONE
    if code.used_at is not None:
        return CodeRefusal.USED
    if code.expires_at <= now:
        return CodeRefusal.EXPIRED
    if code.tries >= MAX_TRIES:
        return CodeRefusal.TRIES
    return CodeRefusal.CHANGED if code.bound_to != bound_to else None


def use_code(session: Session, code_id: str, *, bound_to: str, now: datetime) -> None:
    """Spend a code that was proven (`compliance.vault.one_time_codes.prove_code`), with what it confirms: one wins.

    Raises:
        CodeRefused: it was used, has run out, or confirms something else; the transaction must be rolled back.
    """
    used = _execute(
        session,
        update(OneTimeCode)
        .where(
            col(OneTimeCode.id) == code_id,
            col(OneTimeCode.used_at).is_(None),
            col(OneTimeCode.expires_at) > now,
            col(OneTimeCode.bound_to) == bound_to,
        )
        .values(used_at=now),
    )
    if not used:
        row = session.get(OneTimeCode, code_id, populate_existing=True)
        reason = refusal_of(row, bound_to=bound_to, now=now) or CodeRefusal.USED
        raise CodeRefused(params={"reason": reason.value})


def _execute(session: Session, statement: UpdateBase) -> bool:
    return bool(session.exec(statement.execution_options(synchronize_session=False)).rowcount)
