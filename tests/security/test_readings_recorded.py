"""Whoever is shown what is sealed leaves an event: every opening of the vault that a request answers with is followed.

The vault of these offices tells what it opens. An answer of 2xx for which something was opened that the caller did not
just send must have written an event of that caller, without the value.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from api.identity.authenticate import served_handlers
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.states import TaskType
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from tests.api.aftercare.care_desk import BRANCH, CareDesk, open_care_desk
from tests.support.api import Office
from tests.support.applications import CASES, PNG, FakeDispatcher, application, open_desk
from tests.support.clock import FakeClock
from tests.support.inbox import add_tasks, make_task

# Routes through which something sealed is opened in this walk; one that is new shows itself in the test below.
OPENING = {
    "GET /v1/installment-cases/{case_token:str}",
    "POST /v1/installment-cases",
    "GET /v1/installment-cases/{case_token:str}/documents/{document_id:str}",
    "GET /v1/subjects/{subject_id:str}",
    "POST /v1/subjects/search",
    "POST /v1/subjects/{subject_id:str}/reveals",
    "GET /v1/tasks/{task_id:str}/comments",
    "GET /v1/tickets/{ticket_id:str}",
    "GET /v1/customer-links/{token:str}/tickets",
}


class Watched:
    """What the vault has opened since the last look, in clear."""

    def __init__(self, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[bytes] = []
        open_one, open_file = vault.open, vault.open_file

        def watched(address: Any, sealed: bytes) -> bytes:
            value = open_one(address, sealed)
            self.opened.append(value)
            return value

        def watched_file(address: Any, path: Path) -> Iterator[bytes]:
            for piece in open_file(address, path):
                self.opened.append(piece)
                yield piece

        monkeypatch.setattr(vault, "open", watched)
        monkeypatch.setattr(vault, "open_file", watched_file)


class Walk:
    """Requests, and what each of them opened and recorded."""

    def __init__(self, office: Office, watched: Watched) -> None:
        self.office, self.watched = office, watched
        self.routes: dict[str, int] = {}
        self.silent: list[str] = []
        self.told: list[tuple[str, bytes]] = []
        self._key = 0

    async def __call__(
        self, route: str, by: Staff | None, actor: str | None = None, *, expect: int = 200, **request: Any
    ) -> httpx.Response:
        method, _, template = route.partition(" ")
        path = request.pop("path", template)
        self._key += 1
        before = self._events()
        self.watched.opened.clear()
        self.office.clock.advance(seconds=1)
        async with self.office.client(by) as client:
            headers = {"Idempotency-Key": f"walk{self._key}"}
            answer = await client.request(method, path, headers=headers, **request)
        assert answer.status_code == expect, (route, answer.text)
        sent = json.dumps(request.get("json", {}), ensure_ascii=False).encode()
        shown = [value for value in self.watched.opened if value and value not in sent]
        if shown:
            self.routes[route] = len(shown)
            who = actor or (by.id if by is not None else "")
            mine = [body for id_, actor_, body in self._events() if id_ not in {e[0] for e in before} and actor_ == who]
            if not mine:
                self.silent.append(route)
            self.told += [(body, value) for body in mine for value in shown if len(value) >= 4]
        return answer

    def _events(self) -> list[tuple[str, str, str]]:
        with self.office.deps.database.read() as session:
            return list(session.exec(select(AuditEvent.id, AuditEvent.actor, AuditEvent.body)).all())


@pytest.fixture
def office(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


# long because it is one walk over every route that opens something, in the order in which a case has them
async def walked(office: Office, monkeypatch: pytest.MonkeyPatch) -> Walk:
    desk: CareDesk = await open_care_desk(office)
    walk = Walk(office, Watched(office.deps.vault, monkeypatch))
    by, approver = desk.officer, desk.approver
    case = desk.case
    one = f"{CASES}/{case}"
    body = application(applicant__email="new.address@example.com", applicant__address=...)
    made = await walk(f"POST {CASES}", by, json=body, expect=201)
    subject = made.json()["subject"]["id"]
    await walk(f"GET {CASES}/{{case_token:str}}", by, path=one)
    await walk(f"GET {CASES}", by)
    await walk(f"POST {CASES}/search", by, json={"filter": {}})
    for rest in ("timeline", "contacts", "limitation-events", "tickets", "follow-ups", "documents"):
        await walk(
            f"GET {CASES}/{{case_token:str}}/{rest}",
            by,
            path=f"{one}/{rest}",
            expect=200 if rest != "documents" else 405,
        )
    await walk("GET /v1/subjects/{subject_id:str}", approver, path=f"/v1/subjects/{subject}")
    await walk("POST /v1/subjects/search", approver, json={"mobile": "138 1234 5678"})
    for field in ("name", "idNumber", "mobile", "email", "address", "employer", "cardNumber"):
        await walk(
            "POST /v1/subjects/{subject_id:str}/reveals",
            by,
            path=f"/v1/subjects/{subject}/reveals",
            json={"field": field, "reason": "audit"},
        )
    await walk(
        "POST /v1/subjects/{subject_id:str}/reveals",
        by,
        path=f"/v1/subjects/{subject}/reveals",
        json={"field": "hardshipNote", "reason": "audit", "record": case},
    )
    # A document
    async with office.client(by) as client:
        added = await client.post(
            f"{one}/documents",
            files={"file": ("张三的收入证明.png", PNG, "image/png")},
            data={"kind": "other"},
            headers={"Idempotency-Key": "document"},
        )
    assert added.status_code == 201, added.text
    document = added.json()["id"]
    route = f"GET {CASES}/{{case_token:str}}/documents/{{document_id:str}}"
    got = await walk(route, by, path=f"{one}/documents/{document}")
    assert got.content == PNG
    # A task with remarks
    task = make_task(TaskType.DOCUMENTS, case_token=case, workflow_id=f"installments/{case}")
    task_id = task.id
    add_tasks(office.deps.database, [task])
    comments = "/v1/tasks/{task_id:str}/comments"
    await walk(f"POST {comments}", by, path=f"/v1/tasks/{task_id}/comments", json={"text": "她丈夫已出院"}, expect=201)
    colleague = office.staff("colleague", Role.CASE_OFFICER, branch=BRANCH)
    await walk(f"GET {comments}", colleague, path=f"/v1/tasks/{task_id}/comments")
    await walk("GET /v1/tasks/{task_id:str}", colleague, path=f"/v1/tasks/{task_id}")
    # A ticket, answered, and read by staff and by the customer
    ticket = await desk.open("question")
    await walk("GET /v1/tickets/{ticket_id:str}", approver, path=f"/v1/tickets/{ticket['id']}")
    await walk("GET /v1/tickets", approver)
    asked = desk.ask(ticket["id"], TaskType.TICKET, no=1, seq=1)
    words = "已核实，多扣的一笔已退回您的账户"
    decided = await desk.decide(asked, by, outcome="answer", reasonCode="corrected", answer=words)
    assert decided.status_code == 202, decided.text
    desk.settle(ticket["id"], asked, stage="ended", outcome="answered", seq=2)
    link = await desk.link()
    with office.deps.database.read() as session:
        from models.tables.parties import CustomerLink

        link_id = session.exec(select(CustomerLink.id).where(col(CustomerLink.case_token) == case)).one()
    await walk("GET /v1/customer-links/{token:str}/tickets", None, link_id, path=f"{link}/tickets")
    await walk("GET /v1/customer-links/{token:str}/progress", None, link_id, path=f"{link}/progress")
    return walk


async def test_every_route_that_opens_something_writes_an_event_of_who_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = await walked(office, monkeypatch)
    assert walk.silent == []
    assert set(walk.routes) == OPENING
    served = {f"{method} {path}" for path, method, _ in served_handlers(office.app)}
    assert served >= {route for route in OPENING if "{token" not in route}
    assert walk.told
    for body, value in walk.told:
        assert value.decode(errors="replace") not in body


async def test_five_hundred_of_five_hundred_readings_leave_an_event_without_the_value(
    office: Office, clock: FakeClock
) -> None:
    desk = await open_care_desk(office)
    async with office.client(desk.officer) as client:
        subject = (await client.get(f"{CASES}/{desk.case}")).json()["subject"]["id"]
        with office.deps.database.read() as session:
            before = set(session.exec(select(AuditEvent.id)).all())
        values = set()
        for number in range(250):
            field = ("mobile", "name", "address")[number % 3]
            answer = await client.post(
                f"/v1/subjects/{subject}/reveals", json={"field": field, "reason": "verify-identity"}
            )
            values.add(answer.json()["value"])
            assert (await client.get(f"/v1/subjects/{subject}")).status_code == 200
    with office.deps.database.read() as session:
        rows = [row for row in session.exec(select(AuditEvent)).all() if row.id not in before]
    assert [sum(row.action == action for row in rows) for action in ("subject.revealed", "subject.shown")] == [250, 250]
    assert {row.actor for row in rows} == {desk.officer.id}
    for value in values:
        assert not any(value in row.body for row in rows)


async def test_who_reads_is_an_auditor_too(office: Office) -> None:
    desk = await open_care_desk(office)
    auditor = office.staff("auditor", Role.AUDITOR, branch="*")
    async with office.client(auditor) as client:
        await client.get(f"{CASES}/{desk.case}")
    with office.deps.database.read() as session:
        row = session.exec(
            select(AuditEvent).where(AuditEvent.action == "subject.shown", AuditEvent.actor == auditor.id)
        )
        facts = json.loads(row.one().body)["facts"]
    assert (facts["form"], facts["purpose"], facts["case"], facts["count"]) == ("masked", "case-file", desk.case, 6)
    assert facts["fields"] == ["name", "idNumber", "mobile", "email", "cardNumber", "address"]
