"""What readiness asks of the database."""

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from models.tables.platform import OutboxEntry


def oldest_waiting_since(session: Session) -> datetime | None:
    """When the oldest start or decision that has not reached Temporal was written; None if none waits."""
    return session.scalar(select(func.min(col(OutboxEntry.created_at))).where(col(OutboxEntry.done_at).is_(None)))
