"""One case of the demo, from application to service or another end, played over HTTP as staff and customer would."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from deploy.demo.book import BookRow
from deploy.demo.courses import Course
from deploy.demo.customer import Customer
from deploy.demo.mailbox import Phones
from deploy.demo.negotiating import fitting
from deploy.demo.office import Office, Unexpected
from deploy.demo.plans import IN_SERVICE, Plan, terms_of
from models.domain.application import ConsentPurpose
from models.domain.default_texts import CREDIT_QUERY_VERSION
from models.domain.privacy_notice import DEFAULT_NOTICE
from models.domain.states import CaseStage, Outcome, TaskType
from models.domain.tokens import new_token

BRANCH: Final = "sh-01"
PATH: Final = "/v1/installment-cases"
_POLL_SECONDS: Final = 0.1
_LONGEST_POLL_SECONDS: Final = 0.8  # whoever asks without rest slows down what they wait for
_PATIENCE_SECONDS: Final = 300.0
_FORBIDDEN: Final = 403
_FOUR_EYES: Final = "four-eyes-violation"
_CUSTOMER_ONLY: Final = "customer-only"
_MENDED: Final = {"openAccounts": 2, "monthlyObligationMinor": 80_000, "worstDaysPastDue": 35}


@dataclass(slots=True)
class Life:
    """A case under way, and what it came to."""

    office: Office
    plan: Plan
    row: BookRow
    phones: Phones
    token: str = ""
    by_senior: bool = False  # assessed by somebody who is an approver too
    course: Course | None = None  # what comes once the agreement is in force
    outcome: str | None = None  # also `in-service`, which is no outcome of the case
    chosen: str | None = None  # hash of the plan that was chosen last
    customer: Customer | None = None
    decisions: list[tuple[str, str]] = field(default_factory=list)  # where each acknowledged decision can be read
    seen: Counter[str] = field(default_factory=Counter)
    tasks: Counter[TaskType] = field(default_factory=Counter)

    @property
    def end(self) -> str:
        """What it must have come to when the demo is over."""
        return self.course.end if self.course is not None else self.plan.end

    async def play(self) -> None:
        """Apply, then answer task after task until the case is in service or has ended.

        Raises:
            Unexpected: it did not end in time, or the API refused something the plan holds.
        """
        await self.apply()
        await self.go_on()

    async def apply(self) -> None:
        """Hand in the application, as staff or as the customer.

        Raises:
            Unexpected: the API refused it.
        """
        self.token = await (self._apply_by_link() if self.plan.by_link else self._apply())

    async def go_on(self) -> None:
        """Answer task after task of a case that exists until it is in service or has ended.

        Raises:
            Unexpected: as `play`.
        """
        deadline, pause = time.monotonic() + _PATIENCE_SECONDS, _POLL_SECONDS
        while time.monotonic() < deadline:
            case = (await self.office.auditor.call("GET", f"{PATH}/{self.token}")).json()
            self.outcome = IN_SERVICE if case["stage"] == CaseStage.SERVICING else case["outcome"]
            if self.outcome is not None:
                return
            task = next(iter(case["openTasks"]), None)
            if task is not None and task["state"] != "DECIDING" and await self._answer(task):
                pause = _POLL_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        raise Unexpected(f"case {self.token} has not ended")

    # -- applying ------------------------------------------------------------------------------------------------------

    async def _apply(self) -> str:
        body = application(self.row) | {
            "branch": BRANCH,
            "consents": [credit_consent("WRITTEN"), privacy_notice("WRITTEN")],
        }
        answer = await self.office.officer.call("POST", PATH, json=body, headers=_key())
        token: str = answer.json()["token"]
        if not self.plan.evidence_late:
            await self._add_evidence(token)
        return token

    async def _apply_by_link(self) -> str:
        terms = {"totalDueMinor": self.row.total_due_minor}
        link = await self._link({"purpose": "application", "branch": BRANCH, "terms": terms})
        given = [credit_consent("ELECTRONIC")]
        if not self.plan.notice_late:
            given.append(privacy_notice("ELECTRONIC"))
        body = application(self.row) | {"consents": given}
        answer = await self.office.line.request("POST", f"{link}/application", json=body, headers=_key())
        if answer.is_error:
            raise Unexpected(f"application by link: {answer.status_code}")
        applied = answer.json()
        await self.upload(f"{applied['progressLink']['path']}/documents", "hardship-evidence", as_customer=True)
        return str(applied["caseToken"])

    async def _link(self, body: dict[str, Any]) -> str:
        answer = await self.office.officer.call("POST", "/v1/customer-links", json=body, headers=_key())
        return str(answer.json()["path"])

    async def _add_evidence(self, token: str) -> None:
        await self.upload(f"{PATH}/{token}/documents", "hardship-evidence")

    async def upload(self, path: str, kind: str, *, as_customer: bool = False) -> str:
        """Put a paper of the customer's into the case, as staff or as the customer; returns its id."""
        # The file names its owner, so that a store which keeps it in clear is found out.
        content = f"%PDF-1.4\n{self.row.name} {self.row.id_number} {self.row.mobile}\n%%EOF\n".encode()
        request: dict[str, Any] = {
            "files": {"file": (f"{self.row.name}.pdf", content, "application/pdf")},
            "data": {"kind": kind},
            "headers": _key(),
        }
        if not as_customer:
            return str((await self.office.officer.call("POST", path, **request)).json()["id"])
        answer = await self.office.line.request("POST", path, **request)
        if answer.is_error:
            raise Unexpected(f"document by link: {answer.status_code}")
        return str(answer.json()["id"])

    # -- answering -----------------------------------------------------------------------------------------------------

    async def _answer(self, task: dict[str, Any]) -> bool:
        task_type = TaskType(task["type"])
        self.seen[task_type.value] += 1
        if task_type is self.plan.withdraw_at:
            return await self._withdraw()
        if task_type is TaskType.INCIDENT:
            note = "figures read from the paper report"
            return await self.decide(task, {"outcome": Outcome.MEND, "note": note} | _MENDED)
        if task_type is TaskType.INCIDENT_CONFIRM:
            return await self.confirm(task)
        await self._prepare(task_type)
        if task_type is TaskType.APPROVAL and self.by_senior:
            await self._try_own_approval(task["id"])
        answers = self.plan.answers[task_type]
        answer = answers[min(self.tasks[task_type], len(answers) - 1)]
        self.tasks[task_type] += 1
        if answer["outcome"] == Outcome.SIGN:
            return await self._sign(task["id"])
        terms = terms_of(answer, self.row, months=self._months)
        return await self.decide(task, answer | terms | await self._found_for(answer, task["id"]))

    @property
    def _months(self) -> int | None:
        return self.course.months if self.course is not None else None

    async def _found_for(self, answer: dict[str, Any], task_id: str) -> dict[str, str]:
        """What a form names by id: the plan among those that the task shows, or a scan that must be there first."""
        if answer["outcome"] == Outcome.CHOOSE:
            shown = (await self.office.officer.call("GET", f"/v1/tasks/{task_id}")).json()["shown"]
            offer = fitting(shown["offers"], wish=self.row.row, months=self._months)
            self.chosen = offer["hash"]
            return {"offerId": offer["id"]}
        if answer["outcome"] == Outcome.PAPER:
            return {"documentId": await self.upload(f"{PATH}/{self.token}/documents", "signed-paper")}
        return {}

    async def _sign(self, task_id: str) -> bool:
        """The customer reads and signs; once in a while an officer tries to do it for them, which must be refused."""
        if self.by_senior:
            await self._try_to_sign_for(task_id)
        if self.customer is None:
            self.customer = Customer(self.office.line, self.phones, self.token, self.row.mobile)
            if self.course is not None:
                self.customer.by_debit = self.course.by_debit
        self.decisions.append((self.token, await self.customer.sign(careless=self.by_senior)))
        return True

    async def _try_to_sign_for(self, task_id: str) -> None:
        officer = self.office.officer
        task = await officer.call("GET", f"/v1/tasks/{task_id}")
        body = {"outcome": Outcome.SIGN, "shownHash": task.json()["shownHash"]}
        headers = {"If-Match": task.headers["ETag"]} | _key()
        path = f"/v1/tasks/{task_id}/decisions"
        answer = await officer.call("POST", path, json=body, headers=headers, expect=(201, 202, 403))
        self.seen["signing-for-tried"] += 1
        refused = answer.status_code == _FORBIDDEN and answer.json()["code"] == _CUSTOMER_ONLY
        self.seen["signing-for-refused"] += refused

    async def _try_own_approval(self, task_id: str) -> None:
        """The maker tries to approve what the maker has proposed; that must be refused."""
        senior = self.office.senior
        task = await senior.call("GET", f"/v1/tasks/{task_id}")
        body = {"outcome": Outcome.APPROVE, "shownHash": task.json()["shownHash"]}
        headers = {"If-Match": task.headers["ETag"]} | _key()
        path = f"/v1/tasks/{task_id}/decisions"
        answer = await senior.call("POST", path, json=body, headers=headers, expect=(201, 202, 403))
        self.seen["own-approval-tried"] += 1
        self.seen["own-approval-refused"] += answer.status_code == _FORBIDDEN and answer.json()["code"] == _FOUR_EYES

    async def _prepare(self, task_type: TaskType) -> None:
        """What has to come in before a documents task that came back can be accepted."""
        if task_type is not TaskType.DOCUMENTS or self.tasks[task_type] != 1:
            return
        if self.plan.by_link:
            late = [credit_consent("WRITTEN")]
            if self.plan.notice_late:
                late.append(privacy_notice("WRITTEN"))
            for body in late:
                await self.office.officer.call("POST", f"{PATH}/{self.token}/consents", json=body, headers=_key())
        if self.plan.evidence_late:
            await self._add_evidence(self.token)

    async def decide(self, task: dict[str, Any], form: dict[str, Any]) -> bool:
        """Answer a task as whoever it is meant for; the acknowledged decision is remembered."""
        actor = self.office.for_role(task["candidateRole"])
        if self.by_senior and task["type"] == TaskType.ASSESSMENT:
            actor = self.office.senior
        self._remember(await actor.decide(task["id"], form))
        return True

    async def confirm(self, task: dict[str, Any]) -> bool:
        """The second person's word on how an incident was answered."""
        form = {"outcome": Outcome.CONFIRM}
        self._remember(await self.office.second_operator.decide(task["id"], form))
        return True

    async def _withdraw(self) -> bool:
        body = {"reasonCode": "customer-asked-to-stop"}
        if not self.plan.withdraw_by_link:
            path = f"{PATH}/{self.token}/withdrawal"
            self._remember(await self.office.officer.call("POST", path, json=body, headers=_key()))
            return True
        link = await self._link({"purpose": "progress", "caseToken": self.token})
        answer = await self.office.line.request("POST", f"{link}/withdrawal", json=body, headers=_key())
        if answer.is_error:
            raise Unexpected(f"withdrawal by link: {answer.status_code}")
        self.decisions.append((self.token, answer.json()["decisionId"]))
        return True

    def _remember(self, answer: httpx.Response) -> None:
        self.decisions.append((self.token, answer.json()["decisionId"]))


def application(row: BookRow) -> dict[str, Any]:
    """An application as a clerk types it from the book; without consents."""
    return {
        "applicant": {
            "idType": row.id_type,
            "idNumber": row.id_number,
            "name": row.name,
            "mobile": row.mobile,
            "email": row.email or None,
            "address": row.address or None,
            "employer": row.employer or None,  # the self-employed have none
            "cardNumber": row.card_number or None,
        },
        "finances": {
            "totalDueMinor": row.total_due_minor,
            "monthlyIncomeMinor": row.monthly_income_minor,
            "essentialExpenseMinor": row.essential_expense_minor,
            "otherDebtPaymentMinor": row.other_debt_payment_minor,
            "dependants": row.dependants,
        },
        "hardship": {"code": row.hardship_code, "note": f"{row.name}，{row.employer}，{row.address}"},
        "willingToRepay": row.willing_to_repay,
        "requested": {"amountMinor": row.requested_amount_minor, "termMonths": row.requested_term_months},
    }


def credit_consent(form: str) -> dict[str, str]:
    """Consent to the credit query, in a form."""
    return {"purpose": ConsentPurpose.CREDIT_REPORT_QUERY, "form": form, "textVersion": CREDIT_QUERY_VERSION}


def privacy_notice(form: str) -> dict[str, str]:
    """That the customer was given the notice about personal data, in a form."""
    return {"purpose": ConsentPurpose.PRIVACY_NOTICE, "form": form, "textVersion": DEFAULT_NOTICE.version}


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}
