"""Signing through a customer's link: read both documents, then a code, then once; and every way in which it is not."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, update
from sqlmodel import col, select

from activities.documents.render import Renderer
from compliance.payloads.dispatch import Fate
from compliance.vault.cells import CellAddress
from compliance.vault.notice_secrets import open_secrets
from models.domain.application import UPLOADABLE
from models.domain.roles import Role
from models.domain.states import DecisionState, Outcome, TaskState
from models.tables.agreements import AgreementText, Mandate, Signature
from models.tables.audit import AuditEvent
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.notices import Notice, OneTimeCode
from models.tables.tasks import Decision, Task
from tests.support.api import Office
from tests.support.applications import CLEAR_VALUES, FakeDispatcher
from tests.support.clock import FakeClock
from tests.support.rule_desk import settled_policy
from tests.support.signing import ACCOUNT, LINKS_URL, TENANT, SigningBench, signing_bench


@dataclass(kw_only=True)
class Customer:
    """Somebody with a signing link, at their telephone."""

    office: Office
    bench: SigningBench
    clock: FakeClock
    case: str
    path: str
    task: Task

    async def get(self, route: str = "/signing", **headers: str) -> httpx.Response:
        async with self.office.client() as client:
            return await client.get(self.path + route, headers=headers)

    async def post(self, route: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        async with self.office.client() as client:
            return await client.post(self.path + route, json=body, headers=headers)

    async def read(self, *, seconds: int = 30) -> None:
        """Open, read and confirm both documents."""
        for document in (await self.get()).json()["documents"]:
            assert (await self.get(f"/documents/{document['id']}")).status_code == 200
            self.clock.advance(seconds=seconds)
            body = {"documentId": document["id"], "seconds": seconds}
            answer = await self.post("/reading-confirmations", body)
            assert answer.status_code == 200, answer.text

    async def code(self) -> str:
        """Ask for a code and read the message."""
        answer = await self.post("/codes")
        assert answer.status_code == 202, answer.text
        return self.message()

    def message(self) -> str:
        with self.office.deps.database.read() as session:
            notice = session.exec(
                select(Notice)
                .where(col(Notice.case_token) == self.case, col(Notice.kind) == "one-time-code")
                .order_by(col(Notice.created_at).desc(), col(Notice.id).desc())
            ).all()
            newest = session.exec(select(OneTimeCode).order_by(col(OneTimeCode.serial).desc())).first()
        assert newest is not None
        (carrier,) = [one for one in notice if one.business_key == f"one-time-code/{newest.id}"]
        return open_secrets(
            self.office.deps.vault,
            tenant=TENANT,
            subject_id=carrier.subject_id,
            notice_id=carrier.id,
            cell=carrier.secrets_cell,
        )["code"]

    async def sign(self, code: str, /, *, key: str = "s", **changes: Any) -> httpx.Response:
        body = {"code": code, "shownHash": self.task.shown_hash, "costConfirmed": True}
        return await self.post("/signature", body | changes, key=key)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.office.deps.database.read() as session:
            return list(session.exec(select(table).where(table.case_token == self.case)).all())

    def change_task(self, **values: Any) -> None:
        with self.office.deps.database.write() as session:
            session.exec(update(Task).where(col(Task.id) == self.task.id).values(**values))

    def signatures(self) -> int:
        with self.office.deps.database.read() as session:
            return session.exec(select(func.count()).select_from(Signature)).one()


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """One set of fonts for all tests."""
    return Renderer()


@pytest.fixture
def customer(office: Office, clock: FakeClock, renderer: Renderer) -> Customer:
    """A customer who was invited, on both databases."""
    return invited(office, clock, renderer)


@pytest.fixture
def sqlite_customer(sqlite_office: Office, clock: FakeClock, renderer: Renderer) -> Customer:
    """A customer who was invited."""
    return invited(sqlite_office, clock, renderer)


def invited(office: Office, clock: FakeClock, renderer: Renderer) -> Customer:
    deps = office.deps
    bench = signing_bench(deps.database, deps.vault, clock, Path(deps.files_root), renderer=renderer, tenant=False)
    case = bench.case()
    bench.invited(case)
    clock.advance(minutes=10)
    return Customer(
        office=office, bench=bench, clock=clock, case=case, path=link_in_mail(office, case), task=bench.task(case)
    )


def link_in_mail(office: Office, case: str, *, kind: str = "sign-invitation") -> str:
    with office.deps.database.read() as session:
        notice = session.exec(
            select(Notice)
            .where(col(Notice.case_token) == case, col(Notice.kind) == kind)
            .order_by(col(Notice.created_at).desc())
        ).first()
    assert notice is not None
    secrets = open_secrets(
        office.deps.vault,
        tenant=TENANT,
        subject_id=notice.subject_id,
        notice_id=notice.id,
        cell=notice.secrets_cell,
    )
    return secrets["link"].removeprefix(LINKS_URL)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_customer_reads_and_signs(customer: Customer, office: Office, dispatcher: FakeDispatcher) -> None:
    notice = (await customer.get("")).json()
    assert (notice["purpose"], notice["state"]) == ("signing", "open")
    assert "one-time code" in notice["notice"]["text"]
    shown = (await customer.get()).json()
    assert (shown["state"], shown["shownHash"], shown["stateText"]) == (
        "open",
        customer.task.shown_hash,
        "Waiting for your signature",
    )
    assert [document["kind"] for document in shown["documents"]] == ["cost-statement", "agreement"]
    assert {document["readingSeconds"] for document in shown["documents"]} == {10}
    assert shown["plan"]["figures"]["term"] == len(shown["plan"]["rows"]) == 36
    opened = await customer.get(f"/documents/{shown['documents'][1]['id']}")
    assert opened.content.startswith(b"%PDF")
    assert opened.headers["content-type"] == "application/pdf"

    await customer.read()
    read_at = customer.clock()
    customer.clock.advance(minutes=2)
    code = await customer.code()
    dispatcher.fate = Fate.APPLIED
    answer = await customer.sign(code)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "signing"
    (signature,) = customer.rows(Signature)
    (text,) = customer.rows(AgreementText)
    (decision,) = [one for one in customer.rows(Decision) if one.outcome == Outcome.SIGN]
    assert signature.decision_id == decision.id == answer.json()["decisionId"]
    assert (signature.method, signature.text_id, signature.plan_hash) == ("electronic", text.id, text.plan_hash)
    assert signature.reading_seconds == 30
    assert signature.cost_confirmed_at < read_at < signature.signed_at
    assert (decision.staff_id, decision.person_id, decision.shown_hash) == (None, None, customer.task.shown_hash)
    assert [sent.outcome for sent in dispatcher.sent] == ["sign"]
    assert customer.rows(Mandate) == []
    with office.deps.database.read() as session:
        actions = list(session.exec(select(AuditEvent.action)).all())
        actors = set(session.exec(select(AuditEvent.actor).where(col(AuditEvent.action) == "agreement.signed")).all())
    assert actions.count("document.opened") == 3
    assert [actions.count(action) for action in ("document.read", "code.issued", "agreement.signed")] == [2, 1, 1]
    assert all(actor.startswith("lnk_") for actor in actors)


async def test_a_mandate_goes_with_the_signature_and_its_account_is_sealed(customer: Customer) -> None:
    terms = (await customer.get()).json()["mandate"]
    await customer.read()
    mandate = {"account": ACCOUNT, "bankCode": "102100099996", "holderIsCustomer": True}
    answer = await customer.sign(await customer.code(), mandate=mandate)
    assert answer.status_code == 202, answer.text
    (row,) = customer.rows(Mandate)
    assert (row.limit_minor, row.valid_to.isoformat(), row.purpose) == (
        terms["limitMinor"],
        terms["validTo"],
        terms["purpose"],
    )
    assert (row.profile, row.bank_code, row.revoked_at) == ("generic-cny", "102100099996", None)
    address = CellAddress(TENANT, "mandates", "account_cell", row.id, row.subject_id)
    vault = customer.office.deps.vault
    assert vault.open_text(address, row.account_cell) == ACCOUNT
    holder = CellAddress(TENANT, "mandates", "holder_cell", row.id, row.subject_id)
    assert vault.open_text(holder, row.holder_cell) == CLEAR_VALUES[1]
    assert ACCOUNT.encode() not in row.account_cell


async def test_nobody_signs_what_they_have_not_read(customer: Customer) -> None:
    documents = (await customer.get()).json()["documents"]
    cost, agreement = (document["id"] for document in documents)
    assert refused(await customer.post("/codes")) == (422, "not-read")
    unopened = await customer.post("/reading-confirmations", {"documentId": cost, "seconds": 600})
    assert refused(unopened) == (422, "not-read")
    await customer.get(f"/documents/{cost}")
    customer.clock.advance(seconds=9)
    too_soon = await customer.post("/reading-confirmations", {"documentId": cost, "seconds": 600})
    assert refused(too_soon) == (422, "not-read")
    assert "at least 10 seconds, and 9 count" in too_soon.json()["detail"]
    customer.clock.advance(hours=1)
    too_short = await customer.post("/reading-confirmations", {"documentId": cost, "seconds": 9})
    assert refused(too_short) == (422, "not-read")
    await customer.get(f"/documents/{cost}")  # opened again: the first opening counts
    read = await customer.post("/reading-confirmations", {"documentId": cost, "seconds": 25})
    assert (read.status_code, read.json()["seconds"]) == (200, 25)
    again = await customer.post("/reading-confirmations", {"documentId": cost, "seconds": 99})
    assert again.json() == read.json()
    assert refused(await customer.post("/codes")) == (422, "not-read")  # of two, one is read
    assert refused(await customer.sign("123456")) == (422, "not-read")
    await customer.get(f"/documents/{agreement}")
    customer.clock.advance(seconds=10)
    read = await customer.post("/reading-confirmations", {"documentId": agreement, "seconds": 600})
    assert read.json()["seconds"] == 10
    assert (await customer.post("/codes")).status_code == 202


async def test_the_bank_can_ask_for_longer_reading_from_a_day_on(customer: Customer) -> None:
    office = customer.office
    settled_policy(
        office.deps.database, version="policy/1", since=date(2026, 11, 24), now=customer.clock(), reading_seconds=20
    )
    assert {each["readingSeconds"] for each in (await customer.get()).json()["documents"]} == {10}
    customer.clock.advance(days=1)
    documents = (await customer.get()).json()["documents"]
    assert {each["readingSeconds"] for each in documents} == {20}
    cost = documents[0]["id"]
    await customer.get(f"/documents/{cost}")
    customer.clock.advance(seconds=19)
    body = {"documentId": cost, "seconds": 60}
    assert refused(await customer.post("/reading-confirmations", body)) == (422, "not-read")
    customer.clock.advance(seconds=1)
    assert (await customer.post("/reading-confirmations", body)).json()["seconds"] == 20


async def test_a_wrong_a_late_and_a_used_code_sign_nothing(customer: Customer, dispatcher: FakeDispatcher) -> None:
    await customer.read()
    code = await customer.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answer = await customer.sign(wrong)
    assert refused(answer) == (422, "code-refused")
    customer.clock.advance(minutes=6)
    assert refused(await customer.sign(code)) == (422, "code-refused")
    assert customer.signatures() == 0
    assert dispatcher.sent == []
    fresh = await customer.code()
    assert (await customer.sign(fresh, key="t")).status_code == 202
    customer.change_task(state=TaskState.READY, pending_decision_id=None)  # as a refusal by the workflow leaves it
    assert refused(await customer.sign(fresh, key="u")) == (422, "code-refused")
    assert customer.signatures() == 1


async def test_codes_have_a_rate(sqlite_customer: Customer) -> None:
    await sqlite_customer.read()
    for _ in range(5):
        assert (await sqlite_customer.post("/codes")).status_code == 202
    answer = await sqlite_customer.post("/codes")
    assert refused(answer) == (429, "too-many-requests")
    sqlite_customer.clock.advance(hours=1, minutes=1)
    assert (await sqlite_customer.post("/codes")).status_code == 202


async def test_what_was_shown_is_what_is_signed(customer: Customer) -> None:
    await customer.read()
    code = await customer.code()
    assert refused(await customer.sign(code, shownHash="0" * 64)) == (409, "shown-changed")
    customer.change_task(shown_hash="1" * 64)
    assert refused(await customer.sign(code)) == (409, "shown-changed")
    # The code was sent for what was shown before, so it does not sign what is shown now.
    assert refused(await customer.sign(code, shownHash="1" * 64)) == (422, "code-refused")
    assert customer.signatures() == 0


async def test_a_task_about_other_documents_is_not_signed(sqlite_customer: Customer) -> None:
    await sqlite_customer.read()
    sqlite_customer.change_task(shown={"signing": {"agreement": {"id": "doc_other"}}})
    assert refused(await sqlite_customer.post("/codes")) == (409, "shown-changed")


async def test_a_rule_that_bars_the_signature_is_named(sqlite_customer: Customer) -> None:
    sqlite_customer.change_task(blocked=[{"outcome": "sign", "rule": "CCM-70c", "verdict": "vrd_1"}])
    assert refused(await sqlite_customer.post("/codes")) == (409, "blocked-by-rule")


async def test_the_same_request_twice_is_one_signature_with_one_answer(
    customer: Customer, dispatcher: FakeDispatcher
) -> None:
    await customer.read()
    code = await customer.code()
    dispatcher.fate = Fate.APPLIED
    answers = await asyncio.gather(*(customer.sign(code) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert customer.signatures() == 1
    assert len(dispatcher.sent) == 1


async def test_many_requests_at_once_are_one_signature(customer: Customer) -> None:
    await customer.read()
    code = await customer.code()
    answers = await asyncio.gather(*(customer.sign(code, key=f"k{number}") for number in range(4)))
    assert [answer.status_code for answer in answers].count(202) == 1
    assert {answer.json().get("code") for answer in answers if answer.status_code != 202} <= {
        "code-refused",
        "decision-pending",
    }
    assert customer.signatures() == 1
    assert (await customer.get()).json()["state"] == "pending"


async def test_staff_who_hold_the_task_do_not_stand_in_the_way(customer: Customer) -> None:
    await customer.read()
    code = await customer.code()
    customer.change_task(state=TaskState.CLAIMED, assignee="stf_somebody", version=7)
    assert (await customer.sign(code)).status_code == 202


async def test_a_refused_signature_can_be_given_again(customer: Customer, dispatcher: FakeDispatcher) -> None:
    await customer.read()
    dispatcher.fate, dispatcher.reason = Fate.REFUSED, "shown-changed"
    assert refused(await customer.sign(await customer.code())) == (409, "decision-refused")
    assert (await customer.get()).json()["state"] == "open"
    dispatcher.fate, dispatcher.reason = Fate.APPLIED, None
    mandate = {"account": ACCOUNT, "holderIsCustomer": True}
    assert (await customer.sign(await customer.code(), key="again", mandate=mandate)).status_code == 201
    assert customer.signatures() == 2
    states = {one.id: one.state for one in customer.rows(Decision)}
    assert sorted(states[row.decision_id] for row in customer.rows(Signature)) == [
        DecisionState.PENDING,
        DecisionState.REFUSED,
    ]


async def test_nothing_is_signed_once_the_case_has_gone_on(customer: Customer) -> None:
    await customer.read()
    code = await customer.code()
    customer.change_task(state=TaskState.DONE)
    with customer.office.deps.database.write() as session:
        session.exec(update(InstallmentCase).where(col(InstallmentCase.token) == customer.case).values(stage="ended"))
    assert refused(await customer.sign(code)) == (409, "wrong-state")
    assert refused(await customer.post("/codes")) == (409, "wrong-state")
    assert (await customer.get()).json()["state"] == "closed"


async def test_a_later_link_takes_the_place_of_the_first(customer: Customer) -> None:
    first = customer.path
    await customer.read()
    customer.clock.advance(minutes=1)
    await asyncio.to_thread(customer.bench.invited, customer.case, round=2)  # the seal has a loop of its own
    assert refused(await customer.get()) == (410, "link-expired")
    assert refused(await customer.post("/codes")) == (410, "link-expired")
    assert refused(await customer.sign("123456")) == (410, "link-expired")
    customer.path = link_in_mail(customer.office, customer.case)
    assert customer.path != first
    documents = (await customer.get()).json()["documents"]
    assert {document["confirmedAt"] for document in documents} == {None}  # another text is read anew


async def test_a_link_ends_after_a_week(sqlite_customer: Customer) -> None:
    sqlite_customer.clock.advance(days=7)
    assert refused(await sqlite_customer.get()) == (410, "link-expired")


async def test_a_link_shows_its_own_documents_only(customer: Customer) -> None:
    other = customer.bench.case()
    await asyncio.to_thread(customer.bench.print, other)
    with customer.office.deps.database.read() as session:
        foreign = session.exec(select(CaseDocument.id).where(col(CaseDocument.case_token) == other)).all()
    for document_id in (*foreign, "doc_" + "0" * 26, "..%2f..%2fetc%2fpasswd", "x"):
        assert (await customer.get(f"/documents/{document_id}")).status_code == 404
    stranger = await customer.post("/reading-confirmations", {"documentId": foreign[0], "seconds": 30})
    assert refused(stranger) == (404, "not-found")


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("code", "12345", "/code"),
        ("code", "１２３４５６", "/code"),
        ("costConfirmed", False, "/costConfirmed"),
        ("shownHash", "x", "/shownHash"),
        ("mandate", {"account": "12-34", "holderIsCustomer": True}, "/mandate/account"),
        ("mandate", {"account": ACCOUNT, "holderIsCustomer": False}, "/mandate/holderIsCustomer"),
        ("mandate", {"account": ACCOUNT, "bankCode": "x", "holderIsCustomer": True}, "/mandate/bankCode"),
        ("staffId", "stf_1", "/staffId"),
    ],
)
async def test_a_body_that_is_none_is_refused(sqlite_customer: Customer, member: str, value: Any, pointer: str) -> None:
    answer = await sqlite_customer.sign("123456", **{member: value})
    assert refused(answer) == (422, "form-invalid")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert ACCOUNT not in answer.text


async def test_staff_make_no_signing_links_and_upload_nothing_that_the_bank_prints(
    sqlite_customer: Customer,
) -> None:
    office = sqlite_customer.office
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    async with office.client(officer) as client:
        made = await client.post(
            "/v1/customer-links",
            json={"purpose": "signing", "caseToken": sqlite_customer.case},
            headers={"Idempotency-Key": "l"},
        )
        assert refused(made) == (422, "form-invalid")
        for kind, status in (("sealed-agreement", 422), ("signed-paper", 201)):
            sent = await client.post(
                f"/v1/installment-cases/{sqlite_customer.case}/documents",
                data={"kind": kind},
                files={"file": ("scan.pdf", b"%PDF-1.7\n" + bytes(100), "application/pdf")},
                headers={"Idempotency-Key": kind},
            )
            assert sent.status_code == status, sent.text
    assert "agreement" not in UPLOADABLE


async def test_a_progress_link_hands_out_what_was_sealed_and_nothing_else(sqlite_customer: Customer) -> None:
    office, case = sqlite_customer.office, sqlite_customer.case
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    async with office.client(officer) as client:
        made = await client.post(
            "/v1/customer-links",
            json={"purpose": "progress", "caseToken": case},
            headers={"Idempotency-Key": "l"},
        )
    sqlite_customer.path = made.json()["path"]
    assert (await sqlite_customer.get("/progress")).json()["letters"] == []
    with office.deps.database.write() as session:
        document = session.exec(
            select(CaseDocument).where(col(CaseDocument.case_token) == case, col(CaseDocument.kind) == "agreement")
        ).one()
        document_id = document.id
    assert (await sqlite_customer.get(f"/documents/{document_id}")).status_code == 404
    with office.deps.database.write() as session:
        session.get_one(CaseDocument, document_id).kind = "sealed-agreement"
    (letter,) = (await sqlite_customer.get("/progress")).json()["letters"]
    assert (letter["id"], letter["kindText"]) == (document_id, "Signed and sealed agreement")
    fetched = await sqlite_customer.get(f"/documents/{document_id}")
    assert fetched.content.startswith(b"%PDF")
    assert refused(await sqlite_customer.get("/signing")) == (404, "not-found")


async def test_nothing_about_the_customer_stands_in_answers_logs_or_events(
    sqlite_customer: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    customer = sqlite_customer
    await customer.read()
    code = await customer.code()
    mandate = {"account": ACCOUNT, "holderIsCustomer": True}
    told = [await customer.get(), await customer.sign("000000" if code != "000000" else "111111", key="w")]
    told.append(await customer.sign(code, mandate=mandate))
    with customer.office.deps.database.read() as session:
        bodies = "".join(session.exec(select(AuditEvent.body)).all())
        rows = repr(session.exec(select(Signature)).all()) + repr(session.exec(select(Decision)).all())
    ours = "".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if not record.name.startswith(("httpx", "aiosqlite"))
    )
    for value in (*CLEAR_VALUES, ACCOUNT, customer.path.rsplit("/", 1)[1]):
        for place in ("".join(answer.text for answer in told), bodies, rows, ours):
            assert value not in place
    assert f'"{code}"' not in bodies
