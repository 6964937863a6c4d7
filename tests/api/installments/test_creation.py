"""Taking in an application: what is written, once and for whom, and what is refused and how."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, text
from sqlmodel import select

from compliance.audit.unit import Unit
from models.database.engine import Database
from models.domain.resident_id import check_character
from models.domain.roles import Role
from models.tables.all import METADATA
from models.tables.audit import AuditEvent
from models.tables.installments import InstallmentCase
from models.tables.parties import Consent, ContactPoint, Subject
from models.tables.platform import IdempotencyKey, OutboxEntry
from tests.support.api import Office
from tests.support.applications import CASES, CLEAR_VALUES, ID_NUMBER, NOTE, FakeDispatcher, application, send
from tests.support.clock import FakeClock


def count(database: Database, table: type[Any]) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


async def test_an_application_becomes_a_case_with_subject_consents_start_and_event(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    answer = await send(office, officer, application())
    assert answer.status_code == 201, answer.text
    told = answer.json()
    token = told["token"]
    assert answer.headers["location"] == f"{CASES}/{token}"
    assert answer.headers["etag"] == '"v1"'
    assert (told["stage"], told["branch"], told["channel"], told["outcome"]) == ("intake", "sh-01", "staff", None)
    assert told["requested"] == {"amountMinor": 3_000_000, "termMonths": 36, "concessionBps": None}
    with office.deps.database.read() as session:
        case = session.exec(select(InstallmentCase)).one()
        subject = session.exec(select(Subject)).one()
        points = session.exec(select(ContactPoint)).all()
        consents = session.exec(select(Consent).order_by(Consent.purpose)).all()
        start = session.exec(select(OutboxEntry)).one()
        event = session.exec(select(AuditEvent).where(AuditEvent.action == "case.created")).one()
    assert (case.token, case.subject_id, case.created_by) == (token, subject.id, officer.id)
    assert (case.created_by_person, case.version, case.stage) == (officer.person_id, 1, "intake")
    assert sorted(point.kind for point in points) == ["email", "mobile"]
    assert [(each.purpose, each.form, each.text_version) for each in consents] == [
        ("credit-report-query", "WRITTEN", "2026-01"),
        ("privacy-notice", "WRITTEN", "privacy-notice/2026-11"),
    ]
    assert (start.kind, start.business_key, start.workflow_id) == ("start", token, f"installments/{token}")
    assert (event.target, event.actor) == (token, officer.id)
    assert json.loads(event.body)["facts"]["subject"] == subject.id


async def test_the_person_is_shown_masked_only(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    answer = await send(sqlite_office, officer, application())
    shown = answer.json()["subject"]
    assert shown["name"] == "欧**雯"
    assert shown["idNumber"] == ID_NUMBER[:6] + "*" * 8 + ID_NUMBER[-4:]
    assert shown["mobile"] == "+86138****5678"
    assert shown["email"] == "xia***@example.com"
    assert shown["cardNumber"].startswith("622999****")
    assert shown["address"] == "北京市朝阳区******"
    assert (shown["hasEmployer"], shown["erased"], shown["idTypeText"]) == (True, False, "resident identity card")
    assert answer.json()["hardship"] == {
        "code": "illness",
        "text": "Serious illness, own or in the family",
        "hasNote": True,
    }
    for value in CLEAR_VALUES:
        assert value not in answer.text


async def test_the_workflow_is_started_after_the_commit_and_a_silent_temporal_changes_nothing(
    sqlite_office: Office, dispatcher: FakeDispatcher
) -> None:
    seen: list[int] = []
    dispatcher.starting = lambda _token: seen.append(count(sqlite_office.deps.database, InstallmentCase))
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    first = await send(sqlite_office, officer, application())
    again = await send(sqlite_office, officer, application())
    assert (first.status_code, again.status_code) == (201, 201)
    assert seen == [1]  # the row was there when the start went out
    assert dispatcher.starts == [first.json()["token"]]  # and a repeated request starts nothing


async def test_thirty_at_once_under_one_key_are_one_case_one_subject_and_one_answer(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    async with office.client(officer) as client:
        answers = await asyncio.gather(
            *(client.post(CASES, json=application(), headers={"Idempotency-Key": "same"}) for _ in range(30))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    database = office.deps.database
    assert (count(database, InstallmentCase), count(database, Subject), count(database, OutboxEntry)) == (1, 1, 1)
    assert count(database, ContactPoint) == 2


async def test_the_same_person_at_once_under_many_keys_is_one_subject(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    async with office.client(officer) as client:
        answers = await asyncio.gather(
            *(client.post(CASES, json=application(), headers={"Idempotency-Key": f"k{i}"}) for i in range(6))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["token"] for answer in answers}) == 6
    assert count(office.deps.database, Subject) == 1


async def test_a_person_who_comes_again_is_the_same_subject_and_what_was_unknown_is_added(
    office: Office, clock: FakeClock
) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    bare = application(applicant__email=..., applicant__employer=..., applicant__address=..., applicant__cardNumber=...)
    first = (await send(office, officer, bare, key="a")).json()
    clock.advance(days=1)
    spaced = f"{ID_NUMBER[:6]} {ID_NUMBER[6:14]}-{ID_NUMBER[14:]}"
    second = (await send(office, officer, application(applicant__idNumber=spaced), key="b")).json()
    assert first["subject"]["id"] == second["subject"]["id"]
    assert (first["subject"]["email"], first["subject"]["hasEmployer"]) == (None, False)
    assert (second["subject"]["email"], second["subject"]["hasEmployer"]) == ("xia***@example.com", True)
    assert count(office.deps.database, InstallmentCase) == 2
    assert count(office.deps.database, ContactPoint) == 2  # the mobile was known

    clock.advance(minutes=3)
    third = await send(
        office,
        officer,
        application(applicant__mobile="13900001111", applicant__address="上海市黄浦区人民大道1号"),
        key="c",
    )
    assert third.json()["subject"]["mobile"] == "+86139****1111"
    assert (
        third.json()["subject"]["address"] == "北京市朝阳区******"
    )  # what is on record is not overwritten by an application
    # The first answer is still what it was.
    again = await send(office, officer, bare, key="a")
    assert again.json()["subject"]["mobile"] == "+86138****5678"


async def test_a_document_on_record_under_another_name_is_refused(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    await send(sqlite_office, officer, application(), key="a")
    answer = await send(sqlite_office, officer, application(applicant__name="王小明"), key="b")
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("/applicant/name", "name-differs")
    ]
    assert count(sqlite_office.deps.database, InstallmentCase) == 1


_MISTYPED = ID_NUMBER[:-1] + ("1" if ID_NUMBER[-1] != "1" else "2")
_UNBORN = "11010520990307123" + check_character("11010520990307123")
_PASSPORT = {"applicant__idType": "passport"}


def _consent(**changes: str) -> dict[str, str]:
    return {"purpose": "credit-report-query", "form": "WRITTEN", "textVersion": "2026-01"} | changes


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "checksum": ({"applicant__idNumber": _MISTYPED}, "/applicant/idNumber", "id-checksum"),
    "length": ({"applicant__idNumber": "123"}, "/applicant/idNumber", "id-length"),
    "future birth": ({"applicant__idNumber": _UNBORN}, "/applicant/idNumber", "id-birth-date"),
    "other document": ({**_PASSPORT, "applicant__idNumber": "?"}, "/applicant/idNumber", "id-passport"),
    "mobile": ({"applicant__mobile": "12812345678"}, "/applicant/mobile", "mobile"),
    "email": ({"applicant__email": "no at sign"}, "/applicant/email", "email"),
    "card": ({"applicant__cardNumber": "6229990000001239"}, "/applicant/cardNumber", "card-luhn"),
    "name": ({"applicant__name": "张3"}, "/applicant/name", "name"),
    "address": ({"applicant__address": "远"}, "/applicant/address", "address-length"),
    "id type": ({"applicant__idType": "driving-licence"}, "/applicant/idType", "not-one-of"),
    "hardship": ({"hardship__code": "bored"}, "/hardship/code", "not-one-of"),
    "term zero": ({"requested__termMonths": 0}, "/requested/termMonths", "too-small"),
    "term 61": ({"requested__termMonths": 61}, "/requested/termMonths", "too-large"),
    "amount above debt": ({"requested__amountMinor": 5_000_001}, "/requested/amountMinor", "amount-above-due"),
    "amount as text": ({"requested__amountMinor": "3000000"}, "/requested/amountMinor", "wrong-type"),
    "amount as fraction": ({"requested__amountMinor": 1.5}, "/requested/amountMinor", "wrong-type"),
    "negative income": ({"finances__monthlyIncomeMinor": -1}, "/finances/monthlyIncomeMinor", "too-small"),
    "consent form": ({"consents": [_consent(form="NOD")]}, "/consents/0/form", "not-one-of"),
    "text version": ({"consents": [_consent(textVersion="13812345678")]}, "/consents/0/textVersion", "pattern"),
    "missing": ({"willingToRepay": ...}, "/willingToRepay", "missing"),
    "yes in words": ({"willingToRepay": "yes"}, "/willingToRepay", "wrong-type"),
    "unknown": ({"nickname": "x"}, "/nickname", "unknown-field"),
    "other branch": ({"branch": "gz-99"}, "/branch", "not-one-of"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_every_fault_names_field_rule_and_fix_and_repeats_no_value(sqlite_office: Office, name: str) -> None:
    changes, pointer, code = FAULTS[name]
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    body = application(**changes)
    answer = await send(sqlite_office, officer, body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "form-invalid"
    fault = next(fault for fault in problem["errors"] if fault["pointer"] == pointer)
    assert fault["code"] == code
    assert fault["detail"] != f"field.{code}"
    for value in (*body["applicant"].values(), NOTE):
        assert len(value) < 3 or value in ("passport", "resident-id") or value not in answer.text
    assert count(sqlite_office.deps.database, InstallmentCase) == 0
    assert count(sqlite_office.deps.database, IdempotencyKey) == 0  # mended, it may be sent under the same key


async def test_all_faults_of_a_form_are_told_at_once(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    body = application(
        applicant__idNumber="1", applicant__mobile="2", applicant__name="3", requested__amountMinor=9_000_000
    )
    answer = await send(sqlite_office, officer, body)
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert pointers == {"/applicant/idNumber", "/applicant/mobile", "/applicant/name", "/requested/amountMinor"}


async def test_key_missing_other_body_other_caller(sqlite_office: Office) -> None:
    officer, colleague = (sqlite_office.staff(login, Role.CASE_OFFICER) for login in ("officer", "colleague"))
    async with sqlite_office.client(officer) as client:
        assert (await client.post(CASES, json=application())).json()["code"] == "idempotency-key-required"
    first = await send(sqlite_office, officer, application())
    other = await send(sqlite_office, officer, application(requested__termMonths=12))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    theirs = await send(sqlite_office, colleague, application())
    assert theirs.json()["token"] != first.json()["token"]


async def test_who_may_not_create_cases_may_not(sqlite_office: Office) -> None:
    approver = sqlite_office.staff("approver", Role.APPROVER)
    answer = await send(sqlite_office, approver, application())
    assert (answer.status_code, answer.json()["params"]) == (403, {"permission": "cases:create"})


async def test_the_key_is_committed_before_the_rows_and_a_failed_write_leaves_nothing_and_can_be_repeated(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    order: list[str] = []
    create_subject = office.deps.vault.create_subject

    def watched(*, tenant: str, subject_id: str) -> None:
        create_subject(tenant=tenant, subject_id=subject_id)
        order.append(f"key:{count(office.deps.database, Subject)}")

    def broken(self: Unit) -> None:
        order.append("event")
        raise RuntimeError("the event cannot be written")

    monkeypatch.setattr(office.deps.vault, "create_subject", watched)
    with monkeypatch.context() as patch:
        patch.setattr(Unit, "record", broken)
        failed = await send(office, officer, application())
    assert failed.status_code == 500
    assert order == ["key:0", "event"]
    for table in (Subject, InstallmentCase, ContactPoint, Consent, OutboxEntry, IdempotencyKey):
        assert count(office.deps.database, table) == 0
    assert (await send(office, officer, application())).status_code == 201


async def test_a_case_of_another_branch_or_institution_is_no_case(office: Office) -> None:
    office.tenant("other")
    officer = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    token = (await send(office, officer, application())).json()["token"]
    nobody = [
        office.staff("neighbour", Role.CASE_OFFICER, branch="bj-02"),
        office.staff("stranger", Role.CASE_OFFICER, tenant="other", branch="sh-01"),
        office.staff("auditor", Role.AUDITOR, tenant="other", branch="*"),
    ]
    head = office.staff("head", Role.AUDITOR, branch="*")
    missing = f"main.{'0' * 26}"
    for staff in nobody:
        async with office.client(staff) as client:
            for path in ("", "/timeline", "/contacts"):
                foreign = await client.get(f"{CASES}/{token}{path}")
                none = await client.get(f"{CASES}/{missing}{path}")
                assert foreign.status_code == none.status_code == 404
                assert {**foreign.json(), "traceId": 0} == {**none.json(), "traceId": 0}
            assert (await client.get(CASES)).json()["items"] == []
            assert (await client.post(f"{CASES}/search", json={"filter": {"branch": ["sh-01"]}})).json()["items"] == []
    for staff in (officer, head):
        async with office.client(staff) as client:
            assert (await client.get(f"{CASES}/{token}")).status_code == 200
            assert [case["token"] for case in (await client.get(CASES)).json()["items"]] == [token]


async def test_nothing_of_the_person_lies_in_clear_in_any_table_event_or_file(
    sqlite_office: Office, sqlite_database: Database
) -> None:
    office = sqlite_office
    officer = office.staff("officer", Role.CASE_OFFICER)
    await send(office, officer, application(), key="a")
    await send(office, officer, application(applicant__idNumber="1"), key="b")
    found = scan(sqlite_database)
    assert found == []
    # The scan can see: the same value put into a column in clear is found.
    path = str(sqlite_database.engine.url.database)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE installment_cases SET reason_code = ?", (CLEAR_VALUES[1],))
    assert CLEAR_VALUES[1] in {value for _, value in scan(sqlite_database)}


def scan(database: Database) -> list[tuple[str, str]]:
    """Every clear value of the person that stands in a table, or in the bytes of the database's files."""
    found = []
    with database.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            rows = connection.execute(text(f"SELECT * FROM {table.name}")).all()
            cells = "\n".join(_readable(cell) for row in rows for cell in row)
            found += [(table.name, value) for value in CLEAR_VALUES if value in cells]
    folder = Path(str(database.engine.url.database)).parent
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for value in CLEAR_VALUES:
            forms = (
                value.encode(),
                value.encode("utf-16-le"),
                json.dumps(value)[1:-1].encode(),
                value.encode().hex().encode(),
            )
            found += [(path.name, value) for form in forms if form in content]
    return found


def _readable(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
