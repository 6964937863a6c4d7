"""A care desk over HTTP: tickets come in, and the steps of their workflow are taken by hand, without Temporal."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlmodel import col, select

from activities.aftercare.steps import SqlAftercare
from activities.tasks.platform import SqlPlatform
from models.contracts.aftercare import ReadTicketInput, SettleTicketInput
from models.contracts.platform import Fence, OpenTaskInput, RegisterRunInput
from models.domain.aftercare.clocks import monday_to_friday
from models.domain.ids import ticket_workflow_id
from models.domain.roles import Role
from models.domain.states import TaskState, TaskType
from models.tables.staff import Staff
from models.tables.tasks import Decision, Task
from tests.support.api import Office
from tests.support.applications import taken_in

SAID = "六月扣了两次，卡号尾号 1234，请退回"
BRANCH = "sh-01"


@dataclass
class CareDesk:
    """Two people, a case, and its tickets."""

    office: Office
    officer: Staff
    approver: Staff
    case: str
    sent: int = 0

    async def post(self, path: str, body: Any, *, by: Staff | None = None, **headers: str) -> httpx.Response:
        """Under a fresh key; without staff, as the customer."""
        self.sent += 1
        async with self.office.client(by) as client:
            return await client.post(path, json=body, headers={"Idempotency-Key": f"k{self.sent}", **headers})

    async def get(self, path: str, *, by: Staff | None = None, locale: str = "en") -> httpx.Response:
        async with self.office.client(by) as client:
            return await client.get(path, headers={"Accept-Language": locale})

    async def open(self, kind: str = "complaint", *, by: Staff | None = None) -> dict[str, Any]:
        """A ticket taken in by staff."""
        body = {"caseToken": self.case, "kind": kind, "text": SAID}
        answer = await self.post("/v1/tickets", body, by=by or self.officer)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def link(self) -> str:
        """The path of a progress link of the case."""
        body = {"purpose": "progress", "caseToken": self.case}
        answer = await self.post("/v1/customer-links", body, by=self.officer)
        path: str = answer.json()["path"]
        return path

    # What the workflow does ---------------------------------------------------------------------------------------

    def ask(self, ticket: str, task_type: TaskType, *, no: int, seq: int) -> Task:
        """Open the task of a ticket."""
        workflow_id = ticket_workflow_id(self.case, ticket)
        platform = SqlPlatform(self.office.deps.database, self.office.clock)
        platform.register_run(RegisterRunInput(workflow_id=workflow_id, run_id="run"))
        fence = Fence(epoch=1, seq=seq)
        platform.open_task(
            OpenTaskInput(workflow_id=workflow_id, case_token=self.case, task_no=no, task_type=task_type, fence=fence)
        )
        with self.office.deps.database.read() as session:
            return session.exec(select(Task).where(col(Task.workflow_id) == workflow_id, col(Task.task_no) == no)).one()

    async def decide(self, task: Task, by: Staff, **body: Any) -> httpx.Response:
        """Decide it; nobody answers from Temporal."""
        self.office.clock.advance(timedelta(seconds=1))
        path = f"/v1/tasks/{task.id}/decisions"
        return await self.post(path, body, by=by, **{"If-Match": f'"v{task.version}"'})

    def settle(self, ticket: str, task: Task, *, stage: str, outcome: str | None = None, seq: int) -> None:
        """Apply the decision under way on a task."""
        steps = SqlAftercare(self.office.deps.database, self.office.deps.vault, self.office.clock, monday_to_friday)
        assert steps.read_ticket(ReadTicketInput(case_token=self.case, item=ticket)).kind
        with self.office.deps.database.read() as session:
            decision = session.exec(
                select(Decision).where(col(Decision.task_id) == task.id, col(Decision.state) == "PENDING")
            ).one()
        steps.settle_ticket(
            SettleTicketInput(
                workflow_id=task.workflow_id,
                case_token=self.case,
                item=ticket,
                decision_id=decision.id,
                fence=Fence(epoch=1, seq=seq),
                task_no=task.task_no,
                outcome=decision.outcome,
                next_stage=stage,
                ticket_outcome=outcome,
                reason_code=decision.reason_code,
            )
        )

    def open_tasks(self, ticket: str) -> list[Task]:
        """What people are asked about a ticket."""
        with self.office.deps.database.read() as session:
            rows = session.exec(select(Task).where(col(Task.workflow_id) == ticket_workflow_id(self.case, ticket)))
            return [row for row in rows.all() if row.state not in (TaskState.DONE, TaskState.CANCELLED)]


async def open_care_desk(office: Office) -> CareDesk:
    """An officer who took a case in, and an approver of the same branch."""
    officer = office.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    approver = office.staff("approver", Role.APPROVER, branch=BRANCH)
    case = await taken_in(office, officer)
    return CareDesk(office=office, officer=officer, approver=approver, case=case["token"])
