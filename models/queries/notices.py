"""Reads about notices: which are due, what was sent about a case, and by which way a person can be told."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import Session, col, select

from models.domain.application import ContactPointKind
from models.domain.notices import NoticeChannel, NoticeState
from models.queries.parties import contact_points
from models.tables.notices import Notice
from models.tables.parties import ContactPoint

POINT_OF_CHANNEL = {NoticeChannel.SMS: ContactPointKind.MOBILE, NoticeChannel.MAIL: ContactPointKind.EMAIL}


def due_notices(session: Session, *, now: datetime, limit: int) -> list[str]:
    """Ids of what is to be sent, or to be closed because its time is over; the oldest first."""
    return list(
        session.exec(
            select(Notice.id)
            .where(
                col(Notice.state) == NoticeState.QUEUED,
                col(Notice.send_after) <= now,
                or_(col(Notice.retry_at).is_(None), col(Notice.retry_at) <= now),
            )
            .order_by(col(Notice.send_after), col(Notice.id))
            .limit(limit)
        ).all()
    )


def notice_by_key(session: Session, *, tenant: str, business_key: str) -> Notice | None:
    """The notice that stands under a business key."""
    return session.exec(
        select(Notice).where(col(Notice.tenant) == tenant, col(Notice.business_key) == business_key)
    ).one_or_none()


def notices_of_case(session: Session, case_token: str, *, kinds: Iterable[str] | None = None) -> list[Notice]:
    """What a case's customer was told, or is about to be, in order; of some kinds only, if they are named."""
    statement = select(Notice).where(col(Notice.case_token) == case_token)
    if kinds is not None:
        statement = statement.where(col(Notice.kind).in_(sorted(kinds)))
    return list(session.exec(statement.order_by(col(Notice.created_at), col(Notice.id))).all())


def contact_point_for(session: Session, subject_id: str, *, channel: NoticeChannel) -> ContactPoint | None:
    """Where a channel reaches a person: the newest contact point of its kind."""
    wanted = POINT_OF_CHANNEL[channel]
    return next((point for point in contact_points(session, subject_id) if point.kind == wanted), None)


def channel_for(session: Session, subject_id: str) -> NoticeChannel:
    """The way to tell a person something: a text message, or mail if that is all they have left with us."""
    kinds = {point.kind for point in contact_points(session, subject_id)}
    only_mail = ContactPointKind.EMAIL in kinds and ContactPointKind.MOBILE not in kinds
    return NoticeChannel.MAIL if only_mail else NoticeChannel.SMS
