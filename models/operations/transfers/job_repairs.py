"""Mending drift between the record of a transfer job and its workflow; every repair is a deed with an event."""

from datetime import datetime
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, col, update

from models.contracts.platform import Fence
from models.domain.ids import transfer_workflow_id
from models.domain.transfers.states import JobStage
from models.operations import outbox
from models.tables.transfers import TransferJob


def set_job(
    session: Session,
    job: str,
    *,
    seen: Fence,
    stage: str,
    outcome: str | None,
    reason_code: str | None,
    now: datetime,
) -> bool:
    """Write the workflow's own account of the job over a differing record.

    Args:
        session: of the unit that records the repair.
        job: its token.
        seen: up to where the account goes; a record that was written since is left alone.
        stage: as the workflow says.
        outcome: how the job ended, if it did.
        reason_code: why.
        now: of the repair.

    Returns:
        False if the record was written since.
    """
    ended = stage == JobStage.ENDED
    values: dict[str, Any] = {
        "stage": stage,
        "outcome": outcome,
        "version": TransferJob.version + 1,
        "updated_at": now,
        "ended_at": now if ended else None,
    }
    if ended and reason_code is not None:
        values["reason_code"] = reason_code
    written = session.exec(
        update(TransferJob)
        .where(
            col(TransferJob.token) == job,
            tuple_(col(TransferJob.epoch), col(TransferJob.seq)) <= tuple_(seen.epoch, seen.seq),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def start_again(session: Session, job: str, *, now: datetime) -> bool:
    """Have the relay send a start again that counted as arrived.

    Returns:
        False if it is under way.
    """
    return outbox.open_start_again(session, transfer_workflow_id(job), now=now)
