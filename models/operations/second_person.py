"""Two persons for one record of a register (双人复核): makers' rows at submission, the checker's later.

The subject is the hash of what was shown. `four_eyes` is unique over subject and person, so that whoever made a record
cannot stand behind it as its checker, whatever the code above has let through.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from models.domain.tokens import new_token
from models.errors import FourEyesViolation
from models.operations.decisions import CHECKER, MAKER, stand_as_makers
from models.tables.tasks import FourEyes

__all__ = ("By", "made_by", "stand_as_checker", "stand_as_makers")


@dataclass(frozen=True, kw_only=True, slots=True)
class By:
    """A member of staff, and the natural person behind the account."""

    tenant: str
    staff_id: str
    person_id: str


def made_by(subject: Any, person_id: str) -> ColumnElement[bool]:
    """Whether the person stands among the makers of a subject (a column); part of a decision's compare-and-set."""
    return exists().where(
        col(FourEyes.subject) == subject, col(FourEyes.person_id) == person_id, col(FourEyes.side) == MAKER
    )


def stand_as_checker(
    session: Session, *, tenant: str, subject: str, person_id: str, record_id: str, now: datetime
) -> None:
    """Note who decided on what was shown.

    Raises:
        FourEyesViolation: the person made it; the transaction is spoilt and must be rolled back.
    """
    session.add(
        FourEyes(
            id=new_token("eye"),
            tenant=tenant,
            subject=subject,
            person_id=person_id,
            side=CHECKER,
            decision_id=record_id,
            created_at=now,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise FourEyesViolation from None
