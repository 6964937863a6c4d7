"""The training gate (培训准入): data of a transfer job are opened only for who has passed the course, and in time.

A person opens under a grant of their own; the job's own steps open on the grant of its sponsor. Whatever is not on
record refuses: no grant, one that has run out, was revoked, or is of another job.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import TrainingMissing
from models.tables.transfer_grants import TransferGrant


def grant_of(session: Session, *, job: str, staff_id: str | None, now: datetime) -> TransferGrant:
    """The grant under which somebody opens data of a job at `now`.

    Args:
        session: for reading.
        job: whose data.
        staff_id: who opens; None: the job itself, on behalf of its sponsor.
        now: of the opening.

    Raises:
        TrainingMissing: there is none that holds.
    """
    query = select(TransferGrant).where(
        col(TransferGrant.job) == job,
        col(TransferGrant.passed_at) <= now,
        col(TransferGrant.valid_until) > now,
        col(TransferGrant.revoked_at).is_(None),
    )
    whose = col(TransferGrant.is_sponsor).is_(True) if staff_id is None else col(TransferGrant.staff_id) == staff_id
    grant = session.exec(query.where(whose).order_by(col(TransferGrant.valid_until).desc()).limit(1)).first()
    if grant is None:
        raise TrainingMissing(detail=job, params={"who": staff_id or "sponsor"})
    return grant


@dataclass(frozen=True, slots=True)
class JobReader:
    """Opens cells of one job under one grant; asks again for every row whether the grant still holds."""

    vault: Vault
    database: Database
    clock: Clock
    job: str
    staff_id: str | None = None

    def open_row(self, row: RowAddress, sealed: Mapping[str, bytes]) -> dict[str, str]:
        """The values of one row in clear.

        Raises:
            TrainingMissing: nothing was opened.
            CannotOpen, SubjectShredded: as the vault.
        """
        with self.database.read() as session:
            grant_of(session, job=self.job, staff_id=self.staff_id, now=self.clock())
        return self.vault.open_many_text(row, sealed)


def require_training(database: Database, *, job: str, staff_id: str | None, now: datetime) -> None:
    """Refuse before a chunk of many rows is opened; as `JobReader` does for one.

    Raises:
        TrainingMissing: no grant holds.
    """
    with database.read() as session:
        grant_of(session, job=job, staff_id=staff_id, now=now)
