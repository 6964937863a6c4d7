"""Taking back what was handed downstream, when a record, a wave or a job is rolled back (下游撤回): once, in order.

A reversal is a part like any other, behind the parts that it takes back: what it holds and its name are fixed in SQL
before its first byte, last change first. A record that the job had brought is `removed`; one that was there before is
`restored`, with its values of before. Who was erased is told of behind that (`downstream_erasures`). No part of a
later attempt is handed before the reversals of the earlier ones.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from activities.duties.runner import Duty
from activities.transfers.downstream import FIXED, HANDED, PART, Downstream, hand_part, new_part, tells_of_erasures
from activities.transfers.downstream_content import ChangedRecord
from activities.transfers.downstream_erasures import erased_records, fix_erasures, jobs_with_erasures
from activities.transfers.wave_work import WaveWork, load_work
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.consumers import Consumer, consumers_of
from models.domain.transfers.images import columns_of
from models.domain.transfers.states import WaveState
from models.errors import CaseworkError, SubjectShredded
from models.operations.transfers.wave_moves import CHANGES
from models.tables.transfer_waves import TransferHandover
from models.tables.transfers import TransferWave

log = structlog.get_logger(__name__)
REMOVED: Final = "removed"
RESTORED: Final = "restored"
_LINES: Final = (
    CHANGES.c.row_number,
    CHANGES.c.record_id,
    CHANGES.c.kind,
    CHANGES.c.version_before,
    CHANGES.c.version_after,
    CHANGES.c.before_image,
    CHANGES.c.undone_at,
)


def hand_reversals(work: WaveWork, downstream: Downstream) -> int:
    """Hand every reversal that is due in this job, what was told last first, then who was erased; returns how many.

    Raises:
        GatewayUnavailable: a hook did not answer; the next try goes on there.
    """
    handed = 0
    for consumer in consumers_of(work.job.plan):
        told = _told_parts(work, consumer)
        for part in told:
            _fix(work, consumer, part)
        fix_erasures(work, consumer, told)
        for reversal in _waiting(work, consumer):
            records = erased_records if tells_of_erasures(reversal) else _records
            hand_part(work, downstream, consumer, reversal, records(work, reversal))
            work.rest()
            handed += 1
    return handed


def _told_parts(work: WaveWork, consumer: Consumer) -> list[TransferHandover]:
    """What a consumer was given, or may have been: of a wave that still stands it is what was handed over."""
    statement = (
        select(TransferHandover)
        .join(
            TransferWave,
            (col(TransferWave.job) == col(TransferHandover.job))
            & (col(TransferWave.number) == col(TransferHandover.wave)),
        )
        .where(
            col(TransferHandover.job) == work.job.token,
            col(TransferHandover.consumer) == consumer.name,
            col(TransferHandover.reversal).is_(False),
            col(TransferHandover.rows).is_not(None),
            # A part of a wave that stands and was not handed over yet will be, without what was undone.
            (col(TransferHandover.state) == HANDED)
            | (col(TransferWave.state) != WaveState.MOVED.value)
            | (col(TransferWave.attempt) != col(TransferHandover.attempt)),
        )
        # What was told last is taken back first: two waves may have changed one record.
        .order_by(
            col(TransferHandover.fixed_at).desc(),
            col(TransferHandover.wave).desc(),
            col(TransferHandover.attempt).desc(),
            col(TransferHandover.number).desc(),
        )
    )
    with work.database.read() as session:
        return list(session.execute(statement).scalars())


def _fix(work: WaveWork, consumer: Consumer, part: TransferHandover) -> None:
    """Name the rows of a part that were undone and not taken back yet, once."""
    with work.database.read() as session:
        if not _due(session, part):
            return
    deed = work.deed(
        "transfer.reversal-fixed", work.clock(), wave=part.wave, attempt=part.attempt, consumer=consumer.name
    )
    with unit_of_work(work.database, deed) as unit:
        # Two of us do not fix the same: the wave is held, as by whoever fixes its parts.
        unit.session.get_one(TransferWave, (part.job, part.wave), with_for_update=True, populate_existing=True)
        rows = _due(unit.session, part)
        if not rows:
            raise Unchanged
        at = work.at(part.wave, part.attempt)
        number = 1 + max(each.number for each in _of_attempt(unit.session, part))
        for first in range(0, len(rows), PART):
            chunk = rows[first : first + PART]
            unit.session.add(new_part(work, at, consumer, number, chunk, reversal=True))
            number += 1
        unit.session.flush()
        deed.facts |= {"part": part.number, "records": len(rows)}


def _due(session: Session, part: TransferHandover) -> list[int]:
    """Rows that a consumer has, and the book has no more, last first."""
    undone = session.execute(
        select(CHANGES.c.row_number).where(
            CHANGES.c.job == part.job,
            CHANGES.c.attempt == part.attempt,
            CHANGES.c.row_number.in_(part.rows or []),
            CHANGES.c.undone_at.is_not(None),
        )
    ).scalars()
    back = (each for each in _of_attempt(session, part) if each.reversal and not tells_of_erasures(each))
    taken = {row for each in back for row in each.rows or []}
    return sorted(set(undone) - taken, reverse=True)


def _of_attempt(session: Session, part: TransferHandover) -> Sequence[TransferHandover]:
    statement = select(TransferHandover).where(
        col(TransferHandover.job) == part.job,
        col(TransferHandover.wave) == part.wave,
        col(TransferHandover.attempt) == part.attempt,
        col(TransferHandover.consumer) == part.consumer,
    )
    return list(session.execute(statement).scalars())


def _waiting(work: WaveWork, consumer: Consumer) -> list[TransferHandover]:
    statement = (
        select(TransferHandover)
        .where(
            col(TransferHandover.job) == work.job.token,
            col(TransferHandover.consumer) == consumer.name,
            col(TransferHandover.reversal).is_(True),
            col(TransferHandover.state) == FIXED,
        )
        # As they were fixed: the parts of an attempt count on, of two waves the later one was first.
        .order_by(
            col(TransferHandover.fixed_at),
            col(TransferHandover.wave).desc(),
            col(TransferHandover.attempt).desc(),
            col(TransferHandover.number),
        )
    )
    with work.database.read() as session:
        return list(session.execute(statement).scalars())


def _records(work: WaveWork, reversal: TransferHandover) -> list[tuple[int, ChangedRecord]]:
    """What a consumer is to have again, in the order of the part."""
    statement = select(*_LINES).where(
        CHANGES.c.job == reversal.job,
        CHANGES.c.attempt == reversal.attempt,
        CHANGES.c.row_number.in_(reversal.rows or []),
    )
    with work.database.read() as session:
        lines = {line.row_number: line for line in session.execute(statement)}
    return [(row, record) for row in reversal.rows or [] for record in _record(work, lines[row])]


def _record(work: WaveWork, line: Any) -> Iterator[ChangedRecord]:
    """Who was erased since is nobody whose values are told, but is told to be gone."""
    if line.before_image is None:
        yield ChangedRecord(line.record_id, REMOVED, line.version_after, line.undone_at, {})
        return
    try:
        stored = stored_of(columns_of(line.before_image))
        [customer] = open_customers(work.vault, tenant=work.tenant, stored=[stored])
    except SubjectShredded:
        yield ChangedRecord(line.record_id, REMOVED, line.version_after, line.undone_at, {})
        return
    yield ChangedRecord(line.record_id, RESTORED, line.version_before, line.undone_at, customer.values)


@dataclass(slots=True)
class ReversalKeeper(Duty):
    """Hands reversals without a workflow: a person's word rolls back a record, and a rolled back job has ended.

    So it is with erasures: they come for as long as there are customers.
    """

    database: Database
    vault: Vault
    clock: Clock
    downstream: Downstream
    name: ClassVar[str] = "downstream-reversals"
    every: ClassVar[timedelta] = timedelta(seconds=15)

    async def run_once(self, now: datetime) -> int:  # noqa: ARG002 - a duty's signature
        """Go through once; returns how many reversals were handed."""
        return await asyncio.to_thread(self.sweep)

    def sweep(self) -> int:
        """As `run_once`; blocking. A consumer that does not answer holds up no other job."""
        return sum(self._job(token) for token in self._jobs())

    def _jobs(self) -> list[str]:
        """Jobs that have handed something over of which something was undone or erased."""
        undone = select(CHANGES.c.id).where(
            CHANGES.c.job == col(TransferHandover.job),
            CHANGES.c.wave == col(TransferHandover.wave),
            CHANGES.c.attempt == col(TransferHandover.attempt),
            CHANGES.c.undone_at.is_not(None),
        )
        statement = select(col(TransferHandover.job)).where(undone.exists()).distinct()
        with self.database.read() as session:
            return sorted({*session.scalars(statement), *session.scalars(jobs_with_erasures())})

    def _job(self, token: str) -> int:
        try:
            return hand_reversals(load_work(self.database, self.vault, self.clock, token), self.downstream)
        except CaseworkError as error:
            log.warning("downstream.reversal-waits", error_code=error.code)
        return 0
