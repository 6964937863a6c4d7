"""What backups, rows, pairs, waves and the change journal of a job say to the rules."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from models.domain.transfers.conflicts import Choice, ConflictKind, ConflictState
from models.domain.transfers.states import BackupState, MatchVerdict, MoveState, RowOutcome
from models.queries.transfers.jobs import sides_of
from models.tables.transfer_notices import TransferFollowUp
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import (
    TransferBackup,
    TransferChange,
    TransferJob,
    TransferPair,
    TransferRow,
    TransferWave,
)


def moved_facts(session: Session, job: TransferJob, *, now: datetime) -> dict[str, object]:
    """Counts and moments as they are at `now`."""
    return (
        _backup_facts(session, job, now=now)
        | _row_facts(session, job)
        | _change_facts(session, job.token)
        | _correction_facts(session, job.token)
    )


def _backup_facts(session: Session, job: TransferJob, *, now: datetime) -> dict[str, object]:
    """A backup counts only when its restore was proven, for every side; the newest of a side is the one that counts."""
    newest: dict[str, TransferBackup] = {}
    for row in session.exec(
        select(TransferBackup).where(col(TransferBackup.job) == job.token).order_by(col(TransferBackup.number))
    ):
        newest[row.side] = row
    sides = sides_of(job)
    tested = all(side in newest and newest[side].state == BackupState.PROVEN for side in sides)
    facts: dict[str, object] = {"restore_tested": tested}
    if all(side in newest for side in sides):
        # Containers are sealed as they are written: there is no other way to make one.
        facts |= {"backup_made_at": max(newest[side].made_at for side in sides), "backup_encrypted": True}
    begun = session.exec(select(func.min(TransferWave.begun_at)).where(col(TransferWave.job) == job.token)).one()
    return facts | {"first_write_at": begun or now, "c3_stored_encrypted": True}


def _row_facts(session: Session, job: TransferJob) -> dict[str, object]:
    """How many persons are moved, and what is not resolved of them."""
    counts: dict[str | None, int] = {
        outcome: int(count)
        for outcome, count in session.exec(
            select(TransferRow.outcome, func.count())
            .where(col(TransferRow.job) == job.token)
            .group_by(col(TransferRow.outcome))
        )
    }
    conflicts = _count(session, TransferRow, job.token, col(TransferRow.move) == MoveState.CONFLICT.value)
    reviews = _count(session, TransferPair, job.token, col(TransferPair.verdict) == MatchVerdict.REVIEW.value)
    unverified = counts.get(None, 0)
    moving = counts.get(RowOutcome.ACCEPTED, 0) + counts.get(RowOutcome.MERGED, 0)
    planned = int(job.plan.get("scope", {}).get("customers", 0))
    return {
        "subjects": moving if counts else planned,
        "export_persons": moving if counts else planned,
        "key_field_mismatches": conflicts,
        "mismatches_open": reviews + unverified,
    }


def _change_facts(session: Session, job: str) -> dict[str, object]:
    """Updates of records that were there before; each keeps the record before and after."""
    updates = (col(TransferChange.kind) == "update", col(TransferChange.undone_at).is_(None))
    changed = _count(session, TransferChange, job, *updates)
    with_diff = _count(session, TransferChange, job, *updates, col(TransferChange.before_image).is_not(None))
    # What a wave may change of a key field both companies have approved with the plan, and a third person let go; what
    # it may not is a conflict, and there the row's values win only by the word of two.
    alone = _count(
        session,
        TransferConflict,
        job,
        col(TransferConflict.kind) == ConflictKind.KEY_FIELDS.value,
        col(TransferConflict.state) == ConflictState.DECIDED.value,
        col(TransferConflict.choice) == Choice.TAKE.value,
        col(TransferConflict.second_by).is_(None),
    )
    return {
        "key_changes": changed,
        "key_changes_with_diff": with_diff,
        "key_changes_by_two": max(0, changed - alone),
    }


def _correction_facts(session: Session, job: str) -> dict[str, object]:
    asked = _count(session, TransferFollowUp, job, col(TransferFollowUp.kind) == "correction")
    waiting = _count(
        session,
        TransferFollowUp,
        job,
        col(TransferFollowUp.kind) == "correction",
        col(TransferFollowUp.state) == "open",
    )
    return {"correction_asked": asked > 0, "correction_checked": waiting == 0, "correction_made": waiting == 0}


def _count(session: Session, table: type, job: str, *conditions: object) -> int:
    query = select(func.count()).select_from(table).where(table.job == job, *conditions)  # type: ignore[attr-defined,arg-type]
    return int(session.exec(query).one())
