"""Rows of the inbox for tests, written straight into the tables."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from models.database.engine import Database
from models.domain.roles import CANDIDATE_ROLE, Role
from models.domain.states import TaskState, TaskType
from models.domain.tokens import new_token
from models.domain.viewer import Viewer
from models.tables.tasks import Task
from models.tables.tenants import Tenant

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TENANT: Final = "main"
PROPOSAL: Final = {"id": "prp_1", "amountMinor": 3_000_000, "termMonths": 36, "concessionBps": 200}
HASH: Final = "ab" * 32


def add_tenants(database: Database, *codes: str) -> None:
    """The tenants that rows belong to."""
    with database.write() as session:
        session.add_all([Tenant(code=code, name=code, sandbox=True, created_at=NOW) for code in codes or (TENANT,)])


def make_task(task_type: TaskType = TaskType.DOCUMENTS, **changes: Any) -> Task:
    """A free task of branch sh-01 that is due in an hour."""
    token = changes.pop("id", None) or new_token("tsk")
    fields: dict[str, Any] = {
        "id": token,
        "tenant": TENANT,
        "workflow_id": f"installments/main.{token}",
        "task_no": 1,
        "case_token": f"main.{token}",
        "type": task_type.value,
        "state": TaskState.READY.value,
        "candidate_role": CANDIDATE_ROLE[task_type].value,
        "branch": "sh-01",
        "priority": 50,
        "due_at": NOW + timedelta(hours=1),
        "amount_minor": 3_000_000,
        "currency": "CNY",
        "title_params": {"amountMinor": 3_000_000, "termMonths": 36, "case": token[-6:]},
        "shown": {"proposal": PROPOSAL},
        "shown_hash": HASH,
        "created_at": NOW - timedelta(days=1),
        "updated_at": NOW - timedelta(days=1),
    }
    return Task(**(fields | changes))


def add_tasks(database: Database, tasks: Iterable[Task]) -> None:
    """Write rows without an event: they stand for what a workflow has opened."""
    with database.write() as session:
        session.add_all(tasks)


def make_viewer(*roles: Role, **changes: Any) -> Viewer:
    """A member of staff of branch sh-01 with authority over everything."""
    fields: dict[str, Any] = {
        "staff_id": "stf_me",
        "person_id": "prs_me",
        "branch": "sh-01",
        "roles": frozenset(roles or (Role.CASE_OFFICER,)),
        "authority_amount_minor": 10**10,
        "authority_concession_bps": 10_000,
    }
    return Viewer(**(fields | changes))


def reload(session: Session, task: Task) -> Task:
    """The row as it is now."""
    return session.get_one(Task, task.id, populate_existing=True)
