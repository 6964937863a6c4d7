"""The relay: sends again what has not arrived, under the same ids, until it is accepted, refused or pointless."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlmodel import Session, col, select

from activities.duties.runner import Duty
from compliance.audit.unit import bookkeeping
from compliance.payloads.dispatch import Dispatcher, Fate, record_refusal
from compliance.telemetry.metrics import Metrics
from models.contracts.installments import DecideInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.states import OutboxKind
from models.operations import decisions, outbox
from models.tables.platform import OutboxEntry

_AT_ONCE: Final = 16
_BATCH: Final = 200


@dataclass(slots=True)
class Relay(Duty):
    """Works through open outbox rows. `budget` is how long it waits for one answer."""

    database: Database
    dispatcher: Dispatcher
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    budget: timedelta = timedelta(seconds=5)
    name: ClassVar[str] = "relay"
    every: ClassVar[timedelta] = timedelta(milliseconds=500)

    async def run_once(self, now: datetime) -> int:
        """Send what is due; starts before decisions, since a decision needs its workflow."""
        entries = await asyncio.to_thread(self._due, now)
        for kind in (OutboxKind.START, OutboxKind.DECISION):
            batch = [entry for entry in entries if entry.kind == kind]
            for first in range(0, len(batch), _AT_ONCE):
                await asyncio.gather(*(self._send(entry) for entry in batch[first : first + _AT_ONCE]))
        return len(entries)

    async def _send(self, entry: OutboxEntry) -> None:
        if entry.kind == OutboxKind.START:
            # The row is closed by the workflow's first step; a start that has arrived is only not sent again so soon.
            started = await self.dispatcher.start_case(entry.business_key)
            self.metrics.count_relay(kind=entry.kind, result="arrived" if started else Fate.UNANSWERED)
            await asyncio.to_thread(self._note_try, entry)
            return
        workflow_id, decision = await asyncio.to_thread(self._decision, entry.business_key)
        answer = await self.dispatcher.send(workflow_id, decision, budget=self.budget)
        self.metrics.count_relay(kind=entry.kind, result=answer.fate)
        if answer.fate is Fate.REFUSED:
            await asyncio.to_thread(self._refuse, entry, answer.reason or "wrong-state")
        elif answer.fate is Fate.GONE and await asyncio.to_thread(self._has_started, entry):
            await asyncio.to_thread(self._refuse, entry, "workflow-gone")
        else:
            # Applied: the workflow's own write has closed the row. Unanswered: try again after a pause.
            await asyncio.to_thread(self._note_try, entry)

    def _due(self, now: datetime) -> list[OutboxEntry]:
        with self.database.read() as session:
            return outbox.due(session, now=now, limit=_BATCH)

    def _decision(self, decision_id: str) -> tuple[str, DecideInput]:
        with self.database.read() as session:
            return decisions.decide_input(session, decision_id=decision_id)

    def _note_try(self, entry: OutboxEntry) -> None:
        with bookkeeping(self.database) as session:
            outbox.tried(session, entry_id=entry.id, attempts=entry.attempts, now=self.clock())

    def _refuse(self, entry: OutboxEntry, reason: str) -> None:
        record_refusal(
            self.database,
            tenant=entry.tenant,
            target=entry.workflow_id.partition("/")[2],
            decision_id=entry.business_key,
            reason=reason,
            now=self.clock(),
        )

    def _has_started(self, entry: OutboxEntry) -> bool:
        """Whether the case's start has arrived: only then does "no such workflow" mean that it has ended."""
        with self.database.read() as session:
            return not _start_is_open(session, entry.workflow_id)


def _start_is_open(session: Session, workflow_id: str) -> bool:
    return (
        session.exec(
            select(OutboxEntry.id).where(
                col(OutboxEntry.kind) == OutboxKind.START,
                col(OutboxEntry.workflow_id) == workflow_id,
                col(OutboxEntry.done_at).is_(None),
            )
        ).first()
        is not None
    )
