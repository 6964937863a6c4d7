"""The withdrawal of a case: committed first, then told to the workflow, and answered alike however often it is sent."""

from typing import Any

import httpx
from sqlmodel import select

from compliance.payloads.dispatch import Fate
from models.domain.roles import Role
from models.tables.installments import InstallmentCase
from models.tables.platform import OutboxEntry
from models.tables.staff import Staff
from models.tables.tasks import Decision
from tests.support.api import Office
from tests.support.applications import CASES, FakeDispatcher, taken_in

REASON = {"reasonCode": "customer-asked-to-stop", "note": "打电话说找到了工作"}


async def withdraw(
    office: Office, by: Staff, token: str, *, key: str = "w", body: dict[str, Any] = REASON, **headers: str
) -> httpx.Response:
    async with office.client(by) as client:
        headers = {"Idempotency-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post(f"{CASES}/{token}/withdrawal", json=body, headers=headers)


async def test_an_applied_withdrawal_is_201_and_the_same_when_sent_again(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    dispatcher.fate = Fate.APPLIED
    first = await withdraw(office, officer, token)
    again = await withdraw(office, officer, token)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["stage"], first.json()["outcome"]) == ("APPLIED", "ended", "withdrawn")
    assert len(dispatcher.sent) == 1
    sent = dispatcher.sent[0]
    assert (sent.task_no, sent.outcome, sent.reason_code) == (None, "withdraw", "customer-asked-to-stop")
    assert (sent.decision_id, sent.person_id) == (first.json()["decisionId"], officer.person_id)
    with office.deps.database.read() as session:
        decision = session.exec(select(Decision)).one()
    assert decision.note_cell is not None
    assert "找到了工作".encode() not in decision.note_cell


async def test_without_an_answer_it_is_202_and_the_relay_has_it(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    answer = await withdraw(office, officer, token)
    assert (answer.status_code, answer.json()["state"]) == (202, "PENDING")
    assert answer.headers["location"] == f"{CASES}/{token}"
    with office.deps.database.read() as session:
        entry = session.exec(select(OutboxEntry).where(OutboxEntry.kind == "decision")).one()
        case = session.get_one(InstallmentCase, token)
    assert entry.business_key == answer.json()["decisionId"] == case.pending_decision_id
    second = await withdraw(office, officer, token, key="another")
    assert (second.status_code, second.json()["code"]) == (409, "decision-pending")


async def test_a_refusal_is_409_with_its_reason_and_stays_so(office: Office, dispatcher: FakeDispatcher) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    dispatcher.fate, dispatcher.reason = Fate.REFUSED, "wrong-state"
    for _ in range(2):
        answer = await withdraw(office, officer, token)
        assert (answer.status_code, answer.json()["code"]) == (409, "decision-refused")
        assert answer.json()["params"] == {"reason": "wrong-state"}
    assert len(dispatcher.sent) == 1
    dispatcher.fate = Fate.APPLIED
    assert (await withdraw(office, officer, token, key="again")).status_code == 201  # the case was free again


async def test_reason_version_and_permission_are_asked_first(office: Office, dispatcher: FakeDispatcher) -> None:
    officer, approver = office.staff("officer", Role.CASE_OFFICER), office.staff("approver", Role.APPROVER)
    token = (await taken_in(office, officer))["token"]
    unknown = await withdraw(office, officer, token, body={"reasonCode": "bored"})
    assert [(fault["pointer"], fault["code"]) for fault in unknown.json()["errors"]] == [("/reasonCode", "not-one-of")]
    stale = await withdraw(office, officer, token, If_Match='"v9"')
    assert (stale.status_code, stale.json()["params"]) == (412, {"currentVersion": 1})
    assert (await withdraw(office, approver, token)).status_code == 403
    stranger = office.staff("stranger", Role.CASE_OFFICER, branch="bj-02")
    assert (await withdraw(office, stranger, token)).status_code == 404
    assert dispatcher.sent == []
    assert (await withdraw(office, officer, token, If_Match='"v1"')).status_code == 202
