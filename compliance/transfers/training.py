"""The training gate (培训准入, PIPL Art. 51): data of a transfer job are opened only for who has passed its course.

A person opens under a grant of their own; the job's own steps open on the grant of its sponsor. Whatever is not on
record refuses: no grant, one that has run out, was revoked, or is of another job.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from models.database.engine import Database
from models.errors import TrainingMissing
from models.tables.transfer_grants import TransferGrant
from models.tables.transfers import TransferJob

SPONSOR: Final = None  # in place of a person: the job's own steps, on behalf of its sponsor


class Lack(StrEnum):
    """Why nothing may be opened."""

    NONE = "none"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_YET = "not-yet"


@dataclass(frozen=True, slots=True)
class Training:
    """How it stands with the course of one person, or of the sponsor.

    Attributes:
        staff_id: who has passed it, or has to. Of a job that has no sponsor yet: who opened it.
        grant: the one that holds; None where none does.
        lack: why none does; None where one does.
        until: when the last one ended or will end.
    """

    staff_id: str
    grant: TransferGrant | None
    lack: Lack | None
    until: datetime | None = None


def training_of(session: Session, *, job: str, staff_id: str | None, now: datetime) -> Training:
    """How it stands at `now` with the course of somebody who opens data of a job.

    Args:
        session: for reading.
        job: whose data.
        staff_id: who opens; `SPONSOR`: the job itself.
        now: of the opening.
    """
    whose = col(TransferGrant.is_sponsor).is_(True) if staff_id is SPONSOR else col(TransferGrant.staff_id) == staff_id
    grant = _latest(
        session,
        job,
        whose,
        col(TransferGrant.passed_at) <= now,
        col(TransferGrant.valid_until) > now,
        col(TransferGrant.revoked_at).is_(None),
    )
    if grant is not None:
        return Training(grant.staff_id, grant, None, grant.valid_until)
    last = _latest(session, job, whose, col(TransferGrant.revoked_at).is_(None)) or _latest(session, job, whose)
    if last is None:
        return Training(staff_id or _opener(session, job), None, Lack.NONE)
    lack = Lack.REVOKED if last.revoked_at is not None else Lack.NOT_YET if last.passed_at > now else Lack.EXPIRED
    return Training(last.staff_id, None, lack, last.valid_until)


def grant_of(session: Session, *, job: str, staff_id: str | None, now: datetime) -> TransferGrant:
    """The grant under which somebody opens data of a job; arguments as of `training_of`.

    Raises:
        TrainingMissing: there is none that holds.
    """
    found = training_of(session, job=job, staff_id=staff_id, now=now)
    if found.grant is None:
        params: dict[str, str | int] = {"who": found.staff_id, "because": str(found.lack), "job": job}
        raise TrainingMissing(detail=job, params=params)
    return found.grant


def require_training(database: Database, *, job: str, staff_id: str | None = SPONSOR, now: datetime) -> None:
    """Refuse before anything of a job is opened: of a person at each request, of a step at each of its parts.

    Raises:
        TrainingMissing: no grant holds; nothing may be opened.
    """
    with database.read() as session:
        grant_of(session, job=job, staff_id=staff_id, now=now)


def _latest(session: Session, job: str, *those: ColumnElement[bool]) -> TransferGrant | None:
    """The one of a job's grants that ends last."""
    query = select(TransferGrant).where(col(TransferGrant.job) == job, *those)
    return session.exec(query.order_by(col(TransferGrant.valid_until).desc()).limit(1)).first()


def _opener(session: Session, job: str) -> str:
    """A job without a sponsor is its opener's to bring on."""
    found = session.get(TransferJob, job)
    return found.created_by if found is not None else ""
