"""Suggestions of a run (改进建议): each a record task that a person adopts or dismisses. Nothing changes by itself.

What is adopted becomes a draft of the rule set where somebody is given who drafts; two persons decide about that draft.
Functions over a session.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlmodel import Session, col, select, update

from models.domain.batches.states import SuggestionState
from models.domain.batches.suggesting import Suggested
from models.domain.canonical import digest
from models.domain.ids import batch_row_workflow_id
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import TaskState, TaskType
from models.domain.tokens import named_token
from models.errors import WrongState
from models.tables.batch_books import BatchSuggestion
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Task

_WITHIN: Final = timedelta(days=14)
_PRIORITY: Final = 30


class Drafting(Protocol):
    """Who makes a draft of a rule set out of an adopted suggestion."""

    def __call__(self, session: Session, suggestion: BatchSuggestion, *, staff_id: str, now: datetime) -> str | None:
        """The version `<set>/<number>` that was drafted; None where this kind of change is made by hand."""
        ...


def by_hand(session: Session, suggestion: BatchSuggestion, *, staff_id: str, now: datetime) -> str | None:
    """No draft: whoever draws up the next version reads the suggestion there."""
    del session, suggestion, staff_id, now
    return None


def open_suggestions(
    session: Session, run: BatchRun, found: Sequence[Suggested], *, now: datetime
) -> list[BatchSuggestion]:
    """Write what is new of these, each with its task; a suggestion of a run is made once. Returns the new ones."""
    known = set(session.exec(select(BatchSuggestion.code).where(BatchSuggestion.run == run.token)))
    made = []
    for each in found:
        if each.code in known:
            continue
        suggestion = BatchSuggestion(
            id=named_token("bsg", f"{run.token}/{each.code}"),
            tenant=run.tenant,
            run=run.token,
            rule_version=run.rule_version,
            code=each.code,
            basis=each.basis,
            change=each.change,
            state=SuggestionState.OPEN,
            made_at=now,
        )
        task = _task(run, suggestion, now=now)
        suggestion.task_id = task.id
        session.add_all([suggestion, task])
        made.append(suggestion)
    session.flush()
    return made


def decide_suggestion(
    session: Session,
    suggestion_id: str,
    *,
    adopt: bool,
    staff_id: str,
    now: datetime,
    drafting: Drafting = by_hand,
) -> BatchSuggestion:
    """Adopt or dismiss one, once; its task is taken by whoever calls (`record_decisions.take_record_task`).

    Raises:
        WrongState: it was decided before.
    """
    state = SuggestionState.ADOPTED if adopt else SuggestionState.DISMISSED
    decided = session.exec(
        update(BatchSuggestion)
        .where(col(BatchSuggestion.id) == suggestion_id, col(BatchSuggestion.state) == SuggestionState.OPEN)
        .values(state=state.value, decided_by=staff_id, decided_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    suggestion = session.get_one(BatchSuggestion, suggestion_id, populate_existing=True)
    if not decided:
        raise WrongState(detail=suggestion_id, params={"state": suggestion.state})
    if adopt:
        suggestion.draft_version = drafting(session, suggestion, staff_id=staff_id, now=now)
        session.add(suggestion)
        session.flush()
    return suggestion


def _task(run: BatchRun, suggestion: BatchSuggestion, *, now: datetime) -> Task:
    shown: dict[str, Any] = {
        "run": run.token,
        "record": f"/v1/batches/{run.token}",
        "suggestion": suggestion.id,
        "code": suggestion.code,
        "basis": suggestion.basis,
        "change": suggestion.change,
        "ruleVersion": suggestion.rule_version,
    }
    return Task(
        id=named_token("tsk", suggestion.id),
        tenant=run.tenant,
        workflow_id=batch_row_workflow_id(run.token, suggestion.id),
        task_no=1,
        case_token=run.token,
        type=TaskType.BATCH_SUGGESTION,
        state=TaskState.READY,
        candidate_role=CANDIDATE_ROLE[TaskType.BATCH_SUGGESTION],
        branch=run.branch,
        priority=_PRIORITY,
        due_at=now + _WITHIN,
        title_params={"case": run.token[-6:], "kind": run.kind},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    )
