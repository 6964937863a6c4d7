"""A state as JSON and back: a snapshot to resume from; what comes back equals what went in."""

from typing import Final

from pydantic import TypeAdapter

from models.domain.servicing.state import State

_STATE: Final = TypeAdapter(State)


def state_json(state: State) -> str:
    """A state as JSON. Rows are lists in the order of `RowState`; holds amounts, dates and codes only."""
    return _STATE.dump_json(state).decode()


def state_from(text: str | bytes) -> State:
    """A state back from JSON.

    Raises:
        pydantic.ValidationError: this is not JSON of a state.
    """
    return _STATE.validate_json(text)
