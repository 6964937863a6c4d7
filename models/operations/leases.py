"""Leases in SQL: one holder of a duty at a time, taken over when it lapses."""

from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from models.tables.platform import Lease


def acquire(session: Session, *, name: str, holder: str, now: datetime, ttl: timedelta) -> int | None:
    """Take or renew the lease.

    Returns:
        Its fencing token, which grows with every change of hands; None while somebody else holds it.
    """
    renewed = session.exec(
        update(Lease)
        .where(col(Lease.name) == name, col(Lease.holder) == holder, col(Lease.expires_at) > now)
        .values(expires_at=now + ttl)
        .execution_options(synchronize_session=False)
    )
    if not renewed.rowcount:
        taken = session.exec(
            update(Lease)
            .where(col(Lease.name) == name, or_(col(Lease.expires_at) <= now, col(Lease.holder) == holder))
            .values(holder=holder, token=Lease.token + 1, expires_at=now + ttl)
            .execution_options(synchronize_session=False)
        )
        if not taken.rowcount and not _first(session, name=name, holder=holder, now=now, ttl=ttl):
            return None
    return session.exec(select(Lease.token).where(col(Lease.name) == name)).one()


def release(session: Session, *, name: str, holder: str, now: datetime) -> None:
    """Let the next holder in at once."""
    session.exec(
        update(Lease)
        .where(col(Lease.name) == name, col(Lease.holder) == holder)
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )


def _first(session: Session, *, name: str, holder: str, now: datetime, ttl: timedelta) -> bool:
    if session.get(Lease, name) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Lease(name=name, holder=holder, token=1, expires_at=now + ttl))
    except IntegrityError:  # another process was first
        return False
    return True
