"""Who takes a decision: on a step task whoever asks its workflow, on a record task one table, by the task's type."""

from collections.abc import Callable
from functools import partial
from typing import Final

from sqlmodel import col, select

from api.batches.record_deciding import decide_dispute, decide_suspense
from api.bodies import known_token
from api.deps import ApiDeps
from api.erasures.record_deciding import decide_erasure
from api.tasks.deciding import Kept
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
from models.domain.states import RECORD_OUTCOMES, RECORD_TASKS, TaskType
from models.tables.tasks import Task

Decider = Callable[[ApiDeps, TaskDecision], str]


def _take(deps: ApiDeps, request: TaskDecision, *, settle: Settle | None = None) -> str:
    return take_decision(deps, request, settle=settle).decision_id


_DECIDERS: Final[dict[str, Decider]] = {
    # These have a path of their own: what is decided is read, opened or agreed by two before it is written.
    TaskType.INCIDENT_REPORT.value: decide_report,
    TaskType.ERASURE_PROPOSAL.value: decide_erasure,
    TaskType.ERASURE_APPROVAL.value: decide_erasure,
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


def decide_task(deps: ApiDeps, request: TaskDecision) -> Kept | None:
    """Check a decision and commit it; blocking.

    Returns:
        The decision as it is sent to its workflow; None if it was one on a record, and all is done.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    if request.body.get("outcome") not in RECORD_OUTCOMES:
        return take_decision(deps, request)
    with deps.database.read() as session:
        kind = session.exec(select(Task.type).where(col(Task.id) == known_token(request.task_id))).one_or_none()
    if kind not in RECORD_TASKS:  # a task that is none, or another's, is told so by whoever decides
        return take_decision(deps, request)
    _DECIDERS.get(kind or "", _take)(deps, request)
    return None
