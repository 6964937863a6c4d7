"""Texts over HTTP: two persons publish them, nobody changes them, and the rules read what was published."""

from datetime import timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DatabaseError
from sqlmodel import select

from models.domain.roles import Role
from models.queries.products import data_scope_of, notice_named
from models.tables.audit import AuditEvent
from models.tables.consent_register import TextVersion
from tests.support.api import Office
from tests.support.registers import consent_text, notice_text, register_desk

DRAFTS = "/v1/text-drafts"


async def test_a_text_is_published_by_a_second_person_and_holds_from_then_on(office: Office) -> None:
    desk = register_desk(office)
    draft = await desk.done("POST", DRAFTS, consent_text(), by=desk.business)
    path = f"{DRAFTS}/{draft['id']}"
    assert (draft["state"], draft["shownHash"], draft["revision"]) == ("DRAFT", None, 1)
    none = await desk.call("GET", "/v1/text-versions/current?kind=credit-report-query", by=desk.auditor)
    assert none.status_code == 404
    shown = await desk.done("POST", f"{path}/submission", by=desk.business, version=1)
    made = await desk.done("POST", f"{path}/publication", {"shownHash": shown["shownHash"]}, by=desk.officer)
    assert (made["version"], made["inForce"], made["contentHash"]) == ("2027-01", True, draft["contentHash"])
    assert (made["draftedBy"], made["publishedBy"]) == (desk.business.id, desk.officer.id)

    current = await desk.done("GET", "/v1/text-versions/current?kind=credit-report-query", by=desk.auditor)
    assert current["text"] == consent_text()["text"]
    again = await desk.call("POST", f"{path}/publication", {"shownHash": shown["shownHash"]}, by=desk.second)
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    with office.deps.database.read() as session:
        told = session.exec(select(AuditEvent.action).where(AuditEvent.target == draft["id"])).all()
    assert sorted(told) == ["text.drafted", "text.published", "text.submitted"]


async def test_no_maker_publishes_also_under_another_account_or_after_mending_it(office: Office) -> None:
    desk = register_desk(office)
    double = office.staff("privacy3", Role.PRIVACY_OFFICER, branch="*", person_id=desk.officer.person_id)
    draft = await desk.done("POST", DRAFTS, consent_text(), by=desk.business)
    path = f"{DRAFTS}/{draft['id']}"
    await desk.done("PUT", path, consent_text(material=False), by=desk.officer, version=1)
    shown = await desk.done("POST", f"{path}/submission", by=desk.business, version=2)
    for person in (desk.officer, double):
        for how, more in (("publication", {}), ("return", {"reasonCode": "dates-wrong"})):
            answer = await desk.call("POST", f"{path}/{how}", {"shownHash": shown["shownHash"]} | more, by=person)
            assert (answer.status_code, answer.json()["code"]) == (403, "four-eyes-violation")
    other = await desk.call("POST", f"{path}/publication", {"shownHash": "0" * 64}, by=desk.second)
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")
    stale = office.token(desk.second, auth_age=timedelta(minutes=6))
    async with office.client(token=stale) as client:
        late = await client.post(f"{path}/publication", json={"shownHash": shown["shownHash"]})
    assert late.json()["code"] == "fresh-login-required"
    assert (await desk.done("POST", f"{path}/publication", {"shownHash": shown["shownHash"]}, by=desk.second))[
        "inForce"
    ]


async def test_what_was_submitted_cannot_be_changed_until_it_comes_back(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    draft = await desk.done("POST", DRAFTS, consent_text(), by=desk.business)
    path = f"{DRAFTS}/{draft['id']}"
    stale = await desk.call("PUT", path, consent_text(), by=desk.business, version=7)
    assert (stale.status_code, stale.json()["params"]) == (412, {"currentVersion": 1})
    shown = await desk.done("POST", f"{path}/submission", by=desk.business, version=1)
    frozen = await desk.call("PUT", path, consent_text(), by=desk.business, version=2)
    assert (frozen.status_code, frozen.json()["code"]) == (409, "wrong-state")
    body = {"shownHash": shown["shownHash"], "reasonCode": "translation-differs"}
    back = await desk.done("POST", f"{path}/return", body, by=desk.officer)
    assert (back["state"], back["returnReasonText"]) == ("DRAFT", "The two languages say different things")
    assert (await desk.done("PUT", path, consent_text(version="2027-02"), by=desk.business, version=3))["revision"] == 4
    listed = await desk.done("GET", f"{DRAFTS}?kind=credit-report-query&state=DRAFT", by=desk.auditor)
    assert [item["version"] for item in listed["items"]] == ["2027-02"]


async def test_a_published_text_never_changes_whoever_reaches_the_database(office: Office) -> None:
    desk = register_desk(office)
    await desk.published(consent_text())
    for statement in ("UPDATE text_versions SET zh = 'x'", "DELETE FROM text_versions"):
        with pytest.raises(DatabaseError), office.deps.database.write() as session:
            session.execute(sql(statement))
    twice = await desk.done("POST", DRAFTS, consent_text(), by=desk.business)
    shown = await desk.done("POST", f"{DRAFTS}/{twice['id']}/submission", by=desk.business, version=1)
    body = {"shownHash": shown["shownHash"]}
    answer = await desk.call("POST", f"{DRAFTS}/{twice['id']}/publication", body, by=desk.officer)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    with office.deps.database.read() as session:
        assert len(session.exec(select(TextVersion)).all()) == 1


async def test_each_version_holds_until_the_next_one_begins(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    await desk.published(consent_text("2027-01"))
    later = (sqlite_office.clock() + timedelta(days=10)).isoformat()
    end = (sqlite_office.clock() + timedelta(days=20)).isoformat()
    planned = await desk.published(consent_text("2027-02", validFrom=later, validUntil=end))
    assert planned["inForce"] is False
    path = "/v1/text-versions/current?kind=credit-report-query"
    for days, version in ((0, "2027-01"), (9, "2027-01"), (10, "2027-02"), (19, "2027-02")):
        at = (sqlite_office.clock() + timedelta(days=days)).isoformat().replace("+", "%2B")
        assert (await desk.done("GET", f"{path}&at={at}", by=desk.auditor))["version"] == version, days
    sqlite_office.clock.advance(days=20)
    assert (await desk.call("GET", path, by=desk.auditor)).status_code == 404
    both = await desk.done("GET", "/v1/text-versions?kind=credit-report-query", by=desk.auditor)
    assert [(each["version"], each["validUntil"] is None) for each in both["items"]] == [
        ("2027-01", False),
        ("2027-02", False),
    ]


async def test_a_published_notice_and_scope_are_what_the_rules_read(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.published(notice_text())
    assert made["text"]["zh"].split("\n\n")[0] == "告知内容：handler。"
    office.clock.advance(timedelta(seconds=1))
    scope = {"always": ["identity", "card"], "byHardship": {"illness": ["hardship-evidence"]}}
    await desk.published(consent_text("data-scope/2027-01", kind="data-scope", scope=scope))
    with office.deps.database.read() as session:
        notice = notice_named(session, "main", version="privacy-notice/2027-01")
        assert notice is not None
        assert notice.items["rights"] == "告知内容：rights。"
        assert data_scope_of(session, "main").allowed_for("illness") == ("identity", "card", "hardship-evidence")


FAULTS = {
    "part missing": (consent_text(text=None), "/text", "missing"),
    "part too many": (notice_text(text={"zh": "一", "en": "one"}), "/text", "unknown-field"),
    "no such data": (
        consent_text(kind="data-scope", scope={"always": ["shoe-size"], "byHardship": {}}),
        "/scope/always/0",
        "not-one-of",
    ),
    "ends before": (consent_text(validUntil="2020-01-01T00:00:00Z"), "/validUntil", "ends-before-it-begins"),
    "number as version": (consent_text(version="13812345678"), "/version", "pattern"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_does_not_fit_is_named(sqlite_office: Office, name: str) -> None:
    desk = register_desk(sqlite_office)
    body, pointer, code = FAULTS[name]
    answer = await desk.call("POST", DRAFTS, body, by=desk.business)
    assert answer.status_code == 422, answer.text
    assert (pointer, code) in [(each["pointer"], each["code"]) for each in answer.json()["errors"]]


async def test_a_notice_without_what_the_law_asks_for_is_refused(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    body = notice_text()
    for name in ("rights", "effect"):
        del body["notice"]["items"][name]
    answer = await desk.call("POST", DRAFTS, body, by=desk.business)
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/notice/items/rights", "/notice/items/effect"}
