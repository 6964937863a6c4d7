"""Customers' links: one purpose each, signed, expiring, used once for an application, and unknown when forged."""

import asyncio
import base64
from typing import Any

import httpx
import pytest
from sqlalchemy import func, text
from sqlmodel import select

from compliance.payloads.dispatch import Fate
from models.domain.roles import Role
from models.tables.all import METADATA
from models.tables.audit import AuditEvent
from models.tables.installments import InstallmentCase, Proposal
from models.tables.parties import CustomerLink
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import CASES, CLEAR_VALUES, PNG, FakeDispatcher, application, taken_in
from tests.support.clock import FakeClock

ELECTRONIC = [{"purpose": "credit-report-query", "form": "ELECTRONIC", "textVersion": "2026-01"}]
TERMS = {"totalDueMinor": 5_000_000, "amountMinor": 3_000_000, "termMonths": 36}


async def make(office: Office, by: Staff, *, key: str = "l", **body: Any) -> httpx.Response:
    async with office.client(by) as client:
        sent = {"purpose": "application", **body}
        return await client.post("/v1/customer-links", json=sent, headers={"Idempotency-Key": key})


async def path_of(office: Office, by: Staff, *, key: str = "l", **body: Any) -> str:
    answer = await make(office, by, key=key, **body)
    assert answer.status_code == 201, answer.text
    path: str = answer.json()["path"]
    return path


async def apply(office: Office, path: str, *, key: str = "a", **changes: Any) -> httpx.Response:
    body = application(**({"consents": ELECTRONIC} | changes))
    async with office.client() as client:
        return await client.post(f"{path}/application", json=body, headers={"Idempotency-Key": key})


async def get(office: Office, path: str, **headers: str) -> httpx.Response:
    async with office.client() as client:
        return await client.get(path, headers=headers)


async def test_a_customer_applies_through_a_link_and_sees_the_progress(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    path = await path_of(office, officer, terms=TERMS)
    opened = (await get(office, path)).json()
    assert (opened["purpose"], opened["state"], opened["terms"]) == ("application", "open", TERMS)
    assert opened["notice"]["version"] == "2026-01"
    assert "name, identity document" in opened["notice"]["text"]
    assert "敏感个人信息" in (await get(office, path, **{"Accept-Language": "zh-CN"})).json()["notice"]["text"]

    answer = await apply(office, path)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert dispatcher.starts == [told["caseToken"]]
    with office.deps.database.read() as session:
        case = session.get_one(InstallmentCase, told["caseToken"])
        link = session.exec(select(CustomerLink).where(CustomerLink.purpose == "application")).one()
        actors = session.exec(select(AuditEvent.actor).where(AuditEvent.action == "case.created")).all()
    assert (case.channel, case.branch, case.created_by, case.created_by_person) == ("link", "sh-01", link.id, None)
    assert link.used_at is not None
    assert list(actors) == [link.id]

    progress = await get(office, told["progressLink"]["path"] + "/progress")
    assert progress.status_code == 200
    assert (progress.json()["stageText"], progress.json()["outcome"], progress.json()["documents"]) == (
        "Intake",
        None,
        0,
    )
    for value in CLEAR_VALUES:
        assert value not in answer.text + progress.text


async def test_a_link_is_used_once_and_answers_its_own_request_again(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    path = await path_of(office, officer)
    first = await apply(office, path)
    again = await apply(office, path)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    for answer in (await apply(office, path, key="b"), await get(office, path)):
        assert (answer.status_code, answer.json()["code"]) == (410, "link-expired")
    with office.deps.database.read() as session:
        assert session.exec(select(func.count()).select_from(InstallmentCase)).one() == 1


async def test_many_at_once_through_one_link_are_one_case(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    path = await path_of(office, officer)
    answers = await asyncio.gather(*(apply(office, path, key=f"k{number}") for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 7
    with office.deps.database.read() as session:
        assert session.exec(select(func.count()).select_from(InstallmentCase)).one() == 1


async def test_a_link_expires(office: Office, clock: FakeClock) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    path = await path_of(office, officer, expiresInHours=2)
    clock.advance(hours=1, minutes=59)
    assert (await get(office, path)).status_code == 200
    clock.advance(minutes=1)
    assert (await get(office, path)).status_code == 410
    assert (await apply(office, path)).status_code == 410
    with office.deps.database.read() as session:
        assert session.exec(select(func.count()).select_from(InstallmentCase)).one() == 0


def _forgeries(token: str) -> dict[str, str]:
    payload, mac = token.split(".")
    said = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()

    def again(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode() + "." + mac

    version, tenant, link_id, expiry, purpose = said.split(".")
    return {
        "later": again(f"{version}.{tenant}.{link_id}.{int(expiry) + 3600}.{purpose}"),
        "other purpose": again(f"{version}.{tenant}.{link_id}.{expiry}.progress"),
        "other tenant": again(f"{version}.nobody.{link_id}.{expiry}.{purpose}"),
        "other link": again(f"{version}.{tenant}.lnk_{'0' * 26}.{expiry}.{purpose}"),
        "no mac": payload + ".",
        "mac of zeros": payload + "." + "A" * 43,
        "cut": token[:-1],
        "padded": token + "=",
        "another spelling of the mac": token[:-1] + chr(ord(token[-1]) + 1),
        "words": "progress",
        "empty payload": "." + mac,
        "long": "A" * 3000,
    }


@pytest.mark.parametrize("kind", _forgeries("MS5tYWluLmxua18wMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMC4xLmE." + "A" * 43))
async def test_a_forged_token_is_no_link(sqlite_office: Office, kind: str) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    path = await path_of(sqlite_office, officer)
    forged = _forgeries(path.removeprefix("/v1/links/"))[kind]
    for route in ("", "/progress"):
        answer = await get(sqlite_office, f"/v1/links/{forged}{route}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await apply(sqlite_office, f"/v1/links/{forged}")).status_code == 404


async def test_a_link_serves_its_own_purpose_only(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    application_path = await path_of(office, officer)
    token = (await taken_in(office, officer))["token"]
    progress_path = await path_of(office, officer, key="p", purpose="progress", caseToken=token)
    assert (await apply(office, progress_path)).status_code == 404
    assert (await get(office, f"{application_path}/progress")).status_code == 404
    async with office.client() as client:
        key = {"Idempotency-Key": "x"}
        body = {"reasonCode": "paid-otherwise"}
        assert (await client.post(f"{application_path}/withdrawal", json=body, headers=key)).status_code == 404
        files = {"file": ("a.png", PNG)}
        refused = await client.post(f"{application_path}/documents", data={"kind": "other"}, files=files, headers=key)
    assert refused.status_code == 404


async def test_the_customer_adds_a_document_and_withdraws(office: Office, dispatcher: FakeDispatcher) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    path = (await apply(office, await path_of(office, officer))).json()["progressLink"]["path"]
    async with office.client() as client:
        added = await client.post(
            f"{path}/documents",
            data={"kind": "income-proof"},
            files={"file": ("工资单.png", PNG)},
            headers={"Idempotency-Key": "d"},
        )
        assert added.status_code == 201, added.text
        assert (await client.get(f"{path}/progress")).json()["documents"] == 1
        body = {"reasonCode": "paid-otherwise"}
        pending = await client.post(f"{path}/withdrawal", json=body, headers={"Idempotency-Key": "w"})
        assert (pending.status_code, pending.headers["location"]) == (202, "progress")
        assert (await client.get(f"{path}/progress")).json()["withdrawalPending"] is True
    sent = dispatcher.sent[0]
    assert (sent.outcome, sent.person_id, sent.task_no) == ("withdraw", None, None)
    dispatcher.fate = Fate.APPLIED
    async with office.client(officer) as client:
        case = (await client.get(f"{CASES}/{(await client.get(CASES)).json()['items'][0]['token']}")).json()
    assert [decision["decidedBy"] for decision in case["decisions"]] == [None]
    assert case["documents"][0]["addedBy"].startswith("lnk_")


async def test_the_customer_is_told_of_an_offer_only_while_it_stands(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    told = (await apply(sqlite_office, await path_of(sqlite_office, officer))).json()
    token, path = told["caseToken"], told["progressLink"]["path"] + "/progress"
    offer = Proposal(
        id="prp_1",
        tenant="main",
        case_token=token,
        version=1,
        kind="counter-offer",
        amount_minor=2_000_000,
        term_months=24,
        concession_bps=100,
        decision_id="d",
        made_by_person="prs_1",
        created_at=sqlite_office.clock(),
    )
    with sqlite_office.deps.database.write() as session:
        session.add(offer)
    assert (await get(sqlite_office, path)).json()["offered"] is None
    with sqlite_office.deps.database.write() as session:
        session.get_one(InstallmentCase, token).stage = "counter-offer"
    assert (await get(sqlite_office, path)).json()["offered"] == {
        "amountMinor": 2_000_000,
        "termMonths": 24,
        "concessionBps": 100,
    }


async def test_what_staff_ask_of_a_link_must_fit_together(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    neighbour = office.staff("neighbour", Role.CASE_OFFICER, branch="bj-02")
    approver = office.staff("approver", Role.APPROVER, branch="sh-01")
    token = (await taken_in(office, officer))["token"]
    for body, pointer in (
        ({"purpose": "progress"}, "/caseToken"),
        ({"purpose": "application", "caseToken": token}, "/caseToken"),
        ({"purpose": "progress", "caseToken": token, "terms": TERMS}, "/terms"),
        ({"expiresInHours": 169}, "/expiresInHours"),
        ({"expiresInHours": 0}, "/expiresInHours"),
        ({"branch": "bj-02"}, "/branch"),
        ({"purpose": "gift"}, "/purpose"),
    ):
        answer = await make(office, officer, **body)
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert (await make(office, neighbour, purpose="progress", caseToken=token)).status_code == 404
    assert (await make(office, approver)).status_code == 403


async def test_the_customer_cannot_claim_a_signature_on_paper(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    path = await path_of(sqlite_office, officer)
    answer = await apply(sqlite_office, path, consents=[{**ELECTRONIC[0], "form": "WRITTEN"}])
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("/consents/0/form", "not-one-of")
    ]
    assert (await apply(sqlite_office, path)).status_code == 201  # the link is not spent by a form that needs mending
    branch = await apply(sqlite_office, await path_of(sqlite_office, officer, key="2"), branch="hq")
    assert [fault["pointer"] for fault in branch.json()["errors"]] == ["/branch"]


async def test_no_table_holds_a_token(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    made = await make(sqlite_office, officer)
    again = await make(sqlite_office, officer)
    assert made.json() == again.json()
    applied = await apply(sqlite_office, made.json()["path"])
    progress = applied.json()["progressLink"]
    async with sqlite_office.client() as client:
        body = {"reasonCode": "paid-otherwise"}
        await client.post(f"{progress['path']}/withdrawal", json=body, headers={"Idempotency-Key": "w"})
    stored = ""
    with sqlite_office.deps.database.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            stored += str(connection.execute(text(f"SELECT * FROM {table.name}")).all())
    for token in (made.json()["token"], progress["token"]):
        assert token not in stored
        assert token.split(".")[1] not in stored
    assert made.json()["id"] in stored
