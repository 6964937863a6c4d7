"""The inbox search: visibility, filter, keyset page and exact facets, all in SQL and in one snapshot."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, func, not_, or_
from sqlmodel import Session, col, select

from models.domain.filter_language import Op, Value
from models.domain.ids import care_item, is_batch, is_batch_record, is_transfer, job_record
from models.domain.states import OPEN_TASK_STATES, RECORD_TASKS, TaskState
from models.domain.task_filter import ME, NOBODY, TaskField, TaskFilter, TaskTest
from models.domain.viewer import Viewer
from models.errors import NotFound
from models.queries.filtering import condition, member_of
from models.queries.snapshots import one_snapshot
from models.queries.task_pages import NO_AMOUNT, ORDERS, Key, Position, TaskSort, read_cursor, write_cursor
from models.tables.installments import InstallmentCase
from models.tables.scopes import IS_OPEN, visible
from models.tables.tasks import Task, TaskComment

MAX_PAGE: Final = 200
_CHINA: Final = timezone(timedelta(hours=8))  # 北京时间; no summer time since 1991

_COLUMNS: Final[dict[TaskField, Any]] = {
    TaskField.TYPE: col(Task.type),
    TaskField.STATE: col(Task.state),
    TaskField.BRANCH: col(Task.branch),
    TaskField.CANDIDATE_ROLE: col(Task.candidate_role),
    TaskField.ASSIGNEE: col(Task.assignee),
    TaskField.CASE_TOKEN: col(Task.case_token),
    TaskField.AMOUNT: col(Task.amount_minor),
    TaskField.DUE: col(Task.due_at),
    TaskField.CREATED: col(Task.created_at),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Facets:
    """Exact counts over everything the filter lets through, not over the page. Due bands count open tasks only."""

    type: dict[str, int] = field(default_factory=dict)
    state: dict[str, int] = field(default_factory=dict)
    branch: dict[str, int] = field(default_factory=dict)
    candidate_role: dict[str, int] = field(default_factory=dict)
    assignee: dict[str, int] = field(default_factory=dict)  # none, me, others
    due: dict[str, int] = field(default_factory=dict)  # overdue, today (Beijing time), later


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskPage:
    """One page. `total` counts all pages; with facets left out, both are None."""

    items: tuple[Task, ...]
    facets: Facets | None
    total: int | None
    next_cursor: str | None
    previous_cursor: str | None


def search_tasks(
    session: Session,
    *,
    tenant: str,
    viewer: Viewer,
    now: datetime,
    filter: TaskFilter,
    sort: TaskSort | None = None,
    limit: int = 50,
    cursor: str | None = None,
    with_facets: bool = True,
) -> TaskPage:
    """Find tasks the viewer may see; the page and its facets come from one snapshot.

    `sort` None means the cursor's order, or the inbox's own: priority, then due date. `cursor` is the `next_cursor` or
    `previous_cursor` of an earlier page; `limit` goes up to `MAX_PAGE`. `now` is what "overdue" is measured by.

    Raises:
        BadRequest: the cursor cannot be read, or belongs to another order.
    """
    position = read_cursor(cursor, sort=sort)
    one_snapshot(session)
    found = _scope(filter, tenant=tenant, viewer=viewer, now=now)
    rows, more = _page(session, found, position, limit=min(max(limit, 1), MAX_PAGE))
    before = more if position.backwards else bool(rows) and position.key is not None
    after = bool(rows) if position.backwards else more
    facets = _facets(session, found, viewer=viewer, now=now) if with_facets else None
    for row in rows:
        session.expunge(row)  # a list to be read: the end of the session must not empty it
    return TaskPage(
        items=tuple(rows),
        facets=facets,
        total=sum(facets.state.values()) if facets is not None else None,
        next_cursor=write_cursor(position.sort, _key(position.sort, rows[-1])) if after else None,
        previous_cursor=write_cursor(position.sort, _key(position.sort, rows[0]), backwards=True) if before else None,
    )


def get_task(session: Session, task_id: str, *, tenant: str, viewer: Viewer) -> Task | None:
    """One task, if the viewer may see it: a foreign task and no task are the same answer."""
    return session.exec(select(Task).where(Task.id == task_id, visible(tenant=tenant, viewer=viewer))).one_or_none()


def subject_of_task(session: Session, task: Task) -> str:
    """The person whom a task is about: under their key its free text is sealed. A record has a key of its own.

    Raises:
        NotFound: the task belongs to no case and no record.
    """
    if task.case_token is None and task.type in RECORD_TASKS:
        return care_item(task.workflow_id)
    if is_transfer(task.workflow_id) or is_batch(task.workflow_id):
        return job_record(care_item(task.workflow_id))
    if task.case_token is not None and is_batch_record(task.workflow_id):
        return job_record(task.case_token)
    case = session.get(InstallmentCase, task.case_token) if task.case_token is not None else None
    if case is None:
        raise NotFound(detail=task.id)
    return case.subject_id


def count_open_by_type(session: Session) -> dict[str, int]:
    """Open tasks of all tenants by type, for the metrics."""
    query = select(Task.type, func.count()).where(IS_OPEN).group_by(col(Task.type))
    return {kind: int(count) for kind, count in session.exec(query).all()}


def count_comments(session: Session, task_id: str) -> int:
    """How many remarks stand on a task."""
    return session.exec(select(func.count()).select_from(TaskComment).where(TaskComment.task_id == task_id)).one()


def list_comments(
    session: Session, task_id: str, *, limit: int = 50, after: tuple[datetime, str] | None = None
) -> list[TaskComment]:
    """Remarks on a task, oldest first, still sealed; `after` is the time and id of the last one seen."""
    query = select(TaskComment).where(TaskComment.task_id == task_id)
    if after is not None:
        at, comment_id = after
        later = col(TaskComment.created_at) > at
        query = query.where(or_(later, and_(col(TaskComment.created_at) == at, col(TaskComment.id) > comment_id)))
    ordered = query.order_by(col(TaskComment.created_at), col(TaskComment.id)).limit(limit)
    return list(session.exec(ordered).all())


# -- the filter --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scope:
    """Everything the filter lets through, and which index holds it."""

    where: ColumnElement[bool]
    only_open: bool
    by_case: bool

    def hint(self, open_index: str) -> str:
        """Names the index for SQLite, which would otherwise guess without statistics; PostgreSQL gathers its own."""
        if self.by_case:
            return "INDEXED BY ix_tasks_case"
        return f"INDEXED BY {open_index}" if self.only_open else ""


def _scope(wanted: TaskFilter, *, tenant: str, viewer: Viewer, now: datetime) -> _Scope:
    states = set(TaskState)
    conditions = [visible(tenant=tenant, viewer=viewer)]
    for test in wanted.tests:
        if test.field is TaskField.STATE:
            chosen = {TaskState(str(value)) for value in test.values}
            states &= chosen if test.op is Op.IN else set(TaskState) - chosen
        else:
            conditions.append(_condition(test, viewer=viewer, now=now))
    only_open = states <= set(OPEN_TASK_STATES)
    if only_open:
        conditions.append(IS_OPEN)
    if states not in (set(TaskState), set(OPEN_TASK_STATES)):
        conditions.append(col(Task.state).in_(sorted(states)))
    by_case = any(test.field is TaskField.CASE_TOKEN and test.op is Op.IN for test in wanted.tests)
    return _Scope(where=and_(*conditions), only_open=only_open, by_case=by_case)


def _condition(test: TaskTest, *, viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    if test.field is TaskField.OVERDUE:
        overdue = and_(IS_OPEN, col(Task.due_at) < now)
        return overdue if test.values[0] else not_(overdue)
    column = _COLUMNS[test.field]
    if test.field is TaskField.ASSIGNEE and test.op in (Op.IN, Op.NOT_IN):
        member = _assigned(column, test, viewer=viewer)
        return member if test.op is Op.IN else not_(member)
    return condition(column, test)


def _assigned(column: Any, test: TaskTest, *, viewer: Viewer) -> ColumnElement[bool]:
    """Who holds it, with the viewer and nobody by their words; true or false and never NULL."""
    values: set[Value] = set(test.values)
    nobody: ColumnElement[bool] = false()
    if ME in values:
        values = values - {ME} | {viewer.staff_id}
    if NOBODY in values:
        values, nobody = values - {NOBODY}, column.is_(None)
    return or_(member_of(column, values) if values else false(), nobody)


# -- the page ----------------------------------------------------------------------------------------------------------


def _page(session: Session, found: _Scope, position: Position, *, limit: int) -> tuple[list[Task], bool]:
    """Rows after (or, read backwards, before) the position, and whether there are more beyond them.

    The rows beyond a key of several columns are read as ranges, one after the other, each a seek in one index: an OR
    over mixed directions would walk the index from its beginning.
    """
    order = ORDERS[position.sort]
    rows: list[Task] = []
    for beyond in order.ranges(position.key, backwards=position.backwards):
        query = select(Task).where(found.where, beyond).order_by(*order.order_by(backwards=position.backwards))
        hinted = query.with_hint(Task, found.hint(order.index), "sqlite")
        rows += session.exec(hinted.limit(limit + 1 - len(rows))).all()
        if len(rows) > limit:
            break
    more = len(rows) > limit
    del rows[limit:]
    return (rows[::-1] if position.backwards else rows), more


def _key(sort: TaskSort, row: Task) -> Key:
    amount = NO_AMOUNT if row.amount_minor is None else row.amount_minor
    leading: Key = {
        TaskSort.PRIORITY: (row.priority, row.due_at),
        TaskSort.DUE: (row.due_at,),
        TaskSort.DUE_DESC: (row.due_at,),
        TaskSort.CREATED: (row.created_at,),
        TaskSort.CREATED_DESC: (row.created_at,),
        TaskSort.AMOUNT: (amount,),
        TaskSort.AMOUNT_DESC: (amount,),
    }[sort]
    return (*leading, row.id)


# -- the facets --------------------------------------------------------------------------------------------------------


def _facets(session: Session, found: _Scope, *, viewer: Viewer, now: datetime) -> Facets:
    """All counts from one grouped pass over an index that holds every column asked for.

    The due bands are counted in the same pass: where much is overdue, a pass of their own costs as much as this one.
    """
    group = (col(Task.candidate_role), col(Task.branch), col(Task.type), col(Task.state))
    assignee, due, tomorrow = col(Task.assignee), col(Task.due_at), _tomorrow(now)
    counts = (
        func.count(),
        func.count(assignee),
        func.count().filter(assignee == viewer.staff_id),
        func.count().filter(due < now),
        func.count().filter(due < tomorrow),
    )
    query: Any = select(*group, *counts)  # type: ignore[call-overload]
    query = query.where(found.where).group_by(*group).with_hint(Task, found.hint("ix_tasks_open_facets"), "sqlite")
    by_role, by_branch, by_type, by_state = (Counter[str]() for _ in group)
    by_assignee = {"none": 0, "me": 0, "others": 0}
    by_due = {"overdue": 0, "today": 0, "later": 0}
    for role, branch, task_type, state, count, taken, own, late, until_tonight in session.exec(query).all():
        by_role[role] += count
        by_branch[branch] += count
        by_type[task_type] += count
        by_state[state] += count
        by_assignee["none"] += count - taken
        by_assignee["me"] += own
        by_assignee["others"] += taken - own
        if state in OPEN_TASK_STATES:
            by_due["overdue"] += late
            by_due["today"] += until_tonight - late
            by_due["later"] += count - until_tonight
    return Facets(
        type=dict(by_type),
        state=dict(by_state),
        branch=dict(by_branch),
        candidate_role=dict(by_role),
        assignee=by_assignee,
        due=by_due,
    )


def _tomorrow(now: datetime) -> datetime:
    """Midnight in Beijing (北京时间)."""
    return (now.astimezone(_CHINA) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
