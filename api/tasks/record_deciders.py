"""Who decides record tasks whose decision does more than close the task: one table, by the task's type."""

from collections.abc import Callable
from functools import partial
from typing import Final

from sqlmodel import col, select

from api.batches.record_deciding import decide_dispute, decide_suspense
from api.bodies import known_token
from api.deps import ApiDeps
from api.tasks.intake import TaskDecision, take_decision
from api.tasks.reports import decide_report
from api.tasks.settling import (
    Settle,
    answer_follow_up,
    decide_on_suggestion,
    decide_pair,
    discard_batch_row,
    discard_quarantined,
)
from api.transfers.conflicts_deciding import decide_conflict
from models.domain.states import RECORD_TASKS, TaskType
from models.tables.tasks import Task

Decider = Callable[[ApiDeps, TaskDecision], str]


def _take(deps: ApiDeps, request: TaskDecision, *, settle: Settle | None = None) -> str:
    return take_decision(deps, request, settle=settle).decision_id


_DECIDERS: Final[dict[str, Decider]] = {
    # These have a path of their own: what is decided is read, opened or agreed by two before it is written.
    TaskType.INCIDENT_REPORT.value: decide_report,
    TaskType.TRANSFER_CONFLICT.value: decide_conflict,
    TaskType.BATCH_SUSPENSE.value: decide_suspense,
    TaskType.BATCH_DISPUTE.value: decide_dispute,
    # These are taken like any other, and do something besides in the same commit.
    TaskType.TRANSFER_QUARANTINE.value: partial(_take, settle=discard_quarantined),
    TaskType.TRANSFER_FOLLOW_UP.value: partial(_take, settle=answer_follow_up),
    TaskType.MATCH_REVIEW.value: partial(_take, settle=decide_pair),
    TaskType.BATCH_QUARANTINE.value: partial(_take, settle=discard_batch_row),
    TaskType.BATCH_SUGGESTION.value: partial(_take, settle=decide_on_suggestion),
}
assert _DECIDERS.keys() <= {kind.value for kind in RECORD_TASKS}


def decide_record_task(deps: ApiDeps, request: TaskDecision) -> str:
    """Check a decision on a record task and commit it; blocking. Returns its id.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    with deps.database.read() as session:
        kind = session.exec(select(Task.type).where(col(Task.id) == known_token(request.task_id))).one_or_none()
    # A task that is none, or another's, is told so by whoever decides.
    return _DECIDERS.get(kind or "", _take)(deps, request)
