"""Hearing of erasures by other processes: their tombstones are read every two seconds, when somebody asks for a key."""

from datetime import datetime, timedelta
from typing import Final

from compliance.vault import store
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import KeysUnavailable

SHREDS_HEARD_EVERY: Final = timedelta(seconds=2)  # how long another process may go on with a key that was destroyed
_CLOCKS_APART: Final = timedelta(minutes=1)  # of two processes


class Hearing:
    """Tells once in a while who was erased since the last time."""

    def __init__(self, database: Database, clock: Clock, *, begin: datetime) -> None:
        """Listen from an instant on: that of the oldest key that can be in memory."""
        self._database = database
        self._clock = clock
        self._heard_at = begin

    def shredded(self) -> list[tuple[str, str]]:
        """Tenant and id of who was erased since; nothing between two looks, or while the store does not answer."""
        now = self._clock()
        if timedelta() <= now - self._heard_at < SHREDS_HEARD_EVERY:
            return []
        try:
            gone = store.shredded_since(self._database, min(now, self._heard_at) - _CLOCKS_APART)
        except KeysUnavailable:
            return []  # what is in memory goes on until its time is over, as with any outage of the store
        self._heard_at = now
        return gone
