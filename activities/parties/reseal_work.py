"""What the parts of a change of suite share: the change, its commits, its rests."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy.exc import IntegrityError
from temporalio import activity
from temporalio.exceptions import CancelledError

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.renewal import SUITES_BY_NAME
from compliance.vault.suites import Suite
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.suite_changes import SuiteName
from models.operations.suite_changes import count_in
from models.tables.suite_changes import SuiteChange

# A unit of work holds the one writer's lock of SQLite: short enough for people who wait beside it.
CHUNK: Final = 200
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Something sealed, by name: never what is in it."""

    table: str
    column: str
    row: str

    def told(self) -> dict[str, str]:
        """As it stands in the change's record and in events."""
        return {"table": self.table, "column": self.column, "row": self.row}


@dataclass(slots=True)
class Found:
    """What a step over subjects came upon.

    Attributes:
        touched: subjects of whom something lay under an old key or index when it was read.
        unopened: what could not be opened, or contradicts what stands beside it.
        stuck: the subjects whose that is.
    """

    touched: set[str] = field(default_factory=set)
    unopened: list[Place] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)

    def name(self, place: Place, subject: str) -> None:
        """Something of a subject cannot be sealed anew."""
        self.unopened.append(place)
        self.stuck.add(subject)
        self.touched.add(subject)


@dataclass(frozen=True, slots=True)
class ResealWork:
    """One change, with what is needed to write."""

    database: Database
    vault: Vault
    clock: Clock
    files_root: Path
    change: SuiteChange

    @property
    def tenant(self) -> str:
        """Whose."""
        return self.change.tenant

    @property
    def suite(self) -> Suite:
        """Under which everything is to lie."""
        return SUITES_BY_NAME[SuiteName(self.change.suite)]

    def in_chunks(
        self, items: Sequence[T], act: Callable[[Unit, Sequence[T]], Mapping[str, int]], *, action: str
    ) -> list[T]:
        """Write all items, a chunk in each unit of work with its event and figures.

        Args:
            items: what is to be written.
            act: writes a chunk and answers its figures; nothing written, no event.
            action: of the event.

        Returns:
            Items that a constraint of the database refuses; the others are written.
        """
        refused: list[T] = []
        for first in range(0, len(items), CHUNK):
            refused += self._chunk(items[first : first + CHUNK], act, action)
            self.rest()
        return refused

    def deed(self, action: str, now: datetime, **facts: Any) -> Deed:
        """An event of this change."""
        return Deed(
            tenant=self.tenant,
            action=action,
            target=self.change.id,
            actor="workflow",
            at=now,
            facts={"suite": self.change.suite, **facts},
        )

    def rest(self) -> None:
        """Let others write, and tell Temporal that we live.

        Raises:
            CancelledError: the worker stops; what is left is for the next try.
        """
        self.beat()
        if self.database.is_sqlite:
            time.sleep(_REST_S)

    @staticmethod
    def beat() -> None:
        """Tell Temporal that we live.

        Raises:
            CancelledError: the worker stops.
        """
        if activity.in_activity():
            activity.heartbeat()
            if activity.is_cancelled():
                raise CancelledError

    def _chunk(self, items: Sequence[T], act: Callable[[Unit, Sequence[T]], Mapping[str, int]], action: str) -> list[T]:
        try:
            with unit_of_work(self.database, self.deed(action, self.clock())) as unit:
                figures = {name: count for name, count in act(unit, items).items() if count}
                if not figures:
                    raise Unchanged
                count_in(unit.session, self.change.id, figures)
                unit.deed.facts |= figures
        except IntegrityError:
            if len(items) == 1:
                return list(items)
            half = len(items) // 2
            return [*self._chunk(items[:half], act, action), *self._chunk(items[half:], act, action)]
        return []
