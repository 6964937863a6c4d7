"""Which area says what a task shows."""

from datetime import datetime

from sqlmodel import Session

from activities.aftercare.content import care_content
from activities.batches.content import run_content
from activities.installments.content import task_content
from activities.transfers.job_content import job_content
from models.contracts.platform import OpenTaskInput
from models.domain.ids import is_batch, is_transfer
from models.domain.states import CARE_TASKS
from models.operations.projection import TaskContent


def content_of(session: Session, question: OpenTaskInput, *, now: datetime) -> TaskContent:
    """The whole list row of a task, worked out from the records when it is opened."""
    if is_transfer(question.workflow_id):
        return job_content(session, question, now=now)
    if is_batch(question.workflow_id):
        return run_content(session, question, now=now)
    if question.task_type in CARE_TASKS:
        return care_content(session, question, now=now)
    return task_content(session, question, now=now)
