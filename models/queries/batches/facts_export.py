"""What the records say before a file leaves for the bank (送盘): what is in it, and how it is kept."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from models.domain.assessments import years_after
from models.domain.batches.states import OrderState
from models.domain.ids import batch_workflow_id
from models.domain.shanghai import shanghai_date
from models.domain.states import DecisionState, Outcome, TaskType
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.tasks import Decision, Task

_RECORD_YEARS = 3  # 网络数据安全管理条例 Art. 12, at least; of the audit log nothing is ever deleted


def export_facts(session: Session, run: BatchRun, now: datetime) -> dict[str, object]:
    """Facts of the orders that wait to leave, and of the house: cells are sealed, a file holds names and accounts."""
    today = shanghai_date(now)
    waiting = session.exec(
        select(func.count()).where(col(BatchOrder.run) == run.token, col(BatchOrder.state) == OrderState.QUEUED.value)
    ).one()
    return {
        "export_job_approved": _is_approved(session, run),
        "export_rows_grave": int(waiting),  # property data: name, account and amount
        "export_rows_serious": 0,
        "export_rows_other": 0,
        "processing_record_made_on": today,
        "processing_record_kept_until": years_after(today, _RECORD_YEARS),
        "c2_masked": True,  # no view of the product shows an account whole
        "c2_encrypted": True,
        "c3_shown": False,  # passwords, codes and the like are not on record at all
        "c3_shared": False,
        "c3_stored_encrypted": True,
        "auxiliary_with_account": False,
        "joined_sets": 0,
        "joined_sets_classed": 0,
    }


def _is_approved(session: Session, run: BatchRun) -> bool:
    found = session.exec(
        select(Decision.id)
        .join(Task, col(Task.id) == col(Decision.task_id))
        .where(
            col(Decision.workflow_id) == batch_workflow_id(run.token),
            col(Decision.state) == DecisionState.APPLIED.value,
            col(Decision.outcome) == Outcome.APPROVE.value,
            col(Task.type) == TaskType.BATCH_APPROVAL.value,
        )
        .limit(1)
    ).first()
    return found is not None
