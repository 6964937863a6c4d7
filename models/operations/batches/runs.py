"""What is written of a batch's run: by its workflow, fenced, and by people, under what its stage allows.

Functions over a session; they never commit.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, update

from models.contracts.platform import Fence
from models.domain.batches.kinds import Origin
from models.domain.batches.states import BEFORE_EFFECTS, CAN_STOP, RunStage
from models.domain.ids import batch_workflow_id, start_key
from models.domain.states import OutboxKind
from models.errors import WrongState
from models.operations import outbox
from models.tables.batch_runs import BatchRun

DAILY_STATE: Final = "daily-run"  # why nobody pauses or cancels it (`state.daily-run`)


def create_run(session: Session, run: BatchRun, *, now: datetime) -> None:
    """Write a run, and have its workflow started. The same request is one run (`request_key`, a constraint)."""
    session.add(run)
    session.flush()
    have_started(session, run, now=now)


def have_started(session: Session, run: BatchRun, *, now: datetime) -> None:
    """Have the relay start the run's workflow; it starts it once."""
    workflow_id = batch_workflow_id(run.token)
    outbox.enqueue(
        session,
        tenant=run.tenant,
        kind=OutboxKind.START,
        business_key=start_key(workflow_id),
        workflow_id=workflow_id,
        traceparent=None,
        now=now,
    )


def want_pause(session: Session, run: BatchRun, *, paused: bool, now: datetime) -> None:
    """Have the run wait after what is under way, or go on. Answers of the bank are taken all the same.

    Raises:
        WrongState: it has ended, or waits already, or does not; or it follows the daily run (`daily-run`).
    """
    _refuse_daily(run)
    _refuse_ended(run)
    where = col(BatchRun.paused_at).is_(None) if paused else col(BatchRun.paused_at).is_not(None)
    changed = session.exec(
        update(BatchRun)
        .where(col(BatchRun.token) == run.token, where)
        .values(paused_at=now if paused else None, version=BatchRun.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    if not changed:
        raise WrongState(detail=run.token, params={"state": "paused" if paused else "running"})


def want_cancel(session: Session, run: BatchRun, *, reason_code: str, now: datetime) -> None:
    """Have the run end, at any point before its books are made: what has left the house is followed to its end.

    Raises:
        WrongState: it has ended, or is being reconciled; or it follows the daily run (`daily-run`).
    """
    _refuse_daily(run)
    _refuse_ended(run)
    held = session.get_one(BatchRun, run.token, with_for_update=True, populate_existing=True)
    if RunStage(held.stage) not in BEFORE_EFFECTS | CAN_STOP:
        raise WrongState(detail=run.token, params={"state": held.stage})
    held.cancel_asked_at = held.cancel_asked_at or now
    held.reason_code = held.reason_code or reason_code
    held.version += 1
    held.updated_at = now
    session.add(held)
    session.flush()


def run_on(session: Session, run: str, *, settings: dict[str, Any] | None, now: datetime) -> None:
    """A person has a stopped run go on under these settings; None: as they are. Repeatable."""
    held = session.get_one(BatchRun, run, with_for_update=True, populate_existing=True)
    held.tripped = None
    held.settings = held.settings | (settings or {})
    held.version += 1
    held.updated_at = now
    session.add(held)
    session.flush()


def begin_anew(session: Session, run: str, *, now: datetime) -> None:
    """The approval was refused for now: cohort and rehearsal are made again, as the next revision."""
    held = session.get_one(BatchRun, run, with_for_update=True, populate_existing=True)
    held.revision += 1
    held.rehearsal_hash = held.shown_hash = held.rule_version = None
    held.version += 1
    held.updated_at = now
    session.add(held)
    session.flush()


def put_run(
    session: Session,
    run: str,
    *,
    fence: Fence,
    now: datetime,
    stage: str,
    outcome: str | None = None,
    reason_code: str | None = None,
) -> bool:
    """Write where the run stands, as its workflow says.

    Returns:
        False if a newer write stood there already.
    """
    values: dict[str, Any] = {
        "stage": stage,
        "epoch": fence.epoch,
        "seq": fence.seq,
        "version": BatchRun.version + 1,
        "updated_at": now,
    }
    if stage == RunStage.ENDED:
        values |= {"outcome": outcome, "ended_at": now}
        if reason_code is not None:
            values["reason_code"] = reason_code
    written = session.exec(
        update(BatchRun)
        .where(
            col(BatchRun.token) == run,
            tuple_(col(BatchRun.epoch), col(BatchRun.seq)) < tuple_(fence.epoch, fence.seq),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def _refuse_daily(run: BatchRun) -> None:
    """A run of the daily run's debits only follows them: there is nothing in it to hold or to end."""
    if run.origin == Origin.DAILY:
        raise WrongState(detail=run.token, params={"state": DAILY_STATE})


def _refuse_ended(run: BatchRun) -> None:
    if run.stage == RunStage.ENDED:
        raise WrongState(detail=run.token, params={"state": run.outcome or run.stage})
