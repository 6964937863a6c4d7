"""Customers: found by an exact number, shown masked, revealed for a recorded reason, and no other institution's."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from compliance.vault.customer_erasure import erase_customer
from deploy.customers import load_customers
from models.domain.roles import Role
from models.domain.tokens import new_case_token
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from models.tables.staff import Staff
from models.tables.subject_links import SubjectLink
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob
from tests.support.api import Office

PATH = "/v1/customers"
NAME, ID_NUMBER, MOBILE, ACCOUNT = "欧阳晓雯", "11010519491231002X", "13812345678", "6229990012345678905"
BOOK = f"""customer_no,name,id_type,id_number,mobile,email,account,address
T000000001,{NAME},resident-id,{ID_NUMBER},{MOBILE},ou@example.com,,上海市浦东新区科技大道118号锦绣花园3栋2单元1204室
T000000002,欧阳晓明,hk-macao-permit,H12345678,{MOBILE},,,
T000000003,李雷雷,taiwan-permit,12345678,13900000003,,,
"""


@pytest.fixture
def reader(sqlite_office: Office, tmp_path: Path) -> Staff:
    path = tmp_path / "book.csv"
    path.write_text(BOOK, encoding="utf-8")
    deps = sqlite_office.deps
    loaded = load_customers(deps.database, deps.vault, path, tenant="main", clock=deps.clock)
    assert loaded.added == 3, loaded
    return sqlite_office.staff("reader", Role.CASE_OFFICER)


async def _search(office: Office, by: Staff, **body: Any) -> httpx.Response:
    async with office.client(by) as client:
        return await client.post(f"{PATH}/search", json=body)


def _events(office: Office, action: str) -> list[dict[str, Any]]:
    with office.deps.database.read() as session:
        rows = session.exec(select(AuditEvent).where(AuditEvent.action == action)).all()
    return [json.loads(row.body) for row in rows]


async def test_a_customer_is_found_by_each_number_however_it_is_typed_and_shown_masked(
    sqlite_office: Office, reader: Staff
) -> None:
    for number in (
        {"customerNo": "t000000001"},
        {"idNumber": "110105 19491231 002x"},
        {"idNumber": "１１０１０５19491231002X"},
    ):
        answer = await _search(sqlite_office, reader, **number)
        assert answer.status_code == 200, answer.text
        [found] = answer.json()["items"]
        assert (found["name"], found["idNumber"]) == ("欧**雯", "110105********002X")
        assert found["address"] == "上海市浦东新区******"
        for value in (NAME, ID_NUMBER, MOBILE, "T000000001", "科技大道"):
            assert value not in answer.text
    assert len(_events(sqlite_office, "customer.searched")) == 3


async def test_a_family_with_one_mobile_is_two_customers(sqlite_office: Office, reader: Staff) -> None:
    answer = await _search(sqlite_office, reader, mobile="+86 138-1234-5678")
    assert {item["idType"] for item in answer.json()["items"]} == {"resident-id", "hk-macao-permit"}


async def test_the_whole_book_is_read_page_by_page_each_record_once(sqlite_office: Office, reader: Staff) -> None:
    seen, after = [], None
    for _ in range(4):
        page = (await _search(sqlite_office, reader, limit=2, **({"after": after} if after else {}))).json()
        seen += [item["id"] for item in page["items"]]
        after = page["endCursor"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 3
    shown = [event["target"] for event in _events(sqlite_office, "customer.shown")]
    assert sorted(shown) == sorted(seen)


async def test_what_is_no_search_is_refused(sqlite_office: Office, reader: Staff) -> None:
    both = await _search(sqlite_office, reader, mobile=MOBILE, customerNo="T000000001")
    empty = await _search(sqlite_office, reader, idNumber=" - ")
    foreign = await _search(sqlite_office, reader, after="bm8")
    assert (both.status_code, empty.status_code, foreign.status_code) == (422, 422, 400)
    assert empty.json()["errors"][0]["pointer"] == "/idNumber"


async def test_a_field_is_shown_in_clear_once_it_is_recorded_who_looked_and_why(
    sqlite_office: Office, reader: Staff
) -> None:
    [found] = (await _search(sqlite_office, reader, idNumber=ID_NUMBER)).json()["items"]
    body = {"field": "address", "reason": "verify-identity", "ticket": "CS-12"}
    async with sqlite_office.client(reader) as client:
        answer = await client.post(f"{PATH}/{found['id']}/reveals", json=body)
        nothing = await client.post(f"{PATH}/{found['id']}/reveals", json=body | {"field": "employer"})
    assert answer.json()["value"].startswith("上海市浦东新区科技大道118号")
    assert nothing.json()["value"] is None
    first, second = _events(sqlite_office, "customer.revealed")
    assert (first["id"], first["actor"]) == (answer.json()["eventId"], reader.id)
    assert first["facts"] == {"field": "address", "reason": "verify-identity", "ticket": "CS-12", "found": True}
    assert second["facts"]["found"] is False


async def test_a_record_that_may_only_be_stored_is_revealed_for_the_persons_own_request_alone(
    sqlite_office: Office, reader: Staff
) -> None:
    [found] = (await _search(sqlite_office, reader, idNumber=ID_NUMBER)).json()["items"]
    with sqlite_office.deps.database.write() as session:
        session.get_one(CustomerRecord, found["id"]).state = "locked"
    async with sqlite_office.client(reader) as client:
        refused = await client.post(f"{PATH}/{found['id']}/reveals", json={"field": "name", "reason": "assess-case"})
        own = {"field": "name", "reason": "data-subject-request"}
        allowed = await client.post(f"{PATH}/{found['id']}/reveals", json=own)
    assert (refused.status_code, allowed.status_code) == (409, 200)
    assert NAME not in refused.text


async def test_who_was_erased_is_a_record_without_a_person_and_is_found_no_more(
    sqlite_office: Office, reader: Staff
) -> None:
    [found] = (await _search(sqlite_office, reader, idNumber=ID_NUMBER)).json()["items"]
    deps, noted = sqlite_office.deps, []
    for _ in range(2):  # the second time finds it done
        erase_customer(
            deps.database,
            deps.vault,
            found["id"],
            tenant="main",
            actor=reader.id,
            now=deps.clock(),
            note_tombstone=lambda tenant, subject, at: noted.append((tenant, subject)),
        )
    assert len(set(noted)) == 1
    assert [event["facts"]["records"] for event in _events(sqlite_office, "customer.erased")] == [1, 0]
    for number in ({"idNumber": ID_NUMBER}, {"customerNo": "T000000001"}):
        assert (await _search(sqlite_office, reader, **number)).json()["items"] == []
    page = (await _search(sqlite_office, reader)).json()["items"]
    gone = next(item for item in page if item["id"] == found["id"])
    assert (gone["erased"], gone["name"], gone["customerNo"]) == (True, None, None)
    assert sum(item["name"] is not None for item in page) == 2


async def test_another_institution_sees_nothing(sqlite_office: Office, reader: Staff) -> None:
    [found] = (await _search(sqlite_office, reader, idNumber=ID_NUMBER)).json()["items"]
    sqlite_office.tenant("other")
    stranger = sqlite_office.staff("stranger", Role.CASE_OFFICER, tenant="other")
    assert (await _search(sqlite_office, stranger, idNumber=ID_NUMBER)).json()["items"] == []
    async with sqlite_office.client(stranger) as client:
        assert (await client.get(f"{PATH}/{found['id']}")).status_code == 404
        body = {"field": "name", "reason": "assess-case"}
        assert (await client.post(f"{PATH}/{found['id']}/reveals", json=body)).status_code == 404
    async with sqlite_office.client(reader) as client:
        assert (await client.get(f"{PATH}/{found['id']}")).json()["name"] == "欧**雯"


async def test_where_else_somebody_is_a_customer_is_for_the_privacy_officer_and_recorded(
    sqlite_office: Office, reader: Staff
) -> None:
    deps, officer = sqlite_office.deps, sqlite_office.staff("privacy", Role.PRIVACY_OFFICER)
    with deps.database.write() as session:
        record = session.exec(select(CustomerRecord)).first()
        assert record is not None
        now = deps.clock()
        session.add(Tenant(code="seller", name="卖方银行", created_at=now))
        session.flush()
        token = new_case_token("main")
        session.add(
            TransferJob(
                token=token, tenant="main", branch="hq", plan_hash="-", stage="updating", created_by="stf_1",
                created_by_person="psn_1", created_at=now, updated_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            SubjectLink(
                job=token, row_number=1, tenant="main", subject_id=record.subject_id, record_id=record.id,
                other_tenant="seller", other_subject="sub_other", other_record="cus_other", linked_at=now,
            )
        )  # fmt: skip
    path = f"{PATH}/{record.id}/links"
    async with sqlite_office.client(reader) as client:
        assert (await client.get(path)).status_code == 403
    async with sqlite_office.client(officer) as client:
        shown = await client.get(path)
    assert [(each["company"], each["side"], each["job"]) for each in shown.json()["items"]] == [
        ("seller", "target", token)
    ]
    assert "cus_other" not in shown.text
    assert "sub_other" not in shown.text
    [event] = _events(sqlite_office, "customer.links-shown")
    assert (event["actor"], event["target"], event["facts"]) == (officer.id, record.id, {"links": 1})
