"""Epochs: the serial of each run of a workflow, which fences what an older run may still try to write."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from models.domain.ids import installment_workflow_id, is_batch, is_transfer
from models.tables.batch_runs import BatchRun
from models.tables.installments import InstallmentCase
from models.tables.tasks import RunRegistration
from models.tables.transfers import TransferJob


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


def end_of(session: Session, workflow_id: str, token: str) -> tuple[str, str | None] | None:
    """Outcome and reason that a case, a transfer job or a batch run has had by its record; None while it goes on."""
    row: InstallmentCase | TransferJob | BatchRun | None = None
    if is_transfer(workflow_id):
        row = session.get(TransferJob, token)
    elif is_batch(workflow_id):
        row = session.get(BatchRun, token)
    elif workflow_id == installment_workflow_id(token):  # no follow-up or ticket of the case
        row = session.get(InstallmentCase, token)
    return (row.outcome, row.reason_code) if row is not None and row.ended_at is not None and row.outcome else None
