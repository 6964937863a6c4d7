"""Who stands as maker and who as checker (双人复核) of a subject: the hash of what both of them were shown.

`four_eyes` is unique over subject and person. So whoever made something cannot stand behind it as its checker, whatever
the layers above have let through: the API, which asks first, and the compare-and-set, which asks `is_maker`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from models.domain.tokens import new_token
from models.errors import CaseworkError, FourEyesViolation, ShownChanged, WrongState
from models.tables.tasks import FourEyes

MAKER: Final = "maker"
CHECKER: Final = "checker"


@dataclass(frozen=True, kw_only=True, slots=True)
class By:
    """A member of staff, and the natural person behind the account, whom four-eyes looks at."""

    tenant: str
    staff_id: str
    person_id: str


def makers(session: Session, *, shown_hash: str) -> frozenset[str]:
    """Who may not be the second person: who made what is shown."""
    rows = session.exec(
        select(col(FourEyes.person_id)).where(col(FourEyes.subject) == shown_hash, col(FourEyes.side) == MAKER)
    )
    return frozenset(rows)


def is_maker(*, shown_hash: Mapped[str] | Mapped[str | None] | str, person_id: str | None) -> ColumnElement[bool]:
    """The same as a condition, for the compare-and-set that decides; `shown_hash` is a column or a value."""
    return exists().where(
        col(FourEyes.subject) == shown_hash, col(FourEyes.person_id) == person_id, col(FourEyes.side) == MAKER
    )


def stand_as_maker(
    session: Session, *, tenant: str, subject: str, person_id: str, record_id: str, now: datetime, side: str = MAKER
) -> None:
    """Note who made what is shown. `side` is another one for whom it concerns."""
    session.add(
        FourEyes(
            id=new_token("eye"),
            tenant=tenant,
            subject=subject,
            person_id=person_id,
            side=side,
            decision_id=record_id,
            created_at=now,
        )
    )


def stand_as_makers(session: Session, *, tenant: str, subject: str, persons: tuple[str, ...], now: datetime) -> None:
    """Note everybody who made what is shown, so that none of them can check it. Repeatable."""
    standing = set(session.exec(select(FourEyes.person_id).where(col(FourEyes.subject) == subject)).all())
    for person in persons:
        if person not in standing:
            session.add(
                FourEyes(
                    id=new_token("eye"), tenant=tenant, subject=subject, person_id=person, side=MAKER, created_at=now
                )
            )
    session.flush()


def stand_as_checker(
    session: Session, *, tenant: str, subject: str, person_id: str, record_id: str, now: datetime
) -> None:
    """Note who decided on what was shown.

    Raises:
        FourEyesViolation: the person made it; the transaction is spoilt and must be rolled back.
    """
    stand_as_maker(
        session, tenant=tenant, subject=subject, person_id=person_id, record_id=record_id, now=now, side=CHECKER
    )
    try:
        session.flush()
    except IntegrityError as error:  # the last layer: the database itself
        raise FourEyesViolation(detail=record_id) from error


def why_not(session: Session, *, state: str, waiting: str, shown_hash: str, person_id: str) -> CaseworkError:
    """Why a compare-and-set changed nothing; `state` and `shown_hash` as they stand, `waiting` as they should.

    Returns:
        `WrongState`: it was decided before. `FourEyesViolation`: the person made it. `ShownChanged`: the caller was
        shown something else.
    """
    if state != waiting:
        return WrongState(params={"state": state})
    if person_id in makers(session, shown_hash=shown_hash):
        return FourEyesViolation()
    return ShownChanged()
