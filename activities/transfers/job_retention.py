"""The end of a job's retention (任务资料到期): keys of rows, conflicts and of what was said about it are destroyed.

Each row of a job lies under a key of its own, words on a conflict under the conflict's (`tcf_…`), and evidence and what
is said on step tasks under the job's (`tjb_…`), in both companies. When the last day of the rule `application` is over,
nothing of it opens any more. Counts, events and hashes stay. A legal hold on one of its customers holds the whole job.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import exists, select
from sqlmodel import Session, col, update

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.ids import job_record
from models.domain.privacy.erasing import STANDING
from models.domain.privacy.retention import RULES, due_from
from models.domain.shanghai import shanghai_date
from models.domain.transfers.keeping import OF_ROWS
from models.operations.transfers.wave_moves import RECORDS, ROWS
from models.queries.products import retention_of
from models.tables.erasure import LegalHold
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferJob

ACTOR: Final = "duty:job-retention"
_CHUNK: Final = 500


@dataclass(slots=True)
class JobRetention(Duty):
    """Once an hour over the jobs whose time is over."""

    database: Database
    vault: Vault
    name: ClassVar[str] = "job-retention"
    every: ClassVar[timedelta] = timedelta(hours=1)

    async def run_once(self, now: datetime) -> int:
        """Go through once; returns how many jobs' keys were destroyed."""
        return await asyncio.to_thread(self.sweep, now)

    def sweep(self, now: datetime) -> int:
        """As `run_once`; blocking. Killed, it goes on with the same job: a key is destroyed once."""
        with self.database.read() as session:
            due = [job for job in _ended(session) if _is_due(session, job, now) and not _is_held(session, job.token)]
        return sum(self._destroy(job, now) for job in due)

    def _destroy(self, job: TransferJob, now: datetime) -> bool:
        keys = sum(
            self.vault.shred_subjects(tenant=job.tenant, subject_ids=subjects)
            for subjects in (*self._rows(job.token), *self._conflicts(job.token))
        )
        for tenant in filter(None, (job.tenant, job.source_tenant)):
            keys += self.vault.shred_subjects(tenant=tenant, subject_ids=[job_record(job.token)])
        deed = Deed(
            tenant=job.tenant,
            action="transfer.keys-destroyed",
            target=job.token,
            actor=ACTOR,
            at=now,
            facts={"keys": keys, "rule": OF_ROWS},
        )
        with unit_of_work(self.database, deed) as unit:
            done = unit.session.connection().execute(
                update(TransferJob)
                .where(col(TransferJob.token) == job.token, col(TransferJob.keys_gone_at).is_(None))
                .values(keys_gone_at=now, version=TransferJob.version + 1)
            )
            if not done.rowcount:
                raise Unchanged
        return bool(unit.event_ids)

    def _rows(self, job: str) -> Iterator[Sequence[str]]:
        after = 0
        while True:
            with self.database.read() as session:
                found = session.execute(
                    select(ROWS.c.number, ROWS.c.subject_id)
                    .where(ROWS.c.job == job, ROWS.c.number > after)
                    .order_by(ROWS.c.number)
                    .limit(_CHUNK)
                ).all()
            if not found:
                return
            yield [subject for _, subject in found]
            after = found[-1][0]

    def _conflicts(self, job: str) -> Iterator[Sequence[str]]:
        with self.database.read() as session:
            ids = list(
                session.execute(select(col(TransferConflict.id)).where(col(TransferConflict.job) == job)).scalars()
            )
        for first in range(0, len(ids), _CHUNK):
            yield ids[first : first + _CHUNK]


def _ended(session: Session) -> list[TransferJob]:
    found = session.execute(
        select(TransferJob)
        .where(col(TransferJob.ended_at).is_not(None), col(TransferJob.keys_gone_at).is_(None))
        .order_by(col(TransferJob.ended_at))
    )
    return list(found.scalars())


def _is_due(session: Session, job: TransferJob, now: datetime) -> bool:
    """The longer period of both companies counts."""
    if job.ended_at is None:
        return False
    ended = shanghai_date(job.ended_at)
    tenants = filter(None, (job.tenant, job.source_tenant))
    days = [due_from(RULES[OF_ROWS], ended, retention_of(session, tenant)) for tenant in tenants]
    return shanghai_date(now) >= max(days)


def _is_held(session: Session, job: str) -> bool:
    """Whether an order stands to keep what is said of one of its customers."""
    of_row = exists().where(ROWS.c.job == job, ROWS.c.subject_id == col(LegalHold.subject_id)) | exists().where(
        ROWS.c.job == job, RECORDS.c.id == ROWS.c.target_record, RECORDS.c.subject_id == col(LegalHold.subject_id)
    )
    held = select(col(LegalHold.id)).where(col(LegalHold.state).in_([each.value for each in STANDING]), of_row).limit(1)
    return session.execute(held).first() is not None
