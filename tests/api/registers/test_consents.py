"""The consent and notice register over HTTP: who was given which words, what is outdated, what a withdrawal stops."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.consent_register import ConsentWithdrawal
from models.tables.parties import Consent
from tests.support.api import Office
from tests.support.applications import CASES, PERSON, another_id, application, send, taken_in
from tests.support.registers import RegisterDesk, consent_text, notice_text, register_desk

QUERY = "credit-report-query"


async def open_case(office: Office, *, serial: int | None = None) -> dict[str, Any]:
    """A case, entered by an officer of the branch."""
    officer = office.staff(f"officer{serial}", Role.CASE_OFFICER, branch="sh-01")
    changes = {"applicant__idNumber": another_id(serial)} if serial is not None else {}
    return await taken_in(office, officer, key=f"case{serial}", **changes)


async def entries(desk: RegisterDesk, query: str = "") -> list[dict[str, Any]]:
    told = await desk.done("GET", f"/v1/consents?purpose={QUERY}{query}", by=desk.auditor)
    found: list[dict[str, Any]] = told["items"]
    return found


async def test_an_entry_says_which_words_through_what_and_on_what_evidence(office: Office) -> None:
    desk = register_desk(office)
    text = await desk.published(consent_text("2026-01", material=False))
    await desk.published(notice_text("privacy-notice/2026-11"))
    case = await open_case(office)
    told = await desk.done("GET", f"/v1/subjects/{case['subjectId']}/consents", by=desk.auditor)
    assert told["subject"]["name"] != PERSON["name"]
    query = next(each for each in told["items"] if each["purpose"] == QUERY)
    assert (query["textHash"], query["textKnown"]) == (text["contentHash"], True)
    assert (query["channel"], query["evidenceKind"], query["standing"]) == ("staff", None, "stands")

    body = {"purpose": QUERY, "form": "ORAL", "textVersion": "2026-01"}
    body["evidence"] = {"kind": "recording", "reference": "rec/2026/11/0042"}
    officer = office.staff("another", Role.CASE_OFFICER, branch="sh-01")
    office.clock.advance(timedelta(seconds=1))
    await desk.done("POST", f"{CASES}/{case['token']}/consents", body, by=officer)
    newest, older = await entries(desk)
    assert (newest["evidenceKindText"], newest["evidenceRef"]) == ("Recording", "rec/2026/11/0042")
    assert (newest["standing"], older["standing"]) == ("stands", "replaced")


async def test_a_version_that_the_register_does_not_hold_is_refused_once_there_are_texts(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    await desk.published(consent_text("2027-09"))
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    refused = await send(sqlite_office, officer, application())
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("/consents/0/textVersion", "unknown-text-version")
    ]


async def test_after_a_material_change_everybody_who_agreed_to_less_is_listed(office: Office) -> None:
    desk = register_desk(office)
    await desk.published(consent_text("2026-01"))
    first, second = await open_case(office, serial=1), await open_case(office, serial=2)
    office.clock.advance(days=1)
    await desk.published(consent_text("2026-02", material=False))
    assert await entries(desk, "&standing=outdated") == []
    office.clock.advance(days=1)
    await desk.published(consent_text("2026-03"))
    outdated = await entries(desk, "&standing=outdated")
    assert {each["subjectId"] for each in outdated} == {first["subjectId"], second["subjectId"]}
    purposes = (await desk.done("GET", "/v1/consents/purposes", by=desk.auditor))["items"]
    assert next(each for each in purposes if each["purpose"] == QUERY)["outdated"] == 2

    officer = office.staff("again", Role.CASE_OFFICER, branch="sh-01")
    body = {"purpose": QUERY, "form": "WRITTEN", "textVersion": "2026-03"}
    await desk.done("POST", f"{CASES}/{first['token']}/consents", body, by=officer)
    assert [each["subjectId"] for each in await entries(desk, "&standing=outdated")] == [second["subjectId"]]
    assert [each["subjectId"] for each in await entries(desk, "&standing=stands")] == [first["subjectId"]]
    assert [each["subjectId"] for each in await entries(desk, "&standing=replaced")] == [first["subjectId"]]
    page = await desk.done("GET", f"/v1/consents?purpose={QUERY}&limit=2", by=desk.auditor)
    rest = await desk.done("GET", f"/v1/consents?purpose={QUERY}&limit=2&after={page['endCursor']}", by=desk.auditor)
    assert (len(page["items"]), len(rest["items"]), rest["endCursor"]) == (2, 1, None)


async def test_a_withdrawal_says_what_stops_what_goes_on_and_on_which_ground(office: Office) -> None:
    desk = register_desk(office)
    case = await open_case(office)
    [entry] = await entries(desk)
    path = f"/v1/subjects/{case['subjectId']}/consents/{entry['id']}/withdrawal"
    told = await desk.done("POST", path, by=desk.officer)
    assert told["standing"] == "withdrawn"
    effect = told["withdrawal"]["effect"]
    assert effect["stops"] == ["credit-report-query"]
    assert tuple(effect["goesOn"][0][name] for name in ("what", "ground")) == ("done-before", "PIPL-15")
    again = await desk.done("POST", path, by=desk.officer)
    assert again == told
    with office.deps.database.read() as session:
        [row] = session.exec(select(ConsentWithdrawal)).all()
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "consent.withdrawn")).all()
    assert (row.actor, row.channel, len(events)) == (desk.officer.id, "staff", 1)
    foreign = f"/v1/subjects/{case['subjectId']}/consents/cns_{'0' * 26}/withdrawal"
    assert (await desk.call("POST", foreign, by=desk.officer)).status_code == 404


async def test_the_customer_reads_agrees_looks_and_takes_back_through_the_link(office: Office) -> None:
    desk = register_desk(office)
    text = await desk.published(consent_text("2026-01"))
    case = await open_case(office)
    officer = office.staff("linker", Role.CASE_OFFICER, branch="sh-01")
    link = await desk.done(
        "POST", "/v1/customer-links", {"purpose": "progress", "caseToken": case["token"]}, by=officer
    )
    [shown] = (await desk.done("GET", f"{link['path']}/texts"))["items"]
    assert (shown["contentHash"], shown["text"]["en"]) == (text["contentHash"], text["text"]["en"])

    office.clock.advance(timedelta(seconds=1))
    body = {"purpose": QUERY, "textVersion": "2026-01", "contentHash": shown["contentHash"]}
    other = await desk.call("POST", f"{link['path']}/consents", body | {"contentHash": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")
    given = await desk.done("POST", f"{link['path']}/consents", body, key="one")
    assert await desk.done("POST", f"{link['path']}/consents", body, key="one") == given
    newest = (await entries(desk))[0]
    assert (newest["id"], newest["channel"], newest["evidenceKind"], newest["evidenceRef"]) == (
        given["id"],
        "link",
        "link",
        link["id"],
    )

    mine = (await desk.done("GET", f"{link['path']}/consents", locale="zh-CN"))["items"]
    assert [(each["standingText"], each["withdrawable"]) for each in mine if each["id"] == given["id"]] == [
        ("有效", True)
    ]
    notice = next(each for each in mine if each["purpose"] == "privacy-notice")
    told = await desk.call("POST", f"{link['path']}/consents/{notice['id']}/withdrawal")
    assert (told.status_code, told.json()["code"]) == (409, "wrong-state")
    back = await desk.done("POST", f"{link['path']}/consents/{given['id']}/withdrawal")
    assert (back["standing"], back["withdrawal"]["channel"], back["withdrawal"]["actor"]) == ("withdrawn", "link", None)
    stranger = await desk.call("POST", f"{link['path']}/consents/cns_{'0' * 26}/withdrawal")
    assert stranger.status_code == 404


async def test_the_register_leaves_as_a_file_without_names_and_that_is_on_record(office: Office) -> None:
    desk = register_desk(office)
    case = await open_case(office)
    answer = await desk.call("GET", f"/v1/consents/export?purpose={QUERY}", by=desk.auditor)
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["subjectId"], row["standing"], row["name"]) == (case["subjectId"], "stands", "")
    assert answer.headers["content-disposition"] == f'attachment; filename="consents-{QUERY}.csv"'
    one = await desk.call("GET", f"/v1/subjects/{case['subjectId']}/consents/export", by=desk.auditor)
    rows = list(csv.DictReader(io.StringIO(one.text)))
    assert len(rows) == 2
    assert all(row["name"].startswith("欧") and PERSON["name"] not in row["name"] for row in rows)
    with office.deps.database.read() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "consents.exported")).all()
    assert len(events) == 2
    officer = office.staff("nosy", Role.CASE_OFFICER, branch="sh-01")
    for person in (officer, desk.business):
        refused = await desk.call("GET", f"/v1/consents/export?purpose={QUERY}", by=person)
        assert refused.json()["params"] == {"permission": "registers:export"}


async def test_the_register_of_a_branch_holds_the_persons_of_that_branch(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    await open_case(sqlite_office)
    elsewhere = sqlite_office.staff("there", Role.PRIVACY_OFFICER, branch="bj-01")
    assert (await desk.done("GET", f"/v1/consents?purpose={QUERY}", by=elsewhere))["items"] == []
    assert len(await entries(desk)) == 1


@pytest.mark.parametrize("both", [True, False])
async def test_evidence_is_a_document_or_something_else_not_both(sqlite_office: Office, both: bool) -> None:
    desk = register_desk(sqlite_office)
    case = await open_case(sqlite_office)
    officer = sqlite_office.staff("adder", Role.CASE_OFFICER, branch="sh-01")
    body: dict[str, Any] = {"purpose": QUERY, "form": "ORAL", "textVersion": "2026-01"}
    body["evidence"] = {"kind": "code", "reference": "13812345678" if not both else "otc-1"}
    if both:
        body["evidenceDocumentId"] = "doc_" + "0" * 26
    answer = await desk.call("POST", f"{CASES}/{case['token']}/consents", body, by=officer)
    pointers = {each["pointer"] for each in answer.json()["errors"]}
    assert pointers == ({"", "/evidenceDocumentId"} if both else {"/evidence/reference"})
    with sqlite_office.deps.database.read() as session:
        assert len(session.exec(select(Consent)).all()) == 2
