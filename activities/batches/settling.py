"""A run's orders brought to their end, and held against files, books and statement; in parts, so that any run fits."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from temporalio import activity
from temporalio.exceptions import CancelledError

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.database.engine import Database
from models.domain.batches.reconciling import Reconciliation
from models.domain.batches.settings import DEFAULTS
from models.domain.batches.states import OrderState
from models.domain.clock import Clock
from models.operations.batches.finals import Term, write_finals
from models.queries.bank_days import bank_days_of
from models.queries.batches.sides import START, Place, file_sides, order_sides, orders_after, place_of, run_sides
from models.tables.batch_runs import BatchRun
from models.tables.daily import BusinessDate

PART: Final = 500
_TURN: Final = timedelta(seconds=20)
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn


@dataclass(frozen=True, slots=True)
class Settling:
    """One run at its end."""

    database: Database
    clock: Clock
    is_bank_day: Callable[[date], bool]
    run: BatchRun

    def settle(self, after: Place | None) -> tuple[Place | None, int]:
        """Write the ends of orders from here on, for a turn.

        Returns:
            Where to go on, None at the end; and how many got their end.
        """
        began, done, place = time.monotonic(), 0, after or START
        while True:
            found, ended = self._part(place)
            done += ended
            if found is None:
                return None, done
            place = found
            if time.monotonic() - began > _TURN.total_seconds():
                return place, done
            self._rest()

    def reconcile(self) -> tuple[Reconciliation, int]:
        """All sides as they are now; and how many orders wait for their term of returns to be over."""
        found, waiting, place = Reconciliation(), 0, START
        while True:
            with self.database.read() as session:
                orders = orders_after(session, self.run.token, place, limit=PART)
                within = [each for each in orders if each.final_state is None and each.state == OrderState.SETTLED]
                waiting += len(within)
                found.add_orders(order_sides(session, orders))
            if len(orders) < PART:
                break
            place = place_of(orders[-1])
            self._rest()
        with self.database.read() as session:
            run = session.get_one(BatchRun, self.run.token)
            found.add_files(file_sides(session, run.token))
            found.add_run(run_sides(session, run), name=run.token)
        return found, waiting

    def _part(self, after: Place) -> tuple[Place | None, int]:
        now = self.clock()
        deed = Deed(
            tenant=self.run.tenant,
            action="batch.orders-settled",
            target=self.run.token,
            actor="workflow",
            at=now,
        )
        found, ended = None, 0
        with unit_of_work(self.database, deed) as unit:
            session = unit.session
            orders = orders_after(session, self.run.token, after, limit=PART, open_only=True)
            found = place_of(orders[-1]) if len(orders) == PART else None
            today = session.get_one(BusinessDate, self.run.tenant).today
            term = Term(
                today=today,
                return_days=int(self.run.settings.get("returnDays", DEFAULTS.return_days)),
                is_bank_day=bank_days_of(session, self.run.tenant, otherwise=self.is_bank_day),
            )
            ended = write_finals(session, orders, term=term, now=now)
            if not ended:
                raise Unchanged
            deed.facts = {"orders": ended, "on": today.isoformat()}
        return found, ended

    def _rest(self) -> None:
        if activity.in_activity():
            activity.heartbeat()
            if activity.is_cancelled():
                raise CancelledError
        if self.database.is_sqlite:
            time.sleep(_REST_S)
