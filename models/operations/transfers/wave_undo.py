"""Putting back what a job did to records (回滚): last change first, and only where a record is as the change left it.

An undo opens nothing: images hold the sealed columns. What was inserted is removed; its keys are destroyed afterwards
by the caller, since no transaction spans the two stores. A record that somebody has changed since is a conflict.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import Session

from models.domain.transfers.conflicts import ConflictKind
from models.domain.transfers.images import columns_of, image_of
from models.domain.transfers.states import MoveState
from models.operations.transfers.conflicts import NewConflict, open_conflicts
from models.operations.transfers.departures import come_back
from models.operations.transfers.wave_moves import CHANGES, RECORDS, ROWS, WaveAt, overwrite_records, records_by_id

INSERT: Final = "insert"


@dataclass(slots=True)
class Undone:
    """What was put back.

    Attributes:
        lines: row number, record, and the image before, of each change that was undone; None of what was removed.
        subjects: whose keys are to be destroyed.
        conflicts: row numbers.
        returned: how many records the giving company has again.
        erased: row numbers whose record was erased since: it is left alone, and its lines stand.
    """

    restored: int = 0
    removed: int = 0
    lines: list[tuple[int, str, bytes | None]] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    returned: int = 0
    erased: list[int] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """For the event."""
        figures = {
            "undone": len(self.lines),
            "restored": self.restored,
            "removed": self.removed,
            "conflicts": len(self.conflicts),
        }
        return figures | {name: count for name, count in self._rarely().items() if count}

    def _rarely(self) -> dict[str, int]:
        return {"returned": self.returned, "erased": len(self.erased)}


@dataclass(slots=True)
class _Plan:
    """What becomes of each record."""

    remove: list[str] = field(default_factory=list)
    restore: list[dict[str, Any]] = field(default_factory=list)
    undone: list[dict[str, Any]] = field(default_factory=list)
    stuck: list[dict[str, Any]] = field(default_factory=list)
    erased: list[dict[str, Any]] = field(default_factory=list)


def undo_records(
    session: Session, at: WaveAt, record_ids: Sequence[str], *, now: datetime, force: bool = False
) -> Undone:
    """Undo every change that this attempt of the wave made to these records and that is not undone yet.

    Args:
        session: of the unit; the wave is held.
        at: the wave.
        record_ids: each once; the caller has seen to it that they are few.
        now: when.
        force: also where somebody has changed a record since: two persons have decided so.
    """
    changes = _changes(session, at, record_ids, with_conflicts=force)
    present = records_by_id(session, sorted({each["record_id"] for each in changes}), lock=True)
    plan = _Plan()
    of_record: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        of_record[change["record_id"]].append(change)
    for record_id, mine in of_record.items():
        _plan_record(plan, present.get(record_id), mine, force=force)
    return _carry_out(session, at, plan, now=now)


def _changes(session: Session, at: WaveAt, record_ids: Sequence[str], *, with_conflicts: bool) -> list[dict[str, Any]]:
    statement = (
        select(*CHANGES.c)
        .where(
            CHANGES.c.record_id.in_(list(record_ids)),
            CHANGES.c.job == at.job,
            CHANGES.c.wave == at.wave,
            CHANGES.c.attempt == at.attempt,
            CHANGES.c.undone_at.is_(None),
        )
        .order_by(CHANGES.c.row_number)
        .with_for_update()
    )
    if not with_conflicts:
        statement = statement.where(CHANGES.c.conflict.is_(False))
    return [dict(row) for row in session.execute(statement).mappings()]


def _plan_record(plan: _Plan, record: dict[str, Any] | None, changes: list[dict[str, Any]], *, force: bool) -> None:
    """Changes of one record form a chain: what one left is what the next one found.

    Who was erased since is held out: an image from before would bring back what finds them, and no key is left anyway.
    """
    if record is not None and record["erased_at"] is not None:
        plan.erased += changes
        return
    chain = _in_order(changes)
    silent = [each for each in chain if each["before_image"] == each["after_image"]]
    loud = [each for each in chain if each["before_image"] != each["after_image"]]
    plan.undone += silent  # they changed nothing: nothing is put back, whatever happened since
    if not loud:
        return
    as_left = record is not None and image_of(record) == loud[0]["after_image"] and _is_chain(loud)
    if not as_left and not (force and record is not None):
        plan.stuck += loud
        return
    oldest = loud[-1]
    if oldest["kind"] == INSERT:
        plan.remove.append(oldest["record_id"])
    else:
        plan.restore.append(columns_of(oldest["before_image"]))
    plan.undone += loud


def _in_order(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Newest first."""
    return sorted(changes, key=lambda each: (each["version_after"], each["row_number"]), reverse=True)


def _is_chain(changes: list[dict[str, Any]]) -> bool:
    return all(newer["before_image"] == older["after_image"] for newer, older in pairwise(changes))


def _carry_out(session: Session, at: WaveAt, plan: _Plan, *, now: datetime) -> Undone:
    removed = {each: each for each in plan.remove}
    if removed:
        session.execute(delete(RECORDS).where(RECORDS.c.id.in_(list(removed))))
    overwrite_records(session, plan.restore)
    numbers = [each["row_number"] for each in plan.undone]
    _mark(session, at.job, numbers, at.attempt, now)
    returned = come_back(session, at.job, numbers, now=now) if numbers else 0
    _mark_conflicts(session, at, plan.stuck, now)
    return Undone(
        restored=len(plan.restore),
        removed=len(plan.remove),
        lines=[(each["row_number"], each["record_id"], each["before_image"]) for each in plan.undone],
        subjects=[
            columns_of(each["after_image"])["subject_id"]
            for each in plan.undone
            if each["kind"] == INSERT and each["record_id"] in removed
        ],
        conflicts=[each["row_number"] for each in plan.stuck],
        returned=returned,
        erased=[each["row_number"] for each in plan.erased],
    )


def _mark(session: Session, job: str, numbers: Sequence[int], attempt: int, now: datetime) -> None:
    if not numbers:
        return
    session.connection().execute(
        update(CHANGES)
        .where(CHANGES.c.job == job, CHANGES.c.attempt == attempt, CHANGES.c.row_number == bindparam("b_number"))
        .values(undone_at=now, conflict=False),
        [{"b_number": number} for number in numbers],
    )
    session.connection().execute(
        update(ROWS)
        .where(ROWS.c.job == job, ROWS.c.number == bindparam("b_number"))
        .values(move=MoveState.UNDONE.value, version=ROWS.c.version + 1),
        [{"b_number": number} for number in numbers],
    )


def _mark_conflicts(session: Session, at: WaveAt, stuck: Sequence[dict[str, Any]], now: datetime) -> None:
    if not stuck:
        return
    numbers = [each["row_number"] for each in stuck]
    session.execute(
        update(CHANGES)
        .where(CHANGES.c.job == at.job, CHANGES.c.attempt == at.attempt, CHANGES.c.row_number.in_(numbers))
        .values(conflict=True)
    )
    session.execute(
        update(ROWS)
        .where(ROWS.c.job == at.job, ROWS.c.number.in_(numbers))
        .values(move=MoveState.CONFLICT.value, version=ROWS.c.version + 1)
    )
    open_conflicts(
        session,
        [
            NewConflict(
                at.tenant, at.job, at.wave, at.attempt, each["row_number"], ConflictKind.UNDO, each["record_id"],
                each["version_after"],
            )
            for each in stuck
        ],
        now=now,
    )  # fmt: skip
