"""How far a request for a rollback is. Pure."""

from enum import StrEnum
from typing import Final


class RollbackState(StrEnum):
    """A request is open until its second person has said no, or until it is done."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DONE = "done"


OPEN_ROLLBACKS: Final = (RollbackState.PROPOSED, RollbackState.CONFIRMED)
