"""A decision over HTTP: what is asked before it, what is written with it, and what the caller is told."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from compliance.payloads.dispatch import Fate
from compliance.vault.cells import CellAddress
from models.domain.roles import Role
from models.domain.states import TaskType
from models.tables.installments import InstallmentCase
from models.tables.platform import IdempotencyKey, OutboxEntry
from models.tables.staff import Staff
from models.tables.tasks import Decision, FourEyes, Task
from tests.support.api import Office
from tests.support.applications import FakeDispatcher
from tests.support.desk import TASKS, approver, events, officer, row_of, task_on_a_case
from tests.support.inbox import HASH, PROPOSAL, add_tasks, make_task

TERMS = {"amountMinor": 2_500_000, "termMonths": 24, "concessionBps": 100}


async def decide(
    office: Office,
    by: Staff,
    task: Task,
    body: Any,
    *,
    key: str | None = "key-1",
    version: str | None = '"v1"',
    **client: Any,
) -> httpx.Response:
    headers = {"Idempotency-Key": key, "If-Match": version}
    async with office.client(by, **client) as http:
        return await http.post(
            f"{TASKS}/{task.id}/decisions",
            json=body,
            headers={name: value for name, value in headers.items() if value is not None},
        )


def decisions(office: Office) -> list[Decision]:
    with office.deps.database.read() as session:
        return list(session.exec(select(Decision)).all())


async def test_a_decision_the_workflow_applies_is_told_with_the_state_after_it(
    office: Office, dispatcher: FakeDispatcher, tmp_path: Path
) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me, TaskType.ASSESSMENT)
    dispatcher.fate = Fate.APPLIED
    answer = await decide(office, me, task, {"outcome": "recommend", "note": "妻子失业，建议降息", **TERMS})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    (decision,) = decisions(office)
    assert answer.headers["location"] == f"{TASKS}/{task.id}/decisions/{decision.id}"
    assert told == {
        "decisionId": decision.id,
        "state": "APPLIED",
        "caseToken": task.case_token,
        "taskId": task.id,
        "stage": "ended",
        "outcome": "withdrawn",
    }
    (sent,) = dispatcher.sent
    assert (sent.decision_id, sent.outcome, sent.person_id) == (decision.id, "recommend", me.person_id)
    assert sent.terms is not None
    assert (sent.terms.amount_minor, sent.terms.term_months, sent.terms.concession_bps) == (2_500_000, 24, 100)
    row = row_of(office, task)
    assert (row.state, row.version, row.pending_decision_id, row.resume_state) == ("DECIDING", 2, decision.id, "READY")
    with office.deps.database.read() as session:
        outbox = session.exec(select(OutboxEntry).where(OutboxEntry.business_key == decision.id)).one()
        subject = session.get_one(InstallmentCase, task.case_token).subject_id
    assert (outbox.kind, outbox.workflow_id) == ("decision", task.workflow_id)
    address = CellAddress("main", "decisions", "note_cell", decision.id, subject)
    assert decision.note_cell is not None
    assert office.deps.vault.open_text(address, decision.note_cell) == "妻子失业，建议降息"
    (event,) = events(office, "task.decided")
    facts = json.loads(event.body)["facts"]
    assert (event.target, facts["outcome"], facts["terms"]["amount_minor"]) == (task.case_token, "recommend", 2_500_000)
    assert "失业" not in event.body


async def test_a_decision_nobody_answers_is_kept_and_can_be_looked_at(office: Office) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me)
    answer = await decide(office, me, task, {"outcome": "reject", "reasonCode": "documents-missing"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "PENDING"
    async with office.client(me) as client:
        looked = await client.get(answer.headers["location"])
        shown = (await client.get(f"{TASKS}/{task.id}")).json()
    told = looked.json()
    assert (told["state"], told["outcome"], told["reasonText"]) == (
        "PENDING",
        "reject",
        "Documents are missing and were not supplied",
    )
    assert (told["decidedBy"], told["hasNote"], told["settledAt"]) == (me.id, False, None)
    assert (shown["state"], shown["pendingDecisionId"]) == ("DECIDING", told["id"])
    assert shown["allowedActions"]["accept"]["because"] == "decision-pending"


async def test_a_decision_the_workflow_refuses_brings_the_task_back_with_the_reason(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me)
    dispatcher.fate, dispatcher.reason = Fate.REFUSED, "wrong-state"
    answer = await decide(office, me, task, {"outcome": "accept"})
    assert (answer.status_code, answer.json()["code"]) == (409, "decision-refused")
    assert answer.json()["params"] == {"reason": "wrong-state"}
    row = row_of(office, task)
    assert (row.state, row.return_reason, row.version, row.pending_decision_id) == ("READY", "wrong-state", 3, None)
    (decision,) = decisions(office)
    assert (decision.state, decision.refusal) == ("REFUSED", "wrong-state")
    async with office.client(me) as client:
        looked = (await client.get(f"{TASKS}/{task.id}/decisions/{decision.id}")).json()
    assert looked["refusalText"] == "the state of the task or the case has changed"
    again = await decide(office, me, task, {"outcome": "accept"})
    assert (again.status_code, again.json()["code"]) == (409, "decision-refused")
    assert len(dispatcher.sent) == 1


async def test_the_same_request_gets_the_same_answer_and_another_body_none(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me)
    dispatcher.fate = Fate.APPLIED
    first = await decide(office, me, task, {"outcome": "accept"})
    again = await decide(office, me, task, {"outcome": "accept"})
    other = await decide(office, me, task, {"outcome": "accept", "note": "x"})
    assert first.status_code == 201
    assert (again.status_code, again.json(), again.headers["location"]) == (
        201,
        first.json(),
        first.headers["location"],
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert len(decisions(office)) == len(dispatcher.sent) == 1


async def test_fifty_at_once_under_one_key_are_one_decision(office: Office, dispatcher: FakeDispatcher) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me)
    dispatcher.fate = Fate.APPLIED
    answers = await asyncio.gather(*[decide(office, me, task, {"outcome": "accept"}) for _ in range(50)])
    # Who has waited two seconds for the first one is told to ask again, and then hears the same.
    late = [answer for answer in answers if answer.status_code == 409]
    assert {(answer.json()["code"], "Retry-After" in answer.headers) for answer in late} <= {
        ("idempotency-in-flight", True)
    }
    again = [await decide(office, me, task, {"outcome": "accept"}) for _ in late]
    told = [answer for answer in (*answers, *again) if answer not in late]
    assert {answer.status_code for answer in told} == {201}
    assert len({answer.text for answer in told}) == 1
    assert len(decisions(office)) == len(dispatcher.sent) == 1
    with office.deps.database.read() as session:
        keys = session.exec(select(IdempotencyKey).where(IdempotencyKey.resource_id == decisions(office)[0].id)).all()
    assert len(keys) == 1


async def test_of_two_who_decide_at_once_one_is_told_why_not(office: Office, dispatcher: FakeDispatcher) -> None:
    one, two = officer(office, "one"), officer(office, "two")
    task = await task_on_a_case(office, one)
    dispatcher.fate = Fate.APPLIED
    answers = await asyncio.gather(
        decide(office, one, task, {"outcome": "accept"}),
        decide(office, two, task, {"outcome": "reject", "reasonCode": "not-a-customer"}),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"decision-pending"}
    assert len(decisions(office)) == len(dispatcher.sent) == 1


async def test_key_and_version_are_asked_for(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me)
    no_key = await decide(sqlite_office, me, task, {"outcome": "accept"}, key=None)
    no_version = await decide(sqlite_office, me, task, {"outcome": "accept"}, version=None)
    stale = await decide(sqlite_office, me, task, {"outcome": "accept"}, version='"v9"')
    assert (no_key.status_code, no_version.status_code) == (400, 428)
    assert (stale.status_code, stale.json()["params"]) == (412, {"currentVersion": 1})
    assert decisions(sqlite_office) == []
    assert row_of(sqlite_office, task).state == "READY"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/outcome"}),
        ({"outcome": "approve"}, {"/outcome"}),
        ({"outcome": "recommend", **TERMS, "amountMinor": 0, "termMonths": 61}, {"/amountMinor", "/termMonths"}),
        ({"outcome": "recommend", **TERMS, "amountMinor": 1e6}, {"/amountMinor"}),
        ({"outcome": "recommend", **TERMS, "personId": "prs_1"}, {"/personId"}),
        ({"outcome": "reject"}, {"/reasonCode"}),
        ({"outcome": "reject", "reasonCode": "because"}, {"/reasonCode"}),
        ({"outcome": "reject", "reasonCode": "no-hardship", "note": "x" * 2001}, {"/note"}),
    ],
)
async def test_a_form_that_does_not_fit_is_told_field_by_field(
    sqlite_office: Office, body: dict[str, Any], pointers: set[str]
) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me, TaskType.ASSESSMENT)
    answer = await decide(sqlite_office, me, task, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "form-invalid")
    assert {fault["pointer"] for fault in answer.json()["errors"]} == pointers
    assert all(fault["detail"] for fault in answer.json()["errors"])
    assert decisions(sqlite_office) == []


@pytest.mark.parametrize("body", [[], "accept", None, 1])
async def test_a_decision_is_an_object(sqlite_office: Office, body: object) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me)
    answer = await decide(sqlite_office, me, task, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "form-invalid")


# Checks ---------------------------------------------------------------------------------------------------------------

APPROVE = {"outcome": "approve", "shownHash": HASH}


async def test_an_approval_is_bound_to_what_was_shown_and_stands_as_checker(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    maker, me = officer(office), approver(office)
    task = await task_on_a_case(office, maker, TaskType.APPROVAL, excluded_persons=[maker.person_id])
    changed = await decide(office, me, task, {**APPROVE, "shownHash": "cd" * 32}, key="a")
    missing = await decide(office, me, task, {"outcome": "approve"}, key="b")
    dispatcher.fate = Fate.APPLIED
    done = await decide(office, me, task, APPROVE, key="c")
    assert (changed.status_code, changed.json()["code"]) == (409, "shown-changed")
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/shownHash")
    assert done.status_code == 201, done.text
    with office.deps.database.read() as session:
        (row,) = session.exec(select(FourEyes)).all()
    assert (row.subject, row.person_id, row.side) == (HASH, me.person_id, "checker")
    assert len(dispatcher.sent) == 1


async def test_a_stale_log_in_does_not_check_but_still_makes(office: Office) -> None:
    maker, me = officer(office), approver(office)
    check = await task_on_a_case(office, maker, TaskType.APPROVAL)
    make = make_task(case_token=check.case_token)
    copy = Task(**make.model_dump())
    add_tasks(office.deps.database, [make])
    old = office.token(me, auth_age=timedelta(minutes=5, seconds=1))
    refused = await decide(office, me, check, APPROVE, token=old)
    assert (refused.status_code, refused.json()["code"]) == (401, "fresh-login-required")
    assert "max_age" in refused.headers["www-authenticate"]
    assert row_of(office, check).state == "READY"
    old_maker = office.token(maker, auth_age=timedelta(minutes=14))
    assert (await decide(office, maker, copy, {"outcome": "accept"}, token=old_maker)).status_code == 202


async def test_a_maker_does_not_check_whichever_account_they_use(office: Office) -> None:
    maker = officer(office)
    second = approver(office, "second", person_id=maker.person_id)
    task = await task_on_a_case(office, maker, TaskType.APPROVAL, excluded_persons=[maker.person_id])
    answer = await decide(office, second, task, APPROVE)
    assert (answer.status_code, answer.json()["code"]) == (403, "four-eyes-violation")
    assert decisions(office) == []


async def test_authority_holds_for_what_is_approved_and_for_what_is_countered(sqlite_office: Office) -> None:
    maker = officer(sqlite_office)
    me = approver(sqlite_office, authority_amount_minor=2_999_999, authority_concession_bps=100)
    task = await task_on_a_case(sqlite_office, maker, TaskType.APPROVAL, shown={"proposal": PROPOSAL})
    above = await decide(sqlite_office, me, task, APPROVE, key="a")
    counter = {"outcome": "counter", "shownHash": HASH, **TERMS}
    steep = await decide(sqlite_office, me, task, {**counter, "concessionBps": 101}, key="b")
    within = await decide(sqlite_office, me, task, counter, key="c")
    assert (above.status_code, above.json()["code"]) == (403, "authority-exceeded")
    assert (steep.status_code, steep.json()["params"]) == (403, {"what": "concession", "value": 101, "limit": 100})
    assert within.status_code == 202


async def test_a_barred_outcome_names_the_rule(sqlite_office: Office) -> None:
    maker, me = officer(sqlite_office), approver(sqlite_office)
    blocked = [{"outcome": "approve", "rule": "PIPL-24", "verdict": "vrd_1"}]
    task = await task_on_a_case(sqlite_office, maker, TaskType.APPROVAL, blocked=blocked)
    barred = await decide(sqlite_office, me, task, APPROVE, key="a")
    back = {"outcome": "return", "reasonCode": "terms-unsuitable", "shownHash": HASH}
    free = await decide(sqlite_office, me, task, back, key="b")
    assert (barred.status_code, barred.json()["params"]) == (409, {"rule": "PIPL-24", "verdict": "vrd_1"})
    assert free.status_code == 202


async def test_what_another_holds_or_what_is_over_is_not_decided(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me, state="CLAIMED", assignee="stf_other")
    done = make_task(case_token=task.case_token, state="DONE")
    copy = Task(**done.model_dump())
    add_tasks(sqlite_office.deps.database, [done])
    held = await decide(sqlite_office, me, task, {"outcome": "accept"}, key="a")
    over = await decide(sqlite_office, me, copy, {"outcome": "accept"}, key="b")
    assert (held.status_code, held.json()["params"]) == (409, {"holder": "stf_other"})
    assert (over.status_code, over.json()["code"]) == (409, "wrong-state")


async def test_a_decision_is_read_on_its_own_task_only(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me)
    other = make_task(case_token=task.case_token)
    other_id = other.id
    add_tasks(sqlite_office.deps.database, [other])
    location = (await decide(sqlite_office, me, task, {"outcome": "accept"})).headers["location"]
    auditor = sqlite_office.staff("auditor", Role.AUDITOR, branch="*")
    stranger = officer(sqlite_office, "stranger", branch="bj-09")
    async with sqlite_office.client(auditor) as client:
        assert (await client.get(location)).status_code == 200
        assert (await client.get(location.replace(task.id, other_id))).status_code == 404
    async with sqlite_office.client(stranger) as client:
        assert (await client.get(location)).status_code == 404
