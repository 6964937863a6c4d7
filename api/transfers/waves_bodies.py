"""Shapes of waves (批次), changes of a record (变更日志) and conflicts (冲突)."""

from datetime import datetime
from typing import Any, Literal

from api.bodies import Answer, Body

UndoReason = Literal["moved-wrongly", "customer-objects", "merged-wrongly", "drill"]


class WaveAnswer(Answer):
    """One wave. `rootBefore`, `rootAfter`, `rootUndone`: over what the wave touches of the book, bit by bit.

    `checked`: what the account at its end has found, by column, on the side of the rows and on that of the book.
    """

    number: int
    attempt: int
    state: str
    rows: int
    moved: int
    failed: int
    conflicts: int
    root_before: str | None
    root_after: str | None
    root_undone: str | None
    begun_at: datetime | None
    ended_at: datetime | None
    checked: dict[str, Any] | None


class WaveList(Answer):
    """All waves of a job."""

    items: list[WaveAnswer]


class FieldChange(Answer):
    """A field before and after, masked. What is masked alike on both sides may still differ: `changed` tells."""

    field: str
    before: str | None
    after: str | None
    changed: bool


class ChangeAnswer(Answer):
    """One line of the journal. `readable`: false once the record's key is destroyed; then no field is shown."""

    id: str
    wave: int
    attempt: int
    row: int
    kind: str
    version_before: int | None
    version_after: int
    at: datetime
    undone_at: datetime | None
    conflict: bool
    readable: bool
    fields: list[FieldChange]


class ChangeList(Answer):
    """What a job did to a record, in the order in which it did it."""

    record: str
    items: list[ChangeAnswer]


class RollbackRequestBody(Body):
    """Why a record is to be put back as it was before the job's last change of it."""

    reason_code: UndoReason


class ConflictAnswer(Answer):
    """One conflict. `row` and `record` are masked values of the fields that differ, where they can be opened."""

    id: str
    wave: int
    attempt: int
    row: int
    record: str | None
    kind: str
    kind_text: str
    fields: list[str]
    state: str
    proposal: str | None
    choice: str | None
    choices: list[str]
    reason_code: str | None
    decided_by: str | None
    second_by: str | None
    task_id: str | None
    opened_at: datetime
    decided_at: datetime | None
    row_values: dict[str, str | None] | None = None
    record_values: dict[str, str | None] | None = None


class ConflictPage(Answer):
    """Conflicts by row, a page at a time."""

    items: list[ConflictAnswer]
    end_cursor: str | None
