"""The rules of contact over HTTP: asked before a contact, and held against what was recorded, with law and article."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.aftercare.clocks import TicketKind
from models.domain.collection_policy import DEFAULT_POLICY, Agency
from models.domain.roles import Role
from models.domain.rule_words import ENTRUSTMENT_TERMS, LETTER_FIELDS
from models.domain.tokens import new_token
from models.operations.products import set_terms
from models.tables.audit import AuditEvent
from models.tables.daily import Ticket
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import CASES, taken_in
from tests.support.clock import FakeClock

CALL = {
    "channel": "phone",
    "direction": "out",
    "resultCode": "not-reached",
    "purpose": "collection",
    "recordingRef": "rec-2026/0001",
}
CHECK = {"channel": "phone", "purpose": "collection", "willBeRecorded": True}


class Desk:
    """One case, and an officer who calls."""

    def __init__(self, office: Office, officer: Staff, token: str) -> None:
        self.office, self.officer, self.token = office, officer, token
        self.calls = 0

    async def log(self, **changes: Any) -> dict[str, Any]:
        self.calls += 1
        async with self.office.client(self.officer) as client:
            answer = await client.post(
                f"{CASES}/{self.token}/contacts", json=CALL | changes, headers={"Idempotency-Key": f"c{self.calls}"}
            )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def check(self, **changes: Any) -> dict[str, Any]:
        async with self.office.client(self.officer) as client:
            answer = await client.post(f"{CASES}/{self.token}/contact-checks", json=CHECK | changes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def open_ticket(self, kind: TicketKind) -> None:
        """The customer has asked for something that is not answered yet."""
        now = self.office.clock()
        deed = Deed(tenant="main", action="ticket.opened", target=self.token, actor=self.officer.id, at=now)
        with unit_of_work(self.office.deps.database, deed) as unit:
            unit.session.add(
                Ticket(
                    id=new_token("tkt"),
                    tenant="main",
                    case_token=self.token,
                    kind=kind,
                    state="OPEN",
                    due_at=now + timedelta(days=15),
                    opened_by=self.officer.id,
                    created_at=now,
                )
            )


@pytest.fixture
async def desk(sqlite_office: Office) -> Desk:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    return Desk(sqlite_office, officer, (await taken_in(sqlite_office, officer))["token"])


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of 23 November in Shanghai."""
    return datetime(2026, 11, 22 if hour < 8 else 23, (hour - 8) % 24, minute, second, tzinfo=UTC)


def against(answer: dict[str, Any]) -> list[str]:
    return [verdict["rule"] for verdict in answer["against"]]


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [(at(8), True), (at(21, 59, 59), True), (at(22), False), (at(7, 59, 59), False)],
    ids=["08:00:00", "21:59:59", "22:00:00", "07:59:59"],
)
async def test_hours_of_contact(desk: Desk, clock: FakeClock, moment: datetime, allowed: bool) -> None:
    clock.set(moment)
    said = await desk.check()
    assert said["allowed"] is allowed
    verdict = next(one for one in said["verdicts"] if one["rule"] == "COLL-CBA-HOURS")
    assert verdict["result"] == ("PASS" if allowed else "FAIL")
    assert verdict["citation"]
    assert against(await desk.log()) == ([] if allowed else ["COLL-CBA-HOURS"])


async def test_the_sixth_dial_is_allowed_and_the_seventh_is_not(desk: Desk, clock: FakeClock) -> None:
    for _ in range(5):
        assert against(await desk.log()) == []
        clock.advance(minutes=1)
    assert (await desk.check())["allowed"]
    assert against(await desk.log()) == []
    clock.advance(minutes=1)
    assert not (await desk.check())["allowed"]
    assert against(await desk.log()) == ["COLL-CBA-DIAL"]
    clock.advance(days=1)
    assert (await desk.check())["allowed"]  # another day


async def test_the_third_effective_call_is_allowed_and_the_fourth_is_not(desk: Desk, clock: FakeClock) -> None:
    for _ in range(3):
        assert against(await desk.log(resultCode="reached")) == []
        clock.advance(minutes=1)
    assert against(await desk.log(resultCode="reached")) == ["COLL-GB-CALLS"]


async def test_nobody_but_debtor_and_guarantor_is_asked_for_the_debt(desk: Desk) -> None:
    assert against(await desk.log(role="guarantor")) == ["COLL-CBA-SRC"]  # nobody said where the number comes from
    assert against(await desk.log(role="guarantor", source="contract")) == []
    third = {"role": "other", "source": "contract"}
    assert against(await desk.log(**third)) == ["CCM-68a", "COLL-CBA-3P", "COLL-GB-WHO"]
    # Who shares the debt is no unrelated person for the guide; the law still lets nobody but the parties be asked.
    assert against(await desk.log(**third, thirdParty="related")) == ["CCM-68a", "COLL-GB-WHO"]
    assert "COLL-GB-WHO" in against(await desk.log(role="contact-person", script="relay-only"))


async def test_a_contact_person_passes_a_message_on_once_the_debtor_is_lost(desk: Desk, clock: FakeClock) -> None:
    for _ in range(3):
        await desk.log()
        clock.advance(days=1)
    said = await desk.check(role="contact-person", script="relay-only")
    results = {verdict["rule"]: verdict["result"] for verdict in said["verdicts"]}
    assert (results["COLL-GB-WHO"], results["COLL-CBA-3P"]) == ("PASS", "PASS")
    revealing = await desk.check(role="contact-person", script="full")
    results = {verdict["rule"]: verdict["result"] for verdict in revealing["verdicts"]}
    assert (results["COLL-GB-WHO"], results["COLL-CBA-3P"]) == ("FAIL", "FAIL")


async def test_a_number_that_is_not_in_use_makes_the_debtor_lost(desk: Desk) -> None:
    await desk.log(resultCode="number-invalid")
    relay = {"role": "contact-person", "script": "relay-only", "source": "contract"}
    assert against(await desk.log(**relay)) == ["CCM-68a"]


async def test_each_rule_of_the_guide_blocks_with_its_citation(desk: Desk) -> None:
    visit = {"channel": "visit", "visit": {"staff": 2, "idShown": True, "entryConsent": True}}
    assert against(await desk.log(**visit)) == []
    for broken in ({"staff": 1}, {"idShown": False}, {"entryConsent": False}):
        assert against(await desk.log(**visit | {"visit": visit["visit"] | broken})) == ["COLL-CBA-REC"]
    assert against(await desk.log(channel="visit")) == ["COLL-CBA-REC"]  # nobody said how it was made
    said = await desk.check(willBeRecorded=False, role="other", agency="nobody-knows-it")
    stands = {verdict["rule"]: verdict for verdict in said["verdicts"] if verdict["result"] in ("FAIL", "UNKNOWN")}
    assert {"COLL-CBA-3P", "COLL-CBA-SRC", "COLL-CBA-REC", "COLL-AGY", "PIPL-21"} <= set(stands)
    for rule in ("COLL-CBA-3P", "COLL-CBA-SRC", "COLL-CBA-REC", "COLL-AGY"):
        assert "Guidelines on Collecting Personal Consumer Loans" in stands[rule]["citation"]
    entry = await desk.log(note="再不还就告诉你单位")
    assert [verdict["rule"] for verdict in entry["against"]] == ["CCM-68b", "COLL-CBA-BAN"]


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({}, []),
        ({"listed": False}, ["COLL-AGY"]),
        ({"evaluated_on": date(2025, 11, 22)}, ["COLL-AGY"]),  # a year and a day before the call
        ({"evaluated_on": date(2025, 11, 23)}, []),
        ({"entrustment_terms": ("purpose",)}, ["PIPL-21"]),
        ({"sub_entrusted": True}, ["PIPL-21"]),
    ],
)
async def test_an_agency_calls_only_while_it_is_listed_evaluated_and_bound(
    desk: Desk, changes: dict[str, Any], stands: list[str]
) -> None:
    agency = Agency(code="east", listed=True, evaluated_on=date(2026, 5, 4), entrustment_terms=ENTRUSTMENT_TERMS)
    policy = replace(DEFAULT_POLICY, version="policy/agencies", agencies=(replace(agency, **changes),))
    now = desk.office.clock()
    with unit_of_work(
        desk.office.deps.database, Deed(tenant="main", action="terms.set", target="main", actor="t", at=now)
    ) as unit:
        set_terms(unit.session, policy, tenant="main", by="t", now=now)
    assert against(await desk.log(agency="east")) == stands


async def test_each_contact_about_the_debt_leaves_an_interruption_of_limitation(desk: Desk, clock: FakeClock) -> None:
    await desk.log()  # nobody answered
    await desk.log(purpose=None, resultCode="reached")  # not about the debt
    await desk.log(direction="in", resultCode="reached")
    await desk.log(role="other", source="contract", resultCode="reached")
    clock.advance(minutes=1)
    called = await desk.log(resultCode="reached")
    clock.set(at(23, 30))  # still the 23rd in Shanghai
    texted = await desk.log(channel="message", purpose="service-reminder", resultCode="informed", recordingRef=None)
    async with desk.office.client(desk.officer) as client:
        told = (await client.get(f"{CASES}/{desk.token}/limitation-events")).json()
    assert told["items"] == sorted(
        ({"on": "2026-11-23", "kind": "contact", "record": entry["id"]} for entry in (called, texted)),
        key=lambda item: item["record"],
    )


async def test_who_refused_is_left_in_peace_until_they_call(desk: Desk, clock: FakeClock) -> None:
    await desk.log(resultCode="refused-to-talk")
    clock.advance(minutes=5)
    assert against(await desk.log()) == ["CC-1033"]
    clock.advance(minutes=5)
    await desk.log(direction="in", resultCode="reached")
    clock.advance(minutes=5)
    assert (await desk.check())["allowed"]


async def test_what_is_said_is_recorded_and_holds_no_threat(desk: Desk) -> None:
    assert against(await desk.log(recordingRef=None)) == ["CCM-68c", "COLL-CBA-REC"]
    assert against(await desk.log(note="再不还钱就让你丢工作", recordingRef="rec-2")) == [
        "CCM-68b",
        "CCM-68c",
        "COLL-CBA-BAN",
    ]
    assert against(await desk.log(purpose="service-reminder", recordingRef=None)) == []


async def test_a_recording_that_is_filed_later_puts_the_contact_on_record(desk: Desk, clock: FakeClock) -> None:
    entry = await desk.log(recordingRef=None)
    clock.advance(minutes=5)
    assert not (await desk.check())["allowed"]
    place = f"{CASES}/{desk.token}/contacts/{entry['id']}/recording"
    async with desk.office.client(desk.officer) as client:
        for _ in range(2):
            assert (await client.put(place, json={"recordingRef": "rec-late"})).status_code == 204
        assert (await client.put(place, json={"recordingRef": "rec-other"})).status_code == 409
        nowhere = place.replace(entry["id"], "con_" + "0" * 26)
        assert (await client.put(nowhere, json={"recordingRef": "rec-late"})).status_code == 404
    assert (await desk.check())["allowed"]


async def test_a_letter_holds_what_the_measures_want(desk: Desk) -> None:
    letter = {"channel": "letter", "resultCode": "informed", "recordingRef": None}
    assert against(await desk.log(**letter)) == ["CCM-69a"]  # nobody said what it holds
    assert against(await desk.log(**letter, letterFields=list(LETTER_FIELDS[:-1]))) == ["CCM-69a"]
    assert against(await desk.log(**letter, letterFields=list(LETTER_FIELDS))) == []


async def test_an_open_dispute_or_complaint_about_conduct_stops_collection(desk: Desk) -> None:
    desk.open_ticket(TicketKind.DISPUTE)
    assert against(await desk.log()) == ["CCM-69b"]
    assert against(await desk.log(purpose="service-reminder")) == []
    desk.open_ticket(TicketKind.CONDUCT)
    assert "CCM-68b" in against(await desk.log())


async def test_a_breach_is_recorded_with_its_rule_and_named_in_the_log(desk: Desk, clock: FakeClock) -> None:
    clock.set(at(22))
    entry = await desk.log()
    async with desk.office.client(desk.officer) as client:
        [listed] = (await client.get(f"{CASES}/{desk.token}/contacts")).json()["items"]
    assert listed == entry
    assert listed["against"][0]["reasonText"]
    with desk.office.deps.database.read() as session:
        [event] = session.exec(select(AuditEvent).where(AuditEvent.action == "contact.logged")).all()
    assert "COLL-CBA-HOURS" in event.body


async def test_other_talks_and_calls_of_the_customer_are_not_asked_about(desk: Desk, clock: FakeClock) -> None:
    clock.set(at(23))
    assert against(await desk.log(purpose=None)) == []
    assert against(await desk.log(direction="in")) == []


async def test_with_consent_the_debtor_is_called_at_other_hours(desk: Desk, clock: FakeClock) -> None:
    consent = {"purpose": "contact-hours", "form": "WRITTEN", "textVersion": "hours-1"}
    async with desk.office.client(desk.officer) as client:
        given = await client.post(f"{CASES}/{desk.token}/consents", json=consent, headers={"Idempotency-Key": "hours"})
    assert given.status_code == 201, given.text
    clock.set(at(22, 30))
    assert against(await desk.log()) == []


@pytest.mark.parametrize("ref", ["13800001234", "6229990000001234", "has blank", ""])
async def test_a_recording_is_named_without_anybodys_number(desk: Desk, ref: str) -> None:
    async with desk.office.client(desk.officer) as client:
        answer = await client.post(
            f"{CASES}/{desk.token}/contacts", json=CALL | {"recordingRef": ref}, headers={"Idempotency-Key": "r"}
        )
    assert answer.status_code == 422
