"""Mending drift between the record of a batch's run and its workflow; every repair is a deed with an event."""

from datetime import datetime
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, col, update

from models.contracts.platform import Fence
from models.domain.batches.states import RunStage
from models.domain.ids import batch_workflow_id
from models.operations import outbox
from models.tables.batch_runs import BatchRun


def set_run(
    session: Session,
    run: str,
    *,
    seen: Fence,
    stage: str,
    outcome: str | None,
    reason_code: str | None,
    now: datetime,
) -> bool:
    """Write the workflow's own account of the run over a differing record.

    Args:
        session: of the unit that records the repair.
        run: its token.
        seen: up to where the account goes; a record that was written since is left alone.
        stage: as the workflow says.
        outcome: how the run ended, if it did.
        reason_code: why.
        now: of the repair.

    Returns:
        False if the record was written since.
    """
    ended = stage == RunStage.ENDED
    values: dict[str, Any] = {
        "stage": stage,
        "outcome": outcome,
        "version": BatchRun.version + 1,
        "updated_at": now,
        "ended_at": now if ended else None,
    }
    if ended and reason_code is not None:
        values["reason_code"] = reason_code
    written = session.exec(
        update(BatchRun)
        .where(
            col(BatchRun.token) == run,
            tuple_(col(BatchRun.epoch), col(BatchRun.seq)) <= tuple_(seen.epoch, seen.seq),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def start_again(session: Session, run: str, *, now: datetime) -> bool:
    """Have the relay send a start again that counted as arrived.

    Returns:
        False if it is under way.
    """
    return outbox.open_start_again(session, batch_workflow_id(run), now=now)
