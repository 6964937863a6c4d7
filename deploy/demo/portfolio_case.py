"""One client of the portfolio, from application to service or a reasoned refusal; decided by what tasks show."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from deploy.demo import portfolio_policy as policy
from deploy.demo.clients_book import Applicant
from deploy.demo.clients_figures import Proof
from deploy.demo.customer import Customer
from deploy.demo.lives import BRANCH, Life, application, credit_consent, privacy_notice
from deploy.demo.mailbox import NothingCame
from deploy.demo.office import Actor, Unexpected
from deploy.demo.plans import ACCEPT, CONFIRM, IN_SERVICE, PAPER, Plan
from deploy.demo.portfolio_staff import SENIOR_CONCESSION_BPS, Approvers
from models.domain.states import CaseStage, Outcome, TaskState, TaskType
from models.domain.tokens import new_token

NOT_TAKEN: Final = "not-taken"
"""The application itself was refused: there is no case."""
STUCK: Final = "stuck"
"""It came to no end: something answered what nobody expected."""
_CASES: Final = "/v1/installment-cases"
_CREATED, _FORBIDDEN = 201, 403
_BLOCKING: Final = ("FAIL", "UNKNOWN")
_RETRIES: Final = 1
_POLL_SECONDS: Final = 0.4
_PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One rule, or one field of the application, that stands behind a refusal."""

    rule: str
    reason: str
    citation: str | None = None


@dataclass(kw_only=True)
class ClientCase(Life):
    """A client under way, and what it came to.

    Attributes:
        applicant: figures, identity and habits.
        approvers: who approves.
        reason: the code that the refusal names; for a case that got stuck, what was answered.
        refusals: the rules that stand against it at its end.
        family: the plan family that was chosen last.
        granted_minor: what was approved, minor units.
        approved_by_senior: the amount or the concession lay above the first approver's authority.
        seconds: how long it was played, ten seconds of reading included.
    """

    applicant: Applicant
    approvers: Approvers
    reason: str | None = None
    refusals: list[Refusal] = field(default_factory=list)
    family: str | None = None
    granted_minor: int = 0
    approved_by_senior: bool = False
    seconds: float = 0.0

    async def play(self) -> None:
        """Apply and go on to an end. What nobody expected is an end too, `stuck`: the other clients go on."""
        began = time.monotonic()
        try:
            await self.apply()
            if self.token:
                await self.go_on()
        except (Unexpected, NothingCame, httpx.HTTPError) as error:
            self.outcome, self.reason = STUCK, str(error) or type(error).__name__
        self.seconds = time.monotonic() - began

    async def apply(self) -> None:
        """Hand in the application; one that the API does not take is a refusal with its fields.

        Raises:
            Unexpected: the API answered something else.
        """
        if self.plan.by_link:
            await Life.apply(self)
            return
        body = application(self.row) | {
            "branch": BRANCH,
            "consents": [credit_consent("WRITTEN"), privacy_notice("WRITTEN")],
        }
        answer = await self.office.officer.call("POST", _CASES, json=body, headers=_key(), expect=(201, 400, 422))
        if answer.status_code != _CREATED:
            problem = answer.json()
            self.outcome, self.reason = NOT_TAKEN, problem["code"]
            self.refusals = [Refusal(rule=fault["pointer"], reason=fault["code"]) for fault in problem["errors"]]
            return
        self.token = answer.json()["token"]
        if self.applicant.proof is Proof.AT_ONCE:
            await self._add_evidence(self.token)

    async def go_on(self) -> None:
        """Answer task after task until the case is in service or has ended; many do so at once, so ask seldom.

        Raises:
            Unexpected: it did not end in time, or the API refused what the office decided.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            case = (await self.office.auditor.call("GET", f"{_CASES}/{self.token}")).json()
            self.outcome = IN_SERVICE if case["stage"] == CaseStage.SERVICING else case["outcome"]
            if self.outcome is not None:
                self._look_back(case)
                return
            task = next(iter(case["openTasks"]), None)
            if task is None or task["state"] == TaskState.DECIDING:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                await self._answer(task)
        raise Unexpected(f"case {self.token} has not ended")

    # -- the office ----------------------------------------------------------------------------------------------------

    async def _answer(self, task: dict[str, Any]) -> bool:
        task_type = TaskType(task["type"])
        self.tasks[task_type] += 1
        if task_type is TaskType.SIGNING:
            return await self._signing(task)
        if task_type is TaskType.INCIDENT_CONFIRM:
            return await self.confirm(task)
        if task_type is TaskType.APPROVAL:
            return await self._approval(task["id"])
        if task_type is TaskType.PAPER_CHECK:
            return await self._by(self.approvers.first, task["id"], CONFIRM)
        actor = self.office.for_role(task["candidateRole"])
        shown = (await actor.call("GET", f"/v1/tasks/{task['id']}")).json()
        return await self._by(actor, task["id"], await self._form(task_type, shown))

    async def _form(self, task_type: TaskType, task: dict[str, Any]) -> dict[str, Any]:
        """What the office answers to a task.

        Raises:
            Unexpected: nobody knows what to do with such a task.
        """
        if task_type is TaskType.DOCUMENTS:
            return await self._documents(task)
        if task_type is TaskType.ASSESSMENT:
            return policy.assessed(task)
        if task_type is TaskType.NEGOTIATION:
            return self._negotiation(task)
        if task_type is TaskType.INCIDENT:
            return self._mended()
        if task_type is TaskType.ACTIVATION:
            retried = self.tasks[task_type] > _RETRIES
            return {"outcome": Outcome.REJECT, "reasonCode": "core-refused"} if retried else {"outcome": Outcome.RETRY}
        raise Unexpected(f"a task that the office does not know: {task_type}")

    async def _documents(self, task: dict[str, Any]) -> dict[str, Any]:
        """What a rule asked for is fetched before the documents are accepted; without evidence the case ends."""
        if policy.wants_written_consent(task):
            body = credit_consent("WRITTEN")
            await self.office.officer.call("POST", f"{_CASES}/{self.token}/consents", json=body, headers=_key())
        if policy.wants_evidence(task):
            if self.applicant.proof is Proof.NEVER:
                return {"outcome": Outcome.REJECT, "reasonCode": "hardship-not-proven"}
            await self._add_evidence(self.token)
        return ACCEPT

    def _negotiation(self, task: dict[str, Any]) -> dict[str, Any]:
        form = policy.negotiated(
            task,
            hardship=self.row.hardship_code,
            amount_minor=self.row.requested_amount_minor,
            number=self.tasks[TaskType.NEGOTIATION],
            authority_bps=SENIOR_CONCESSION_BPS,
        )
        for offer in task["shown"]["offers"]:
            if offer["id"] == form.get("offerId"):
                self.chosen, self.family = offer["hash"], offer["family"]
        return form

    def _mended(self) -> dict[str, Any]:
        """The bureau cannot answer: the figures of the paper report are those that the customer declared."""
        monthly = self.row.other_debt_payment_minor
        return {
            "outcome": Outcome.MEND,
            "note": "figures read from the paper report",
            "openAccounts": 1 + (monthly > 0),
            "monthlyObligationMinor": monthly,
            "worstDaysPastDue": self.row.days_past_due,
        }

    async def _approval(self, task_id: str) -> bool:
        """The first approver; what lies above their authority is refused to them, and the senior decides."""
        first = self.approvers.first
        task = (await first.call("GET", f"/v1/tasks/{task_id}")).json()
        form = policy.approved(task)
        if form["outcome"] != Outcome.APPROVE or not policy.beyond_authority(task):
            return await self._by(first, task_id, form)
        await self._try_beyond(first, task_id)
        self.approved_by_senior = True
        return await self._by(self.approvers.senior, task_id, form)

    async def _try_beyond(self, first: Actor, task_id: str) -> None:
        task = await first.call("GET", f"/v1/tasks/{task_id}")
        body = {"outcome": Outcome.APPROVE, "shownHash": task.json()["shownHash"]}
        headers = {"If-Match": task.headers["ETag"]} | _key()
        path = f"/v1/tasks/{task_id}/decisions"
        answer = await first.call("POST", path, json=body, headers=headers, expect=(201, 202, 403))
        self.seen["beyond-authority-tried"] += 1
        refused = answer.status_code == _FORBIDDEN and answer.json()["code"] == "authority-exceeded"
        self.seen["beyond-authority-refused"] += refused

    async def _signing(self, task: dict[str, Any]) -> bool:
        """On paper, or the customer reads and signs through the link."""
        if self.applicant.on_paper:
            document = await self.upload(f"{_CASES}/{self.token}/documents", "signed-paper")
            return await self._by(self.office.officer, task["id"], PAPER | {"documentId": document})
        self.customer = self.customer or Customer(self.office.line, self.phones, self.token, self.row.mobile)
        self.decisions.append((self.token, await self.customer.sign()))
        return True

    async def _by(self, actor: Actor, task_id: str, form: dict[str, Any]) -> bool:
        answer = await actor.decide(task_id, form)
        self.decisions.append((self.token, answer.json()["decisionId"]))
        return True

    def _look_back(self, case: dict[str, Any]) -> None:
        """What the case says at its end: its reason, what was granted, and which rules stand against it."""
        self.reason = case["reasonCode"]
        if self.outcome == IN_SERVICE:
            self.granted_minor = case["granted"]["amountMinor"]
            return
        newest = {verdict["rule"]: verdict for verdict in case["verdicts"]}  # oldest first
        self.refusals = [
            Refusal(rule=verdict["rule"], reason=verdict["reason"], citation=verdict["citation"])
            for verdict in newest.values()
            if verdict["result"] in _BLOCKING and verdict["severity"] == "BLOCK"
        ]


def plan_of(applicant: Applicant) -> Plan:
    """What `Life` needs to know before: by which way the application comes."""
    return Plan(name="by what tasks show", end=IN_SERVICE, by_link=applicant.row.channel_preference == "link")


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}
