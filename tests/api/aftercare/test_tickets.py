"""Tickets over HTTP: opened with a clock, found, read on record, answered in words that the customer reads."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from compliance.payloads.dispatch import Fate
from models.domain.roles import Role
from models.domain.states import TaskType
from models.operations.outbox import requeue_open
from models.tables.audit import AuditEvent
from models.tables.daily import Ticket
from models.tables.notices import Notice
from models.tables.platform import OutboxEntry
from tests.api.aftercare.care_desk import BRANCH, SAID, open_care_desk
from tests.support.api import Office
from tests.support.applications import FakeDispatcher

ANSWER = "已核实，多扣的一笔已退回您的账户"


async def test_a_complaint_comes_in_with_its_clock_and_its_workflow_is_started(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    desk = await open_care_desk(office)
    ticket = await desk.open()
    # Fifteen days from the day after; the sixteenth midnight in Shanghai is late.
    assert (ticket["dueAt"], ticket["overdue"]) == ("2026-12-08T16:00:00Z", False)
    assert (ticket["clock"]["days"], ticket["clock"]["unit"], ticket["clock"]["basis"]) == (
        15,
        "calendar",
        "provisional",
    )
    assert "消费投诉" in ticket["clock"]["source"]
    assert dispatcher.starts[-1] == f"tickets/{desk.case}/{ticket['id']}"
    with office.deps.database.read() as session:
        row = session.get_one(Ticket, ticket["id"])
        start = session.exec(select(OutboxEntry).where(OutboxEntry.workflow_id == dispatcher.starts[-1])).one()
        body = session.exec(select(AuditEvent.body).where(AuditEvent.action == "ticket.opened")).one()
    assert SAID.encode() not in row.text_cell
    assert SAID not in body
    assert start.done_at is None


async def test_the_words_are_read_by_who_may_and_that_is_on_record(office: Office) -> None:
    desk = await open_care_desk(office)
    ticket = await desk.open("question")
    read = await desk.get(f"/v1/tickets/{ticket['id']}", by=desk.approver)
    assert (read.json()["text"], read.json()["answer"], read.headers["ETag"]) == (SAID, None, '"v1"')
    with office.deps.database.read() as session:
        readers = session.exec(select(AuditEvent.actor).where(AuditEvent.action == "ticket.read")).all()
    assert list(readers) == [desk.approver.id]
    elsewhere = office.staff("elsewhere", Role.CASE_OFFICER, branch="bj-01")
    assert (await desk.get(f"/v1/tickets/{ticket['id']}", by=elsewhere)).status_code == 404
    operator = office.staff("operator", Role.OPERATOR, branch=BRANCH)
    assert (await desk.get(f"/v1/tickets/{ticket['id']}", by=operator)).json()["code"] == "permission-missing"
    assert (await desk.get("/v1/tickets/tkt_none", by=desk.officer)).status_code == 404


async def test_the_same_request_twice_is_one_ticket(sqlite_office: Office) -> None:
    desk = await open_care_desk(sqlite_office)
    body = {"caseToken": desk.case, "kind": "question", "text": SAID}
    async with sqlite_office.client(desk.officer) as client:
        answers = [await client.post("/v1/tickets", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]
        other = await client.post("/v1/tickets", json=body | {"text": "x"}, headers={"Idempotency-Key": "one"})
    assert answers[0].json() == answers[1].json()
    assert other.json()["code"] == "idempotency-mismatch"
    found = (await desk.get(f"/v1/installment-cases/{desk.case}/tickets", by=desk.officer)).json()["items"]
    assert [item["id"] for item in found] == [answers[0].json()["id"]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"kind": "praise"}, "/kind"), ({"text": " "}, "/text"), ({"text": "长" * 2001}, "/text"), ({"more": 1}, "/more")],
)
async def test_what_does_not_fit_is_named(sqlite_office: Office, change: dict[str, object], pointer: str) -> None:
    desk = await open_care_desk(sqlite_office)
    body = {"caseToken": desk.case, "kind": "question", "text": SAID} | change
    answer = await desk.post("/v1/tickets", body, by=desk.officer)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_tickets_are_found_by_state_kind_and_lateness_a_page_at_a_time(office: Office) -> None:
    desk = await open_care_desk(office)
    ids = []
    for kind in ("complaint", "question", "question"):
        ids.append((await desk.open(kind))["id"])
        office.clock.advance(timedelta(minutes=1))

    async def found(query: str) -> list[str]:
        answer = await desk.get(f"/v1/tickets{query}", by=desk.officer)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await found("") == ids[::-1]
    assert await found("?kind=complaint") == ids[:1]
    assert await found("?state=DONE") == []
    first = (await desk.get("/v1/tickets?limit=2", by=desk.officer)).json()
    assert await found(f"?limit=2&after={first['endCursor']}") == ids[:1]
    assert await found("?overdue=true") == []
    office.clock.advance(days=9)  # five working days have gone, fifteen days have not
    assert await found("?overdue=true") == ids[:0:-1]


async def test_an_answer_is_given_by_task_and_told_to_the_customer(office: Office) -> None:
    desk = await open_care_desk(office)
    ticket, link = (await desk.open())["id"], await desk.link()
    task = desk.ask(ticket, TaskType.TICKET, no=1, seq=1)
    shown = (await desk.get(f"/v1/tasks/{task.id}", by=desk.officer)).json()
    assert shown["title"] == f"Answer the customer: complaint (case ending {desk.case[-6:]})"
    assert shown["shown"]["ticket"]["id"] == ticket
    form = (await desk.get(f"/v1/tasks/{task.id}/form", by=desk.officer, locale="zh-CN")).json()
    assert [each["properties"]["outcome"]["const"] for each in form["oneOf"]] == ["answer", "reject", "extend"]

    decided = await desk.decide(task, desk.officer, outcome="answer", reasonCode="corrected", answer=ANSWER)
    assert (decided.status_code, decided.json()["stage"]) == (202, "handling")
    assert (await desk.get(f"{link}/tickets")).json()["items"][0]["answer"] is None
    desk.settle(ticket, task, stage="ended", outcome="answered", seq=2)

    told = (await desk.get(f"{link}/tickets", locale="zh-CN")).json()["items"]
    assert [(item["answer"], item["stateText"], item["outcomeText"]) for item in told] == [(ANSWER, "已办结", "已答复")]
    assert SAID not in str(told)
    staff = (await desk.get(f"/v1/tickets/{ticket}", by=desk.officer)).json()
    assert (staff["answer"], staff["reasonText"], staff["stage"]) == (ANSWER, "Corrected", "ended")
    assert desk.open_tasks(ticket) == []
    with office.deps.database.read() as session:
        [notice] = session.exec(select(Notice)).all()
    assert (notice.kind, notice.params["kind"], notice.state) == ("ticket-answered", "complaint", "QUEUED")


async def test_a_rejection_needs_a_second_person_who_reads_what_the_customer_would(office: Office) -> None:
    """The first layer of four-eyes; the others stand in the tests of the workflow and of the records."""
    desk = await open_care_desk(office)
    both = office.staff("both", Role.CASE_OFFICER, Role.APPROVER, branch=BRANCH)
    ticket = (await desk.open())["id"]
    task = desk.ask(ticket, TaskType.TICKET, no=1, seq=1)
    assert (await desk.decide(task, both, outcome="reject", reasonCode="not-founded", answer=ANSWER)).status_code == 202
    desk.settle(ticket, task, stage="checking", seq=2)
    check = desk.ask(ticket, TaskType.TICKET_CHECK, no=2, seq=3)

    permits = (await desk.get(f"/v1/tasks/{check.id}", by=both)).json()["allowedActions"]
    assert (permits["confirm"]["allowed"], permits["confirm"]["because"]) == (False, "four-eyes-violation")
    refused = await desk.decide(check, both, outcome="confirm", shownHash=check.shown_hash)
    assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")

    assert (await desk.get(f"/v1/tickets/{ticket}", by=desk.approver)).json()["answer"] == ANSWER
    confirmed = await desk.decide(check, desk.approver, outcome="confirm", shownHash=check.shown_hash)
    assert confirmed.status_code == 202
    desk.settle(ticket, check, stage="ended", outcome="rejected", seq=4)
    link = await desk.link()
    [told] = (await desk.get(f"{link}/tickets")).json()["items"]
    assert (told["outcome"], told["answer"]) == ("rejected", ANSWER)


async def test_more_time_moves_the_clock_and_the_customer_is_told(sqlite_office: Office) -> None:
    desk = await open_care_desk(sqlite_office)
    ticket = (await desk.open())["id"]
    task = desk.ask(ticket, TaskType.TICKET, no=1, seq=1)
    await desk.decide(task, desk.officer, outcome="extend", reasonCode="facts-complex", note="等第三方")
    desk.settle(ticket, task, stage="handling", seq=2)
    now = (await desk.get(f"/v1/tickets/{ticket}", by=desk.officer)).json()
    assert (now["dueAt"], now["extensions"], now["clock"]["days"], now["answer"]) == (
        "2026-12-23T16:00:00Z",
        1,
        30,
        None,
    )
    with sqlite_office.deps.database.read() as session:
        [notice] = session.exec(select(Notice)).all()
    assert (notice.kind, notice.params["until"]) == ("ticket-extended", "2026-12-24")


async def test_a_decision_whose_workflow_answers_is_told_with_the_state_after_it(
    sqlite_office: Office, dispatcher: FakeDispatcher
) -> None:
    desk = await open_care_desk(sqlite_office)
    ticket = (await desk.open())["id"]
    task = desk.ask(ticket, TaskType.TICKET, no=1, seq=1)
    dispatcher.fate = Fate.APPLIED
    answer = await desk.decide(task, desk.officer, outcome="answer", reasonCode="explained", answer=ANSWER)
    assert answer.status_code == 201
    assert ANSWER not in answer.text


async def test_after_a_restore_open_tickets_are_started_and_decided_again_and_closed_ones_are_not(
    office: Office,
) -> None:
    desk = await open_care_desk(office)
    done, waiting = (await desk.open())["id"], (await desk.open("question"))["id"]
    first = desk.ask(done, TaskType.TICKET, no=1, seq=1)
    await desk.decide(first, desk.officer, outcome="answer", reasonCode="explained", answer=ANSWER)
    desk.settle(done, first, stage="ended", outcome="answered", seq=2)
    second = desk.ask(waiting, TaskType.TICKET, no=1, seq=1)
    await desk.decide(second, desk.officer, outcome="extend", reasonCode="facts-complex")
    desk.settle(waiting, second, stage="handling", seq=2)

    def still_to_send() -> list[tuple[str, bool]]:
        with office.deps.database.read() as session:
            rows = session.exec(select(OutboxEntry).where(col(OutboxEntry.workflow_id).startswith("tickets/"))).all()
            return sorted((row.kind, row.workflow_id.endswith(waiting)) for row in rows if row.done_at is None)

    assert still_to_send() == []
    with office.deps.database.write() as session:
        requeue_open(session, now=office.clock())
    assert still_to_send() == [("decision", True), ("start", True)]
