"""Long steps in chunks: one short transaction and one event each, a rest, and a beat."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import CancelledError

from compliance.audit.deeds import Deed
from models.database.engine import Database
from models.domain.clock import Clock

CHUNK: Final = 500
TURN: Final = timedelta(seconds=20)  # then the answer says where to go on, and the workflow asks again
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn


@dataclass(frozen=True, slots=True)
class ChunkedWork:
    """One turn of one step.

    Attributes:
        began: of this process's monotonic clock.
    """

    database: Database
    clock: Clock
    tenant: str
    target: str
    began: float

    @property
    def turn_is_over(self) -> bool:
        """Whether the step should answer, for the workflow to ask again."""
        return time.monotonic() - self.began > TURN.total_seconds()

    def deed(self, action: str, **facts: Any) -> Deed:
        """An event of this step."""
        return Deed(
            tenant=self.tenant, action=action, target=self.target, actor="workflow", at=self.clock(), facts=facts
        )

    def rest(self) -> None:
        """Let others write, and tell Temporal that we live.

        Raises:
            CancelledError: the worker stops; what is left is for the next try.
        """
        if activity.in_activity():
            activity.heartbeat()
            if activity.is_cancelled():
                raise CancelledError
        if self.database.is_sqlite:
            time.sleep(_REST_S)
