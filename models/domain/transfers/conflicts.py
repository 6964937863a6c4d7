"""Conflicts of a wave (冲突): why a person is asked, and what they may answer. Pure."""

from enum import StrEnum
from typing import Final

from models.domain.customers.record import KEY_FIELDS


class ConflictKind(StrEnum):
    """Why a row or a change waits."""

    KEY_FIELDS = "key-fields"  # row and record are one person, and differ in who that is or how they are reached
    RECORD_CHANGED = "record-changed"  # somebody else changed the record between reading and writing it
    NUMBER_TAKEN = "number-taken"  # another customer of the target has this number (客户号)
    UNDO = "undo"  # the record is no longer as the change had left it


class Choice(StrEnum):
    """What a person may decide."""

    KEEP = "keep"  # the target's record stays as it is
    TAKE = "take"  # the row's values win; of an undo: the record becomes what it was before the change
    HOLD = "hold"  # the row is set aside and moves nothing


CHOICES: Final[dict[ConflictKind, tuple[Choice, ...]]] = {
    ConflictKind.KEY_FIELDS: (Choice.KEEP, Choice.TAKE, Choice.HOLD),
    ConflictKind.RECORD_CHANGED: (Choice.KEEP, Choice.TAKE, Choice.HOLD),
    ConflictKind.NUMBER_TAKEN: (Choice.HOLD,),
    ConflictKind.UNDO: (Choice.KEEP, Choice.TAKE),
}


class ConflictState(StrEnum):
    """Whether a person is still asked."""

    OPEN = "open"
    PROPOSED = "proposed"  # one person has decided about a key field; a second one must agree (四眼)
    DECIDED = "decided"


def needs_second(kind: ConflictKind, choice: Choice, fields: tuple[str, ...]) -> bool:
    """Whether a second person must agree: wherever a key field, or somebody else's change, would be overwritten."""
    return choice is Choice.TAKE and (kind is ConflictKind.UNDO or bool(KEY_FIELDS & set(fields)))
