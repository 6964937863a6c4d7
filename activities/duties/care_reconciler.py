"""The reconciler of after-care: holds tasks of follow-ups and tickets against their workflows, and mends them."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from activities.duties.reconciling import Reconciling
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.platform import Fence
from models.domain.ids import care_item
from models.domain.states import TicketOutcome
from models.operations import follow_ups, tickets
from models.queries.open_items import OpenItem, open_care_items


@dataclass(slots=True)
class CareReconciler(Reconciling):
    """One pass over open follow-ups and tickets."""

    name: ClassVar[str] = "care-reconciler"
    every: ClassVar[timedelta] = timedelta(minutes=5)

    async def run_once(self, now: datetime) -> int:
        """Ask every open item's workflow; returns how many rows were mended."""
        before = self.drift.total()
        await self.check(await asyncio.to_thread(self._items, now - self.settled_after))
        return self.drift.total() - before

    def _items(self, before: datetime) -> list[OpenItem]:
        with self.database.read() as session:
            return open_care_items(session, before=before)

    async def mend_ended(self, item: OpenItem) -> None:
        """What ends in the ordinary way has closed its records before: an operator terminated this one."""
        await asyncio.to_thread(self._end, item, self.clock())

    def _end(self, item: OpenItem, now: datetime) -> None:
        self.mend_tasks(item, None, now)
        self._drop(item, now)

    def _drop(self, item: OpenItem, now: datetime) -> None:
        """Whoever waits for the item sees that nobody has it in hand."""
        fence, name = Fence(epoch=item.last.epoch, seq=item.last.seq + 1), care_item(item.workflow_id)
        with unit_of_work(self.database, self.deed(item, "aftercare.dropped", now, item=name)) as unit:
            if item.workflow_id.startswith("tickets/"):
                done = tickets.close_ticket(unit.session, name, outcome=TicketOutcome.DROPPED, fence=fence, now=now)
            else:
                done = follow_ups.drop(unit.session, name, fence=fence, now=now)
            if not done:
                raise Unchanged
            self.count("state")
