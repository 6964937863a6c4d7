"""Log-in state in SQL: throttles, refresh tokens, revoked tokens. Functions over a session; none of them commits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import UpdateBase, case, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from models.errors import TooManyRequests
from models.tables.staff import DeniedToken, LoginThrottle, RefreshToken, Staff

WINDOW: Final = timedelta(minutes=5)
MAX_FAILURES: Final = 10  # per window, for an account and for a source
MAX_CONSECUTIVE: Final = 100  # for an account; then only an administrator opens it again (NIST SP 800-63B)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveSession:
    """A log-in under way: whose, since when, and the family its refresh tokens belong to."""

    family: str
    staff_id: str
    auth_time: datetime
    expires_at: datetime
    used: bool


# Throttle -------------------------------------------------------------------------------------------------------------


def reserve_try(session: Session, *, bucket: str, now: datetime, hard_stop: bool) -> None:
    """Count a try as failed before its password is looked at: tries that run at once cannot slip past the limit.

    Args:
        session: of `bookkeeping`.
        bucket: keyed digest of an account or a source.
        now: when.
        hard_stop: whether `MAX_CONSECUTIVE` holds for this bucket.

    Raises:
        TooManyRequests: with the seconds until the next try.
    """
    _insert_if_absent(session, LoginThrottle, bucket=bucket, window_start=now, failures=0, consecutive=0)
    over = col(LoginThrottle.window_start) <= now - WINDOW
    conditions = [col(LoginThrottle.bucket) == bucket, or_(over, col(LoginThrottle.failures) < MAX_FAILURES)]
    if hard_stop:
        conditions.append(col(LoginThrottle.consecutive) < MAX_CONSECUTIVE)
    counted = _execute(
        session,
        update(LoginThrottle)
        .where(*conditions)
        .values(
            failures=case((over, 1), else_=col(LoginThrottle.failures) + 1),
            window_start=case((over, now), else_=col(LoginThrottle.window_start)),
            consecutive=col(LoginThrottle.consecutive) + 1,
        ),
    )
    if counted == 0:
        row = session.get_one(LoginThrottle, bucket, populate_existing=True)
        wait = ceil((row.window_start + WINDOW - now).total_seconds())
        raise TooManyRequests(params={"retryAfter": min(max(1, wait), int(WINDOW.total_seconds()))})


def release_try(session: Session, *, bucket: str, forget_all: bool) -> None:
    """The try was a success: take it back; for the account also whatever failed before it.

    A source keeps its failures, or one good account would buy tries at all others.
    """
    values = (
        {"failures": 0, "consecutive": 0}
        if forget_all
        else {
            "failures": case((col(LoginThrottle.failures) > 0, col(LoginThrottle.failures) - 1), else_=0),
            "consecutive": 0,
        }
    )
    _execute(session, update(LoginThrottle).where(col(LoginThrottle.bucket) == bucket).values(values))


# Refresh tokens -------------------------------------------------------------------------------------------------------


def add_refresh_token(
    session: Session, *, token_hash: str, family: str, staff_id: str, auth_time: datetime, expires_at: datetime
) -> None:
    """Remember a refresh token by its hash."""
    session.add(
        RefreshToken(
            token_hash=token_hash, family=family, staff_id=staff_id, auth_time=auth_time, expires_at=expires_at
        )
    )


def find_refresh_token(session: Session, *, token_hash: str) -> LiveSession | None:
    """What a refresh token belongs to, used or not."""
    row = session.get(RefreshToken, token_hash)
    if row is None:
        return None
    return LiveSession(
        family=row.family,
        staff_id=row.staff_id,
        auth_time=row.auth_time,
        expires_at=row.expires_at,
        used=row.used_at is not None,
    )


def use_refresh_token(session: Session, *, token_hash: str, now: datetime) -> bool:
    """Spend a refresh token. False: it was spent before, or is gone; whoever holds it now may have stolen it."""
    return (
        _execute(
            session,
            update(RefreshToken)
            .where(col(RefreshToken.token_hash) == token_hash, col(RefreshToken.used_at).is_(None))
            .values(used_at=now),
        )
        == 1
    )


def end_session(session: Session, *, family: str, until: datetime) -> None:
    """End a log-in: its refresh tokens are gone, and its access tokens are refused until they would have expired."""
    _execute(session, delete(RefreshToken).where(col(RefreshToken.family) == family))
    deny_token(session, jti=family, until=until)


def end_all_sessions(session: Session, *, staff_id: str, now: datetime) -> None:
    """End every log-in of an account; access tokens signed before this second are void."""
    _execute(session, delete(RefreshToken).where(col(RefreshToken.staff_id) == staff_id))
    _execute(session, update(Staff).where(col(Staff.id) == staff_id).values(not_before=now.replace(microsecond=0)))


def deny_token(session: Session, *, jti: str, until: datetime) -> None:
    """Refuse a token, or all tokens of a log-in, by id."""
    _insert_if_absent(session, DeniedToken, jti=jti, until=until)


def purge_sessions(session: Session, *, now: datetime) -> int:
    """Drop what has lost its meaning: expired refresh tokens, denials of expired tokens, throttles of long ago.

    A bucket at its hard stop stays.

    Returns:
        How many rows are gone.
    """
    gone = _execute(session, delete(RefreshToken).where(col(RefreshToken.expires_at) < now))
    gone += _execute(session, delete(DeniedToken).where(col(DeniedToken.until) < now))
    return gone + _execute(
        session,
        delete(LoginThrottle).where(
            col(LoginThrottle.window_start) < now - WINDOW, col(LoginThrottle.consecutive) == 0
        ),
    )


def _execute(session: Session, statement: UpdateBase) -> int:
    return session.exec(statement.execution_options(synchronize_session=False)).rowcount


def _insert_if_absent(session: Session, table: type[SQLModel], **values: object) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.exec(insert(table).values(**values).on_conflict_do_nothing())
