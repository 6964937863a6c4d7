"""Requests and answers about changes of suite."""

from datetime import datetime
from typing import Any, Self

from api.bodies import Answer, Body, Sha256Hex, Token
from models.domain.suite_changes import ChangeKind, ChangePhase, ChangeReason, ChangeState, SuiteName
from models.tables.suite_changes import SuiteChange


class SuiteChangeBody(Body):
    """What shall be sealed anew: everything of the institution under `suite`, or what is one person's."""

    suite: SuiteName | None = None
    subject_id: Token | None = None
    reason_code: ChangeReason


class SuiteChangeDecisionBody(Body):
    """The second person's word, bound to what was shown."""

    shown_hash: Sha256Hex


class PlaceAnswer(Answer):
    """Something sealed that could not be opened: where it lies, never what it is."""

    table: str
    column: str
    row: str


class KeysAnswer(Answer):
    """How many keys of people there are under the suite that is wanted, and under others."""

    moved: int
    left: int


class SuiteChangeAnswer(Answer):
    """A change of suite: what is wanted, by whom, how far it is, and what the last scan of all headers has found."""

    id: str
    kind: ChangeKind
    suite: SuiteName
    subject_id: str | None
    old_version: int | None
    reason_code: ChangeReason
    shown_hash: str
    state: ChangeState
    phase: ChangePhase | None
    passes: int
    figures: dict[str, int]
    keys: KeysAnswer
    unopened: list[PlaceAnswer]
    scan: dict[str, Any] | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, change: SuiteChange, keys: KeysAnswer) -> Self:
        """The answer for a change, with the keys as they stand now."""
        names = cls.model_fields.keys() - {"keys", "unopened"}
        return cls(
            **{name: getattr(change, name) for name in names},
            keys=keys,
            unopened=[PlaceAnswer(**place) for place in change.unopened],
        )


class SuiteChangeList(Answer):
    """The newest changes of the institution, at most 50."""

    items: list[SuiteChangeAnswer]
