"""Epochs: the serial of each run of a workflow, which fences what an older run may still try to write."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from models.tables.tasks import RunRegistration


def register_run(session: Session, *, workflow_id: str, run_id: str, now: datetime) -> tuple[int, bool]:
    """The epoch of this run, and whether it was given just now. A repeated call gives the same one."""
    known = session.get(RunRegistration, (workflow_id, run_id))
    if known is not None:
        return known.epoch, False
    latest = session.exec(
        select(func.max(RunRegistration.epoch)).where(col(RunRegistration.workflow_id) == workflow_id)
    ).one()
    registration = RunRegistration(workflow_id=workflow_id, run_id=run_id, epoch=(latest or 0) + 1, created_at=now)
    session.add(registration)
    session.flush()  # two runs at once: the unique epoch refuses one, and the step is repeated
    return registration.epoch, True
