"""One call of a long step: part after part, each a commit of its own, with a rest and a beat between them."""

import time
from collections.abc import Iterator
from typing import Final

from temporalio import activity
from temporalio.exceptions import CancelledError

from models.database.engine import Database

TURN_S: Final = 20.0  # then the answer says where to go on, and the workflow asks again
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn


def turns(database: Database, *, for_s: float = TURN_S) -> Iterator[None]:
    """Once for each part, until the call should answer; the first comes in any case.

    Raises:
        CancelledError: the worker stops; what is left is for the next try.
    """
    began = time.monotonic()
    yield
    while time.monotonic() - began < for_s:
        if activity.in_activity():
            activity.heartbeat()
            if activity.is_cancelled():
                raise CancelledError
        if database.is_sqlite:
            time.sleep(_REST_S)
        yield
