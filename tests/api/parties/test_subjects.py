"""Persons: masked, revealed for a recorded reason, found by an exact number, and only where they belong."""

import json
from typing import Any

import httpx
import pytest
from sqlmodel import select

from compliance.audit.unit import Unit
from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import CARD, CASES, CLEAR_VALUES, ID_NUMBER, NOTE, PERSON, another_id, taken_in

FIELDS = {
    "name": PERSON["name"],
    "idNumber": ID_NUMBER,
    "mobile": "+8613812345678",
    "email": PERSON["email"],
    "address": PERSON["address"],
    "employer": PERSON["employer"],
    "cardNumber": CARD,
}


async def reveal(office: Office, by: Staff, subject_id: str, **body: Any) -> httpx.Response:
    async with office.client(by) as client:
        return await client.post(f"/v1/subjects/{subject_id}/reveals", json={"reason": "call-customer", **body})


def reveals(office: Office) -> list[dict[str, Any]]:
    with office.deps.database.read() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "subject.revealed")).all()
    return [json.loads(event.body) for event in events]


async def test_a_person_is_shown_masked_to_staff_of_the_branch(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    subject_id = (await taken_in(office, officer))["subject"]["id"]
    reader = office.staff("reader", Role.APPROVER, branch="sh-01")
    async with office.client(reader) as client:
        answer = await client.get(f"/v1/subjects/{subject_id}")
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["mobile"]) == ("欧**雯", "+86138****5678")
    for value in CLEAR_VALUES:
        assert value not in answer.text


@pytest.mark.parametrize("field", FIELDS)
async def test_a_field_is_revealed_once_it_is_recorded_who_looked_and_why(sqlite_office: Office, field: str) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    subject_id = (await taken_in(sqlite_office, officer))["subject"]["id"]
    answer = await reveal(sqlite_office, officer, subject_id, field=field, reason="verify-identity", ticket="CS-1042")
    assert answer.status_code == 200, answer.text
    assert answer.json()["value"] == FIELDS[field]
    [event] = reveals(sqlite_office)
    assert (event["id"], event["target"], event["actor"]) == (answer.json()["eventId"], subject_id, officer.id)
    assert event["facts"] == {
        "field": field,
        "reason": "verify-identity",
        "ticket": "CS-1042",
        "record": None,
        "found": True,
    }
    assert FIELDS[field] not in json.dumps(event, ensure_ascii=False)


async def test_without_a_record_nothing_is_shown(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    subject_id = (await taken_in(sqlite_office, officer))["subject"]["id"]

    def broken(self: Unit) -> None:
        raise RuntimeError("the event cannot be written")

    monkeypatch.setattr(Unit, "record", broken)
    answer = await reveal(sqlite_office, officer, subject_id, field="name")
    assert answer.status_code == 500
    assert PERSON["name"] not in answer.text


async def test_words_of_a_case_and_of_a_talk_are_revealed_with_the_record_they_belong_to(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    case = await taken_in(office, officer)
    subject_id = case["subject"]["id"]
    talk = {"channel": "visit", "direction": "in", "resultCode": "informed", "note": "她很着急"}
    async with office.client(officer) as client:
        contact = await client.post(f"{CASES}/{case['token']}/contacts", json=talk, headers={"Idempotency-Key": "c"})
    hardship = await reveal(office, officer, subject_id, field="hardshipNote", record=case["token"])
    spoken = await reveal(office, officer, subject_id, field="contactNote", record=contact.json()["id"])
    assert (hardship.json()["value"], spoken.json()["value"]) == (NOTE, "她很着急")
    other = await taken_in(office, officer, key="other", applicant__idNumber=another_id(1), applicant__name="李雷雷")
    crossed = await reveal(office, officer, other["subject"]["id"], field="contactNote", record=contact.json()["id"])
    assert crossed.status_code == 404
    for body in ({"field": "hardshipNote"}, {"field": "name", "record": case["token"]}):
        assert (await reveal(office, officer, subject_id, **body)).status_code == 422
    assert len(reveals(office)) == 2


async def test_reason_and_ticket_are_of_a_closed_shape(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    subject_id = (await taken_in(sqlite_office, officer))["subject"]["id"]
    for body, pointer in (
        ({"reason": "curious"}, "/reason"),
        ({"ticket": "13812345678"}, "/ticket"),
        ({"field": "password"}, "/field"),
    ):
        answer = await reveal(sqlite_office, officer, subject_id, **{"field": "name", **body})
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert reveals(sqlite_office) == []


async def test_who_may_not_reveal_or_is_elsewhere_sees_nothing(office: Office) -> None:
    office.tenant("other")
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    subject_id = (await taken_in(office, officer))["subject"]["id"]
    operator = office.staff("operator", Role.OPERATOR, branch="sh-01")
    assert (await reveal(office, operator, subject_id, field="name")).status_code == 403
    for stranger in (
        office.staff("neighbour", Role.CASE_OFFICER, branch="bj-02"),
        office.staff("foreign", Role.CASE_OFFICER, tenant="other", branch="*"),
    ):
        assert (await reveal(office, stranger, subject_id, field="name")).status_code == 404
        async with office.client(stranger) as client:
            assert (await client.get(f"/v1/subjects/{subject_id}")).status_code == 404
            found = await client.post("/v1/subjects/search", json={"idNumber": ID_NUMBER})
            assert found.json() == {"items": []}
    assert reveals(office) == []


@pytest.mark.parametrize(
    "sought",
    [
        {"idNumber": ID_NUMBER},
        {"idNumber": f" {ID_NUMBER[:6]}-{ID_NUMBER[6:].lower()}"},
        {"mobile": "13812345678"},
        {"mobile": "+86 138-1234-5678"},
        {"mobile": "１３８１２３４５６７８"},
    ],
)
async def test_a_person_is_found_by_an_exact_number_in_any_spelling(office: Office, sought: dict[str, str]) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    case = await taken_in(office, officer)
    await taken_in(
        office,
        officer,
        key="other",
        applicant__idNumber=another_id(2),
        applicant__name="李雷雷",
        applicant__mobile="13900001111",
    )
    async with office.client(officer) as client:
        answer = await client.post("/v1/subjects/search", json=sought)
    [found] = answer.json()["items"]
    assert (found["subject"]["id"], found["caseTokens"]) == (case["subject"]["id"], [case["token"]])
    for value in CLEAR_VALUES:
        assert value not in answer.text


async def test_a_search_needs_exactly_one_number_and_finds_no_part_of_one(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    await taken_in(sqlite_office, officer)
    async with sqlite_office.client(officer) as client:
        for body in ({}, {"idNumber": ID_NUMBER, "mobile": "13812345678"}, {"mobile": " - "}):
            answer = await client.post("/v1/subjects/search", json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "form-invalid")
        for body in ({"idNumber": ID_NUMBER[:10]}, {"mobile": "1381234567"}):
            assert (await client.post("/v1/subjects/search", json=body)).json() == {"items": []}


async def test_an_erased_person_cannot_be_revealed(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    subject_id = (await taken_in(sqlite_office, officer))["subject"]["id"]
    sqlite_office.deps.vault.shred_subject(tenant="main", subject_id=subject_id)
    answer = await reveal(sqlite_office, officer, subject_id, field="name")
    assert (answer.status_code, answer.json()["code"]) == (410, "subject-shredded")
    assert reveals(sqlite_office) == []
