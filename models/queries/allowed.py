"""What a viewer may do with a task, and for each thing they may not the rule that refuses it.

The one source of both: the inbox shows it as `allowedActions`, and the handlers refuse by it. The decision's
compare-and-set, the workflow and the database ask again by themselves; no answer from here opens any of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from models.domain.forms import DecisionForm
from models.domain.roles import Permission, permissions_of
from models.domain.states import CUSTOMER_OUTCOMES, OPEN_TASK_STATES, OUTCOMES, Outcome, TaskState, TaskType
from models.domain.viewer import ANY_BRANCH, Viewer
from models.errors import (
    AlreadyClaimed,
    AuthorityExceeded,
    BlockedByRule,
    CaseworkError,
    CustomerOnly,
    DecisionPending,
    FourEyesViolation,
    NotACandidate,
    NotClaimedByCaller,
    PermissionMissing,
    WrongState,
)
from models.tables.tasks import Task

CLAIM: Final = "claim"
UNCLAIM: Final = "unclaim"
COMMENT: Final = "comment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Permit:
    """Whether one action is open to the viewer; `because` is the code of the problem that it would meet."""

    allowed: bool
    because: str | None = None
    params: dict[str, str | int] = field(default_factory=dict)


def allowed_actions(task: Task, viewer: Viewer) -> dict[str, Permit]:
    """Claim, unclaim, comment and every outcome of the task's type, each with its permit."""
    actions = (CLAIM, UNCLAIM, COMMENT, *(outcome.value for outcome in OUTCOMES[TaskType(task.type)]))
    permits = {}
    for action in actions:
        refusal = next(_refusals(task, viewer, action, None), None)
        if refusal is None:
            permits[action] = Permit(allowed=True)
        else:
            permits[action] = Permit(allowed=False, because=refusal.code, params=refusal.params)
    return permits


def require_allowed(task: Task, viewer: Viewer, action: str, *, form: DecisionForm | None = None) -> None:
    """Refuse what `allowed_actions` refuses; with a form, also terms in it that lie above the viewer's authority.

    Raises:
        CaseworkError: the first rule that stands against it.
    """
    for refusal in _refusals(task, viewer, action, form):
        raise refusal


def _refusals(task: Task, viewer: Viewer, action: str, form: DecisionForm | None) -> Iterator[CaseworkError]:
    if Permission.TASKS_WORK not in permissions_of(viewer.roles):
        yield PermissionMissing(params={"permission": Permission.TASKS_WORK.value})
    if task.candidate_role not in viewer.roles or not _same_branch(task, viewer):
        yield NotACandidate(params={"role": task.candidate_role, "branch": task.branch})
    if task.state not in OPEN_TASK_STATES:
        yield WrongState(params={"state": task.state})
    if action == COMMENT:
        return
    if task.state == TaskState.DECIDING:
        yield DecisionPending(params={"decision": task.pending_decision_id or ""})
    if action == UNCLAIM:
        yield from _unclaim_refusals(task, viewer)
        return
    if viewer.person_id in task.excluded_persons:
        yield FourEyesViolation()
    if task.assignee is not None and task.assignee != viewer.staff_id:
        yield AlreadyClaimed(params={"holder": task.assignee})
    if action == CLAIM:
        if task.state != TaskState.READY:
            yield WrongState(params={"state": task.state})
        return
    yield from _outcome_refusals(task, viewer, action, form)


def _unclaim_refusals(task: Task, viewer: Viewer) -> Iterator[CaseworkError]:
    if task.state != TaskState.CLAIMED:
        yield WrongState(params={"state": task.state})
    if task.assignee != viewer.staff_id:
        yield NotClaimedByCaller(params={"holder": task.assignee or ""})


def _outcome_refusals(task: Task, viewer: Viewer, action: str, form: DecisionForm | None) -> Iterator[CaseworkError]:
    for barred in task.blocked:
        if barred["outcome"] == action:
            yield BlockedByRule(params={"rule": barred["rule"], "verdict": barred["verdict"]})
    if action in CUSTOMER_OUTCOMES:
        yield CustomerOnly()
    if task.type != TaskType.APPROVAL:
        return
    if action == Outcome.APPROVE:
        proposal = task.shown.get("proposal")
        if proposal is None:  # nothing to approve: never taken for "within authority"
            yield WrongState(params={"state": task.state})
            return
        yield from _authority_refusals(viewer, proposal["amountMinor"], proposal["concessionBps"])
    if action == Outcome.COUNTER and form is not None and form.terms is not None:
        yield from _authority_refusals(viewer, form.terms.amount_minor, form.terms.concession_bps)


def _authority_refusals(viewer: Viewer, amount_minor: int, concession_bps: int) -> Iterator[CaseworkError]:
    if amount_minor > viewer.authority_amount_minor:
        yield AuthorityExceeded(
            params={"what": "amount", "value": amount_minor, "limit": viewer.authority_amount_minor}
        )
    if concession_bps > viewer.authority_concession_bps:
        yield AuthorityExceeded(
            params={"what": "concession", "value": concession_bps, "limit": viewer.authority_concession_bps}
        )


def _same_branch(task: Task, viewer: Viewer) -> bool:
    return ANY_BRANCH in (viewer.branch, task.branch) or task.branch == viewer.branch
