"""Judging rows that were read (校验): accepted, or held in quarantine with a record task each; figures of quality."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, func, select

from activities.batches.run_work import RunWork
from activities.support.chunked import CHUNK
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_steps import PartDone
from models.domain.batches.states import RowState
from models.domain.canonical import digest
from models.domain.customers.faults import ROW, Severity, severity_of
from models.domain.ids import batch_row_workflow_id
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import TaskState, TaskType
from models.domain.tokens import named_token
from models.queries.batches.run_list import import_of
from models.tables.batch_imports import BatchImport, BatchQuality, BatchRow
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Task

AFTER: Final = "after"
_WITHIN: Final = timedelta(hours=24)
_PRIORITY: Final = 50


def validate(work: RunWork) -> PartDone:
    """Give each row that has no state yet its own, part by part."""
    rows = 0
    while True:
        if work.is_held():
            return PartDone(after="", paused=True, rows=rows)
        done = _part(work)
        rows += done
        if not done:
            return PartDone(after=None, rows=rows)
        work.rest()
        if work.turn_is_over:
            return PartDone(after=str(rows), rows=rows)


def _part(work: RunWork) -> int:
    now, done = work.clock(), 0
    with unit_of_work(work.database, work.deed("batch.rows-validated")) as unit:
        taken = import_of(unit.session, work.run.token)
        if taken is None:
            raise Unchanged
        waiting = select(BatchRow).where(col(BatchRow.import_id) == taken.id, col(BatchRow.state).is_(None))
        rows = unit.session.exec(waiting.order_by(col(BatchRow.number)).limit(CHUNK).with_for_update()).all()
        if not rows:
            raise Unchanged
        held = 0
        for row in rows:
            if _is_taken(unit.session, row):
                row.faults = [*row.faults, {"field": ROW, "rule": "key-repeated", "masked": None}]
            is_held = any(severity_of(each["rule"]) is not Severity.WARN for each in row.faults)
            row.state = (RowState.HELD if is_held else RowState.ACCEPTED).value
            row.version += 1
            held += is_held
            unit.session.add(row)
            if is_held:
                unit.session.add(_task(work.run, row, now))
        done = len(rows)
        unit.deed.facts |= {"rows": done, "held": held}
    return done


def _is_taken(session: Session, row: BatchRow) -> bool:
    """Whether a row that was corrected now says what an accepted one says already; of the others reading has told."""
    if row.attempt == 1 or row.natural_key is None:
        return False
    same = select(BatchRow.number).where(
        col(BatchRow.import_id) == row.import_id,
        col(BatchRow.natural_key) == row.natural_key,
        col(BatchRow.state) == RowState.ACCEPTED.value,
    )
    return session.exec(same.limit(1)).first() is not None


def keep_quality(work: RunWork) -> None:
    """The figures after what people have decided; as they came they stand beside them."""
    now = work.clock()
    with unit_of_work(work.database, work.deed("batch.quality-reported")) as unit:
        taken = import_of(unit.session, work.run.token)
        if taken is None:
            raise Unchanged
        figures = _figures(unit.session, taken)
        known = unit.session.get(BatchQuality, (taken.id, AFTER), with_for_update=True)
        if known is not None and known.figures == figures:
            raise Unchanged
        known = known or BatchQuality(import_id=taken.id, moment=AFTER, tenant=taken.tenant, made_at=now)
        known.figures, known.made_at = figures, now
        unit.session.add(known)
        unit.deed.facts |= {"moment": AFTER} | {name: figures[name] for name in ("read", "accepted", "rejected")}


def _figures(session: Session, taken: BatchImport) -> dict[str, Any]:
    counted = session.exec(
        select(BatchRow.state, func.count(), func.sum(BatchRow.amount_minor))
        .where(col(BatchRow.import_id) == taken.id)
        .group_by(col(BatchRow.state))
    ).all()
    by_state = {str(state): count for state, count, _ in counted}
    accepted = sum(int(amount or 0) for state, _, amount in counted if state == RowState.ACCEPTED)
    faulty = session.exec(
        select(BatchRow.faults).where(
            col(BatchRow.import_id) == taken.id, col(BatchRow.state).in_([RowState.HELD, RowState.REJECTED])
        )
    )
    rules = Counter(rule for faults in faulty for rule in {each["rule"] for each in faults})
    figures: dict[str, Any] = {state.value: by_state.get(state.value, 0) for state in RowState}
    figures |= {"read": taken.read_rows, "acceptedMinor": accepted, "rules": dict(sorted(rules.items()))}
    return figures | {"conserved": taken.read_rows == sum(by_state.values())}


def _task(run: BatchRun, row: BatchRow, now: datetime) -> Task:
    """A quarantined row in the inbox: line, field, rule and masked value."""
    key = batch_row_workflow_id(run.token, row.subject_id)
    shown = {
        "run": run.token,
        "record": f"/v1/batches/{run.token}/rows/{row.number}",
        "line": row.line,
        "number": row.number,
        "faults": row.faults,
    }
    return Task(
        id=named_token("tsk", key),
        tenant=run.tenant,
        workflow_id=key,
        task_no=1,
        type=TaskType.BATCH_QUARANTINE.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.BATCH_QUARANTINE].value,
        branch=run.branch,
        priority=_PRIORITY,
        due_at=now + _WITHIN,
        title_params={"case": run.token[-6:], "line": row.line},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    )
