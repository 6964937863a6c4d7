"""How the inbox tells of tasks: titles and reasons in the reader's language, what is allowed, why the rest is not."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import Field
from sqlmodel import Session, col, select

from api.bodies import Answer
from api.wording import worded
from compliance.rules.results import reason_key
from compliance.vault.masking import listed_amount
from models.domain.ids import is_batch, is_transfer
from models.domain.privacy.masks import DEFAULT_MASKS, AmountsInLists, MaskPolicy
from models.domain.states import CHECKER_TASKS, OPEN_TASK_STATES
from models.domain.viewer import Viewer
from models.queries.allowed import CLAIM, Permit, allowed_actions
from models.queries.tasks import TaskPage, count_comments
from models.tables.installments import RuleVerdict
from models.tables.tasks import Decision, Task
from models.texts.render import has_text


class PermitAnswer(Answer):
    """Whether an action is open to the reader; if not, the problem it would meet, in words."""

    allowed: bool
    because: str | None = None
    because_text: str | None = None
    params: dict[str, str | int] = Field(default_factory=dict)


class TaskItem(Answer):
    """A task in a list. `claim` says whether the reader may take it."""

    id: str
    type: str
    type_text: str
    title: str
    state: str
    state_text: str
    version: int
    priority: int
    due_at: datetime
    overdue: bool
    branch: str
    candidate_role: str
    assignee: str | None
    case_token: str | None
    amount_minor: int | None
    currency: str | None
    return_reason: str | None
    return_reason_text: str | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    claim: PermitAnswer


class FacetsAnswer(Answer):
    """Exact counts over all that was found, not over the page. Due bands count open tasks; today ends in Beijing."""

    type: dict[str, int]
    state: dict[str, int]
    branch: dict[str, int]
    candidate_role: dict[str, int]
    assignee: dict[str, int]
    due: dict[str, int]


class TaskPageAnswer(Answer):
    """A page of the inbox. `total` and `facets` are of the same moment as the items."""

    items: list[TaskItem]
    total: int | None
    facets: FacetsAnswer | None
    next_cursor: str | None
    previous_cursor: str | None


class BlockedRuleAnswer(Answer):
    """A law-cited rule that bars an outcome, with its verdict and where it stands in the law."""

    outcome: str
    rule: str
    title: str
    verdict_id: str | None = None
    result: str | None = None
    result_text: str | None = None
    reason: str | None = None
    reason_text: str | None = None
    citation: str | None = None
    missing: list[str] = Field(default_factory=list)
    as_of: date | None = None
    rule_set_version: str | None = None


class TaskAnswer(TaskItem):
    """A task with everything a decision needs.

    `shown` holds the facts; a checker's decision repeats `shownHash`, and its log-in must be fresh where
    `freshLoginRequired` says so. `links.form` describes the decision's body.
    """

    shown: dict[str, Any]
    shown_hash: str
    fresh_login_required: bool
    allowed_actions: dict[str, PermitAnswer]
    blocked: list[BlockedRuleAnswer]
    pending_decision_id: str | None
    comments_count: int
    links: dict[str, str]


class TaskDecisionAnswer(Answer):
    """A decision and what became of it; `decidedBy` null: the customer."""

    id: str
    task_id: str
    outcome: str
    outcome_text: str
    reason_code: str | None
    reason_text: str | None
    form: dict[str, Any]
    has_note: bool
    state: str
    state_text: str
    refusal: str | None
    refusal_text: str | None
    decided_by: str | None
    created_at: datetime
    settled_at: datetime | None


class CommentAnswer(Answer):
    """A remark; `text` is null when its subject's keys were destroyed."""

    id: str
    author: str
    text: str | None
    created_at: datetime


class CommentPage(Answer):
    """Remarks, oldest first; `endCursor` is null on the last page."""

    items: list[CommentAnswer]
    end_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads, in which language, when."""

    viewer: Viewer
    locale: str
    now: datetime


def page_answer(page: TaskPage, reader: Reader, masks: MaskPolicy = DEFAULT_MASKS) -> TaskPageAnswer:
    """A page of the inbox; amounts stand in it as the institution shows them in lists."""
    facets = page.facets
    return TaskPageAnswer(
        items=[TaskItem(**_listed_fields(task, reader, _permits(task, reader), masks)) for task in page.items],
        total=page.total,
        facets=None
        if facets is None
        else FacetsAnswer(
            type=facets.type,
            state=facets.state,
            branch=facets.branch,
            candidate_role=facets.candidate_role,
            assignee=facets.assignee,
            due=facets.due,
        ),
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


def task_answer(session: Session, task: Task, reader: Reader) -> TaskAnswer:
    """One task, read with its verdicts in the session's snapshot."""
    permits = _permits(task, reader)
    verdicts = _verdicts(session, [barred["verdict"] for barred in task.blocked])
    links = {
        "form": f"/v1/tasks/{task.id}/form",
        "comments": f"/v1/tasks/{task.id}/comments",
        "decisions": f"/v1/tasks/{task.id}/decisions",
    }
    if is_transfer(task.workflow_id):
        links["job"] = f"/v1/transfers/{task.case_token}"
    elif is_batch(task.workflow_id):
        links["run"] = f"/v1/batches/{task.case_token}"
    elif task.case_token is not None:
        links["case"] = f"/v1/installment-cases/{task.case_token}"
    return TaskAnswer(
        **_item_fields(task, reader, permits),
        shown=task.shown,
        shown_hash=task.shown_hash,
        fresh_login_required=task.type in CHECKER_TASKS,
        allowed_actions=permits,
        blocked=[_blocked(barred, verdicts.get(barred["verdict"]), reader.locale) for barred in task.blocked],
        pending_decision_id=task.pending_decision_id,
        comments_count=count_comments(session, task.id),
        links=links,
    )


def decision_answer(decision: Decision, *, task_id: str, locale: str) -> TaskDecisionAnswer:
    """A decision on a task; the remark is sealed and not told here."""
    reason, refusal = decision.reason_code, decision.refusal
    return TaskDecisionAnswer(
        id=decision.id,
        task_id=task_id,
        outcome=decision.outcome,
        outcome_text=worded(f"outcome.{decision.outcome}", locale),
        reason_code=reason,
        reason_text=None if reason is None else worded(f"reason.{reason}", locale),
        form=decision.form,
        has_note=decision.note_cell is not None,
        state=decision.state,
        state_text=worded(f"state.{decision.state}", locale),
        refusal=refusal,
        refusal_text=None if refusal is None else worded(f"refusal.{refusal}", locale),
        decided_by=decision.staff_id,
        created_at=decision.created_at,
        settled_at=decision.settled_at,
    )


def _permits(task: Task, reader: Reader) -> dict[str, PermitAnswer]:
    return {action: _permit(permit, reader.locale) for action, permit in allowed_actions(task, reader.viewer).items()}


def _permit(permit: Permit, locale: str) -> PermitAnswer:
    if permit.because is None:
        return PermitAnswer(allowed=permit.allowed)
    return PermitAnswer(
        allowed=permit.allowed,
        because=permit.because,
        because_text=worded(f"problem.{permit.because}.detail", locale, permit.params),
        params=permit.params,
    )


def _item_fields(task: Task, reader: Reader, permits: dict[str, PermitAnswer]) -> dict[str, Any]:
    locale = reader.locale
    title_params = {**task.title_params, "currency": task.currency or "CNY"}
    return {
        "id": task.id,
        "type": task.type,
        "type_text": worded(f"task.{task.type}.name", locale),
        "title": worded(f"task.{task.type}.title", locale, title_params),
        "state": task.state,
        "state_text": worded(f"state.{task.state}", locale),
        "version": task.version,
        "priority": task.priority,
        "due_at": task.due_at,
        "overdue": task.state in OPEN_TASK_STATES and task.due_at < reader.now,
        "branch": task.branch,
        "candidate_role": task.candidate_role,
        "assignee": task.assignee,
        "case_token": task.case_token,
        "amount_minor": task.amount_minor,
        "currency": task.currency,
        "return_reason": task.return_reason,
        "return_reason_text": _return_reason(task.return_reason, locale),
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "closed_at": task.closed_at,
        "claim": permits[CLAIM],
    }


def _listed_fields(task: Task, reader: Reader, permits: dict[str, PermitAnswer], masks: MaskPolicy) -> dict[str, Any]:
    fields = _item_fields(task, reader, permits)
    if masks.amounts_in_lists == AmountsInLists.SHOWN:
        return fields
    params = {**task.title_params, "currency": task.currency or "CNY"}
    for name in [each for each in params if each.endswith("Minor")]:
        shown = listed_amount(int(params.pop(name)), masks)
        if shown is not None:
            params[name] = shown
    title = worded(f"task.{task.type}.title", reader.locale, params)
    return fields | {"amount_minor": listed_amount(task.amount_minor, masks), "title": title}


def _return_reason(code: str | None, locale: str) -> str | None:
    """A reason that a person gave, or the code under which the workflow refused the last decision."""
    if code is None:
        return None
    return worded(f"reason.{code}" if has_text(f"reason.{code}", locale) else f"refusal.{code}", locale)


def _verdicts(session: Session, ids: list[str]) -> dict[str, RuleVerdict]:
    rows = session.exec(select(RuleVerdict).where(col(RuleVerdict.id).in_(ids))).all() if ids else ()
    return {row.id: row for row in rows}


def _blocked(barred: dict[str, Any], verdict: RuleVerdict | None, locale: str) -> BlockedRuleAnswer:
    rule = str(barred["rule"])
    # Some bars rest on no law but on the step itself; their words stand apart from those of the rules.
    title = f"rule.{rule}.title" if has_text(f"rule.{rule}.title", locale) else f"block.{rule}.title"
    known: dict[str, Any] = {}
    if verdict is not None:
        told = verdict.params.get("text", {})
        known = {
            "verdict_id": verdict.id,
            "result": verdict.result,
            "result_text": worded(f"verdict.{verdict.result}", locale),
            "reason": verdict.reason,
            "reason_text": worded(reason_key(rule, verdict.reason), locale, told),
            "citation": worded(f"rule.{rule}.citation", locale),
            "missing": verdict.missing,
            "as_of": verdict.as_of,
            "rule_set_version": verdict.rule_set_version,
        }
    return BlockedRuleAnswer(outcome=barred["outcome"], rule=rule, title=worded(title, locale), **known)
