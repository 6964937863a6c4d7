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
from models.contracts.installments import CaseNews, DecideInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import case_of_start, start_key
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
        entries = await asyncio.to_thread(self._due, now, (OutboxKind.START, OutboxKind.DECISION))
        for kind in (OutboxKind.START, OutboxKind.DECISION):
            batch = [entry for entry in entries if entry.kind == kind]
            for first in range(0, len(batch), _AT_ONCE):
                await asyncio.gather(*(self._send(entry) for entry in batch[first : first + _AT_ONCE]))
        # Apart from the others: thousands of cases may have news on one day, and a decision must not wait behind them.
        return len(entries) + await self.tell_cases(now)

    async def tell_cases(self, now: datetime) -> int:
        """Tell cases their news: several at once, but each case in the order in which things happened."""
        waiting = await asyncio.to_thread(self._news, now)
        cases = list(waiting.values())
        told: list[str] = []
        for first in range(0, len(cases), _AT_ONCE):
            for arrived in await asyncio.gather(*(self._tell(news) for news in cases[first : first + _AT_ONCE])):
                told += arrived
        if told:
            await asyncio.to_thread(self._close, told)
        return len(told)

    async def _tell(self, news: list[OutboxEntry]) -> list[str]:
        """What of one case's news has arrived. The first that does not holds back the rest."""
        arrived = []
        for entry in news:
            _, kind, business_date = entry.business_key.split("/")
            told = CaseNews(key=entry.business_key, kind=kind, business_date=business_date)
            fate = await self.dispatcher.tell(entry.workflow_id, told)
            self.metrics.count_relay(kind=entry.kind, result="arrived" if fate is Fate.APPLIED else fate)
            has_ended = fate is Fate.GONE and await asyncio.to_thread(self._has_started, entry)
            if fate is not Fate.APPLIED and not has_ended:
                await asyncio.to_thread(self._note_try, entry)
                break
            arrived.append(entry.id)
        return arrived

    def _news(self, now: datetime) -> dict[str, list[OutboxEntry]]:
        """Open news by case, of the cases that have some to be tried now."""
        with self.database.read() as session:
            due = outbox.due(session, now=now, limit=_BATCH, kinds=(OutboxKind.NEWS,))
            cases: dict[str, list[OutboxEntry]] = {entry.workflow_id: [] for entry in due}
            for entry in outbox.open_news(session, workflow_ids=cases) if cases else ():
                cases[entry.workflow_id].append(entry)
        # A case whose oldest news failed rests until that is due again.
        return {case: news for case, news in cases.items() if news and news[0].next_try_at <= now}

    def _close(self, entry_ids: list[str]) -> None:
        with bookkeeping(self.database) as session:
            outbox.close_all(session, entry_ids=entry_ids, now=self.clock())

    async def _send(self, entry: OutboxEntry) -> None:
        if entry.kind == OutboxKind.START:
            # The row is closed by the workflow's first step; a start that has arrived is only not sent again so soon.
            started = await self.dispatcher.start(entry.workflow_id)
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

    def _due(self, now: datetime, kinds: tuple[OutboxKind, ...]) -> list[OutboxEntry]:
        with self.database.read() as session:
            return outbox.due(session, now=now, limit=_BATCH, kinds=kinds)

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
            target=case_of_start(start_key(entry.workflow_id)),
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
