"""The tasks of a security incident: one in the inbox for each authority, due when its first open clock ends.

They are record tasks: no workflow stands behind them, and what is decided about them is decided in SQL.
"""

from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from models.domain.canonical import digest
from models.domain.ids import incident_workflow_id
from models.domain.incident_clocks import BY_CODE, Authority
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.tokens import new_token
from models.domain.viewer import ANY_BRANCH
from models.tables.incidents import IncidentReport, SecurityIncident
from models.tables.tasks import Task

_OPEN: Final = "OPEN"
_PRIORITY: Final = 90
_FIRST: Final = 95  # of the authority whose clock ends first
_OVERDUE: Final = 100  # of every one, once a clock of the incident has run out


def sync_tasks(session: Session, incident: SecurityIncident, *, now: datetime) -> None:
    """Bring the tasks to what the clocks say: opened, moved, closed. Repeatable."""
    session.flush()
    rows = session.exec(
        select(IncidentReport)
        .where(col(IncidentReport.incident_id) == incident.id)
        .order_by(col(IncidentReport.due_at), col(IncidentReport.clock))
        .execution_options(populate_existing=True)
    ).all()
    waiting = [row for row in rows if row.state == _OPEN]
    overdue = any(row.escalated_at is not None for row in waiting)
    for no, authority in enumerate(Authority, start=1):
        mine = [row for row in waiting if row.authority == authority.value]
        task = session.exec(
            select(Task)
            .where(col(Task.workflow_id) == incident_workflow_id(incident.tenant, incident.id), col(Task.task_no) == no)
            .execution_options(populate_existing=True)
        ).one_or_none()
        if not mine:
            _close(session, task, now)
            continue
        first = mine[0].due_at == waiting[0].due_at
        priority = _OVERDUE if overdue else _FIRST if first else _PRIORITY
        _show(session, task, incident, mine, no=no, priority=priority, now=now)
    session.flush()


def _close(session: Session, task: Task | None, now: datetime) -> None:
    if task is None or task.state not in OPEN_TASK_STATES:
        return
    task.state, task.closed_at, task.updated_at = TaskState.DONE, now, now
    task.version += 1
    session.add(task)


def _show(
    session: Session,
    task: Task | None,
    incident: SecurityIncident,
    mine: list[IncidentReport],
    *,
    no: int,
    priority: int,
    now: datetime,
) -> None:
    shown = _shown(incident, mine)
    wanted: dict[str, Any] = {
        "due_at": mine[0].due_at,
        "priority": priority,
        "shown": shown,
        "shown_hash": digest(shown),
        "title_params": {"authority": mine[0].authority, "kind": incident.kind, "record": incident.id[-6:]},
    }
    if task is None:
        session.add(
            Task(
                id=new_token("tsk"),
                tenant=incident.tenant,
                workflow_id=incident_workflow_id(incident.tenant, incident.id),
                task_no=no,
                type=TaskType.INCIDENT_REPORT,
                state=TaskState.READY,
                candidate_role=CANDIDATE_ROLE[TaskType.INCIDENT_REPORT],
                branch=ANY_BRANCH,
                created_at=now,
                updated_at=now,
                **wanted,
            )
        )
        return
    if task.state not in OPEN_TASK_STATES:  # a clock of this authority began anew
        wanted |= {"state": TaskState.READY, "assignee": None, "closed_at": None}
    changed = {name for name, value in wanted.items() if getattr(task, name) != value}
    for name in changed:
        setattr(task, name, wanted[name])
    if changed - {"priority"}:  # that it became more urgent changes nothing of what is decided about
        task.version += 1
    if changed:
        task.updated_at = now
        session.add(task)


def _shown(incident: SecurityIncident, mine: list[IncidentReport]) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "record": f"/v1/security-incidents/{incident.id}",
        "kind": incident.kind,
        "grade": incident.grade,
        "discoveredAt": incident.discovered_at.isoformat(),
        "authority": mine[0].authority,
        "clocks": [
            {
                "clock": row.clock,
                "dueAt": row.due_at.isoformat(),
                "limitSeconds": row.limit_seconds,
                "source": row.source,
                "verified": row.verified,
                "provisional": BY_CODE[row.clock].provisional,
            }
            for row in mine
        ],
    }
