"""Work of a day in chunks: one short transaction and one event each, a rest between them, and what breaks set apart."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy.exc import OperationalError
from temporalio import activity
from temporalio.exceptions import CancelledError, FailureError

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit, unit_of_work
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.daily import DayStep
from models.errors import CaseworkError
from models.operations.business_dates import Day, count_in, is_finished, note_exception

# A unit of work holds the one writer's lock of SQLite: short enough for people who wait beside it.
CHUNK: Final = 100
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn
_CODE_LENGTH: Final = 40

T = TypeVar("T")
Act = Callable[[Unit, Sequence[T], datetime], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class DayWork:
    """One step of one business date, with what it needs to write.

    Attributes:
        is_bank_day: the bank's calendar, which raises `LookupError` for a year without a table; None: every day is one.
    """

    database: Database
    clock: Clock
    day: Day
    step: DayStep
    is_bank_day: Callable[[date], bool] | None = None

    def in_chunks(self, items: Sequence[T], act: Act[T], *, name: Callable[[T], str], size: int = CHUNK) -> None:
        """Do `act` for all items; one that cannot be done goes to the exception queue and the others go on.

        Args:
            items: what is to be done.
            act: does a chunk within a unit of work and answers its figures; raises `Unchanged` if all is done already.
            name: under which an item stands in the exception queue; an identifier.
            size: items of a transaction.

        Raises:
            DatabaseBusy: the database is away; the step is repeated later.
        """
        for first in range(0, len(items), size):
            self._chunk(items[first : first + size], act, name)
            self.rest()

    def once(self, act: Callable[[Unit, datetime], Mapping[str, int]], *, finished: bool = False) -> None:
        """One unit of work of this step, with its event and figures."""
        now = self.clock()
        with unit_of_work(self.database, self.deed(now)) as unit:
            figures = act(unit, now)
            count_in(unit.session, self.day, step=self.step, figures=figures, finished=finished)
            unit.deed.facts |= figures

    def finish(self) -> None:
        """Put the end of the step on record, once."""
        with self.database.read() as session:
            done = is_finished(session, self.day, step=self.step)
        if not done:
            self.once(lambda _unit, _now: {}, finished=True)

    def note(self, target: str, code: str) -> None:
        """Put one item into the exception queue."""
        now = self.clock()
        deed = self.deed(now, action="daily.exception", target=target, code=code)
        with unit_of_work(self.database, deed) as unit:
            note_exception(unit.session, self.day, step=self.step, target=target, code=code, now=now)

    def rest(self) -> None:
        """Let others write, and tell Temporal that we live.

        Raises:
            CancelledError: the worker stops, or the run is over; what is left is for the next try.
        """
        if activity.in_activity():
            activity.heartbeat()
            if activity.is_cancelled():
                raise CancelledError
        if self.database.is_sqlite:
            time.sleep(_REST_S)

    def deed(self, now: datetime, *, action: str | None = None, target: str | None = None, **facts: Any) -> Deed:
        """An event of this step."""
        return Deed(
            tenant=self.day.tenant,
            action=action or f"daily.{self.step}",
            target=target or f"daily/{self.day.tenant}/{self.day.on.isoformat()}",
            actor="daily-run",
            at=now,
            facts={"date": self.day.on.isoformat(), "step": self.step.value, **facts},
        )

    def _chunk(self, items: Sequence[T], act: Act[T], name: Callable[[T], str]) -> None:
        try:
            self.once(lambda unit, now: act(unit, items, now))
        except (OperationalError, FailureError):  # the database is away, or the worker stops
            raise
        except Exception as error:  # a defect in one agreement must not stop a bank's day
            if isinstance(error, CaseworkError) and error.retryable:
                raise
            if len(items) == 1:
                self.note(name(items[0]), code_of(error))
                return
            half = len(items) // 2
            self._chunk(items[:half], act, name)
            self._chunk(items[half:], act, name)


def code_of(error: Exception) -> str:
    """A failure as a code: its own, or the name of its type; never its text."""
    return (error.code if isinstance(error, CaseworkError) else type(error).__name__)[:_CODE_LENGTH]
