"""An inbox over HTTP for tests: staff of one branch, a case with its subject, tasks on it."""

from typing import Any, Final

from sqlmodel import select

from models.domain.roles import Role
from models.domain.states import TaskType
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from models.tables.tasks import Task
from tests.support.api import Office
from tests.support.applications import taken_in
from tests.support.inbox import add_tasks, make_task

BRANCH: Final = "sh-01"
TASKS: Final = "/v1/tasks"


def officer(office: Office, login: str = "officer", **changes: Any) -> Staff:
    """A case officer of the branch."""
    return office.staff(login, Role.CASE_OFFICER, **({"branch": BRANCH} | changes))


def approver(office: Office, login: str = "approver", **changes: Any) -> Staff:
    """An approver of the branch, with authority over what the tests propose."""
    fields: dict[str, Any] = {
        "branch": BRANCH,
        "authority_amount_minor": 10**10,
        "authority_concession_bps": 10_000,
    }
    return office.staff(login, Role.APPROVER, **(fields | changes))


async def task_on_a_case(office: Office, by: Staff, kind: TaskType = TaskType.DOCUMENTS, **changes: Any) -> Task:
    """A task as the workflow would have opened it on a case that `by` has taken in."""
    case = await taken_in(office, by)
    fields = {"case_token": case["token"], "workflow_id": f"installments/{case['token']}"}
    task = make_task(kind, **(fields | changes))
    row = task.model_dump()
    add_tasks(office.deps.database, [task])
    return Task(**row)


def row_of(office: Office, task: Task) -> Task:
    """The row as it is now."""
    with office.deps.database.read() as session:
        return session.get_one(Task, task.id)


def events(office: Office, action: str) -> list[AuditEvent]:
    """What was recorded under an action."""
    with office.deps.database.read() as session:
        return list(session.exec(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)).all())
