"""Who stands as maker and who as checker (双人复核) of a subject: the hash of what both of them were shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from models.domain.tokens import new_token
from models.tables.tasks import FourEyes

MAKER: Final = "maker"
CHECKER: Final = "checker"


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """A member of staff: the account, and the person behind it, whom four-eyes looks at."""

    staff_id: str
    person_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What two persons decide on, and the hash of what they are shown."""

    id: str
    tenant: str
    shown_hash: str


def makers(session: Session, *, shown_hash: str) -> frozenset[str]:
    """Who may not be the second person: who asked for it."""
    rows = session.exec(
        select(col(FourEyes.person_id)).where(col(FourEyes.subject) == shown_hash, col(FourEyes.side) == MAKER)
    )
    return frozenset(rows)


def is_maker(*, shown_hash: Mapped[str], person_id: str) -> ColumnElement[bool]:
    """The same as a condition, for the compare-and-set that decides."""
    return exists().where(
        col(FourEyes.subject) == shown_hash, col(FourEyes.person_id) == person_id, col(FourEyes.side) == MAKER
    )


def stand_as(session: Session, proposal: Proposal, *, by: Who, side: str, now: datetime) -> None:
    """Write that a person stands on a side; no person stands on both, says the constraint of the table."""
    session.add(
        FourEyes(
            id=new_token("eye"),
            tenant=proposal.tenant,
            subject=proposal.shown_hash,
            person_id=by.person_id,
            side=side,
            decision_id=proposal.id,
            created_at=now,
        )
    )
