"""Sources and rows of a transfer job over HTTP: suggested, previewed, registered; corrected by two persons; entered."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from activities.transfers.sources.desk import Sources
from models.database.engine import Database
from models.domain.roles import Role
from models.queries.transfers.conservation import conservation_of
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from models.tables.transfers import TransferJob
from tests.support.api import Office
from tests.support.training import train
from tests.support.transfer_rows import HEADER, MAPPING, Collection, book, csv_bytes


@pytest.fixture
def collection(office: Office, tmp_path: Path) -> Collection:
    """A job of the office's tenant, whose API sees the same sources."""
    made = Collection(office.deps.database, office.deps.vault, office.clock, tmp_path / "exchange").open(tenant=False)
    office.deps.transfer_sources = Sources(made.folder, {}, office.deps.vault)
    return made


@pytest.fixture
def officer(office: Office, collection: Collection) -> Staff:
    return _trained(office, collection, office.staff("officer", Role.CASE_OFFICER))


@pytest.fixture
def checker(office: Office, collection: Collection) -> Staff:
    return _trained(office, collection, office.staff("checker", Role.APPROVER))


def _trained(office: Office, collection: Collection, person: Staff) -> Staff:
    train(office.deps.database, collection.job, person.id)
    return person


async def post(
    office: Office, by: Staff, collection: Collection, path: str, body: dict[str, Any], **headers: str
) -> Any:
    async with office.client(by) as client:
        return await client.post(f"/v1/transfers/{collection.job}{path}", json=body, headers=headers)


async def get(office: Office, by: Staff, collection: Collection, path: str) -> Any:
    async with office.client(by) as client:
        return await client.get(f"/v1/transfers/{collection.job}{path}")


async def test_a_suggested_mapping_can_be_previewed_and_registered(
    office: Office, collection: Collection, officer: Staff
) -> None:
    rows = book(60)
    rows[3][4] = "12345"
    collection.put("book.csv", csv_bytes(rows, encoding="gb18030"))
    place = {"kind": "csv", "place": "book.csv"}
    suggested = await post(office, officer, collection, "/mapping-suggestions", place)
    assert suggested.status_code == 200, suggested.text
    answer = suggested.json()
    assert (answer["encoding"], answer["delimiter"], answer["missing"]) == ("gb18030", ",", [])
    columns = {each["field"]: each["column"] for each in answer["fields"]}
    assert columns == {
        "customer_no": "客户号", "name": "姓名", "id_type": "证件类型", "id_number": "证件号码", "mobile": "手机",
        "email": "邮箱", "account": "卡号", "sex": "性别", "birth_date": "出生日期", "address": "地址",
    }  # fmt: skip

    body = place | {"mapping": answer["mapping"]}
    previewed = await post(office, officer, collection, "/preview", body | {"rows": 5})
    assert previewed.status_code == 200, previewed.text
    seen = previewed.json()
    assert len(seen["rows"]) == 5
    assert seen["sampled"] == 60
    assert {"field": "mobile", "rule": "mobile", "severity": "hold", "title": "Mobile number", "rows": 1} in seen[
        "rules"
    ]
    for row in rows:
        for value in (row[1], row[3], row[4], row[6], row[9]):
            assert value not in previewed.text
    with office.deps.database.read() as session:
        told = session.exec(select(AuditEvent).where(col(AuditEvent.action) == "transfer.source-shown")).one()
    facts = json.loads(told.body)["facts"]
    assert (told.actor, facts["form"], len(facts["lines"])) == (officer.id, "masked", 5)
    assert {"name", "id_number", "mobile"} <= set(facts["fields"])
    assert not any(value in told.body for value in rows[0] if len(value) > 3)

    registered = await post(office, officer, collection, "/sources", body, **{"Idempotency-Key": "k1"})
    again = await post(office, officer, collection, "/sources", body, **{"Idempotency-Key": "k1"})
    assert (registered.status_code, again.status_code) == (201, 201), registered.text
    assert registered.json() == again.json()
    collection.collect()
    collection.verify()
    listed = (await get(office, officer, collection, "/sources")).json()
    assert listed["holds"]
    assert listed["conservation"]["read"] == 60
    assert [each["readRows"] for each in listed["items"]] == [60]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"place": "../secret.csv", "mapping": MAPPING}, ("/place", "source-name")),
        ({"place": "none.csv", "mapping": MAPPING}, ("/place", "source-missing")),
        ({"place": "a.csv"}, ("/mapping", "required")),
        ({"place": "a.csv", "mapping": "version = 2"}, ("/mapping/version", "not-one-of")),
        (
            {"place": "a.csv", "mapping": MAPPING.replace("手机", "电话")},
            ("/mapping/fields/mobile/column", "mapping-column-missing"),
        ),
        ({"kind": "sql", "place": "nowhere", "mapping": MAPPING}, ("/place", "source-connection")),
        ({"kind": "xlsx", "place": "a.csv", "mapping": MAPPING}, ("/place", "source-workbook")),
    ],
)
async def test_what_does_not_fit_is_said_before_anything_is_read(
    office: Office, collection: Collection, officer: Staff, body: dict[str, str], told: tuple[str, str]
) -> None:
    collection.put("a.csv", csv_bytes(book(2)))
    answer = await post(office, officer, collection, "/sources", {"kind": "csv"} | body, **{"Idempotency-Key": "k"})
    assert answer.status_code == 422, answer.text
    assert told in {(each["pointer"], each["code"]) for each in answer.json()["errors"]}


async def waiting(office: Office, by: Staff) -> list[dict[str, Any]]:
    """The tasks of quarantined rows that nobody has done."""
    body = {"filter": {"type": "transfers.quarantine", "state": "READY"}}
    async with office.client(by) as client:
        answer = await client.post("/v1/tasks/search", json=body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def quarantine(collection: Collection) -> list[list[str]]:
    """Three rows: a wrong ID number, a wrong address, and one that is right."""
    rows = book(3)
    rows[0][3] = "11010519491231002"
    rows[1][9] = "某处"
    collection.put("book.csv", csv_bytes(rows))
    collection.source("csv", "book.csv")
    collection.collect()
    collection.verify()
    return rows


async def test_a_correction_of_a_key_field_counts_once_a_second_person_confirms(
    office: Office, collection: Collection, officer: Staff, checker: Staff
) -> None:
    quarantine(collection)
    right = book(1)[0][3]
    listed = (await get(office, officer, collection, "/rows?outcome=held&reason=quarantine")).json()
    assert [(each["number"], each["faults"][0]["rule"]) for each in listed["items"]] == [
        (1, "id-length"), (2, "address-short"),
    ]  # fmt: skip
    assert "11010519491231002" not in str(listed)
    body = {"values": {"idNumber": right}}
    proposed = await post(office, officer, collection, "/rows/1/corrections", body, **{"If-Match": '"v2"'})
    assert proposed.status_code == 200, proposed.text
    row = proposed.json()
    assert (row["outcome"], row["corrections"][0]["state"]) == ("held", "proposed")
    assert right not in proposed.text
    second = await post(office, officer, collection, "/rows/1/corrections", body, **{"If-Match": '"v2"'})
    assert (second.status_code, second.json()["code"]) == (409, "wrong-state")
    path = f"/rows/1/corrections/{row['corrections'][0]['id']}/confirmation"
    shown = {"shownHash": row["corrections"][0]["shownHash"]}
    same_person = office.staff("other-account", Role.APPROVER, person_id=officer.person_id)
    _trained(office, collection, same_person)
    refused = await post(office, same_person, collection, path, shown)
    assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")
    confirmed = await post(office, checker, collection, path, shown)
    assert confirmed.status_code == 200, confirmed.text
    done = confirmed.json()
    assert (done["outcome"], done["faults"], done["corrections"][0]["decidedBy"]) == ("accepted", [], checker.id)
    assert collection.opened()[0]["id_number"][-4:] == right[-4:]
    again = await post(office, checker, collection, path, shown)
    assert again.status_code == 409


async def test_another_field_is_corrected_at_once_and_the_task_is_done(
    office: Office, collection: Collection, officer: Staff
) -> None:
    rows = quarantine(collection)
    assert len(await waiting(office, officer)) == 2
    body = {"values": {"address": rows[2][9]}}
    stale = await post(office, officer, collection, "/rows/2/corrections", body, **{"If-Match": '"v1"'})
    assert stale.status_code == 412, stale.text
    done = await post(office, officer, collection, "/rows/2/corrections", body, **{"If-Match": '"v2"'})
    assert done.status_code == 200, done.text
    assert (done.json()["outcome"], done.json()["corrections"][0]["state"]) == ("accepted", "applied")
    left = await waiting(office, officer)
    assert ["line 2" in task["title"] for task in left] == [True]
    with collection.database.read() as session:
        assert conservation_of(session, collection.job).by_outcome == {
            "accepted": 2, "rejected": 0, "merged": 0, "held": 1,
        }  # fmt: skip


async def test_a_correction_that_is_still_wrong_leaves_the_row_held(
    office: Office, collection: Collection, officer: Staff
) -> None:
    quarantine(collection)
    body = {"values": {"address": "那里"}}
    done = await post(office, officer, collection, "/rows/2/corrections", body, **{"If-Match": '"v2"'})
    assert (done.json()["outcome"], done.json()["faults"][0]["rule"], done.json()["version"]) == (
        "held", "address-short", 3,
    )  # fmt: skip
    nothing = await post(office, officer, collection, "/rows/2/corrections", body, **{"If-Match": '"v3"'})
    assert nothing.status_code == 422


async def test_a_ragged_line_that_was_read_right_is_confirmed_as_it_is_by_two_persons(
    office: Office, collection: Collection, officer: Staff, checker: Staff
) -> None:
    rows = book(1)
    collection.put("book.csv", csv_bytes([[*rows[0], "one column too many"]]))
    collection.source("csv", "book.csv")
    collection.collect()
    collection.verify()
    body = {"values": {"address": rows[0][9]}}
    proposed = await post(office, officer, collection, "/rows/1/corrections", body, **{"If-Match": '"v2"'})
    assert proposed.status_code == 200, proposed.text
    row = proposed.json()
    assert (row["faults"][0]["rule"], row["outcome"], row["corrections"][0]["state"]) == (
        "row-ragged", "held", "proposed",
    )  # fmt: skip
    path = f"/rows/1/corrections/{row['corrections'][0]['id']}/confirmation"
    confirmed = await post(office, checker, collection, path, {"shownHash": row["corrections"][0]["shownHash"]})
    assert (confirmed.status_code, confirmed.json()["outcome"]) == (200, "accepted"), confirmed.text


async def test_a_row_is_rejected_for_good_by_its_resource_or_by_its_task(
    office: Office, collection: Collection, officer: Staff, database: Database
) -> None:
    quarantine(collection)
    body = {"reasonCode": "not-this-bank"}
    done = await post(office, officer, collection, "/rows/1/rejection", body, **{"If-Match": '"v2"'})
    assert (done.status_code, done.json()["outcome"]) == (200, "rejected"), done.text
    [task] = await waiting(office, officer)
    async with office.client(officer) as client:
        claimed = await client.post(f"/v1/tasks/{task['id']}/claim", headers={"If-Match": f'"v{task["version"]}"'})
        decided = await client.post(
            f"/v1/tasks/{task['id']}/decisions",
            json={"outcome": "discard", "reasonCode": "cannot-be-corrected", "note": "no such house"},
            headers={"Idempotency-Key": "d", "If-Match": claimed.headers["etag"]},
        )
    assert decided.status_code < 300, decided.text
    with database.read() as session:
        found = conservation_of(session, collection.job)
    assert found.by_outcome == {"accepted": 1, "rejected": 2, "merged": 0, "held": 0}
    assert found.holds


async def test_rows_from_the_phone_come_into_the_same_check(
    office: Office, collection: Collection, officer: Staff
) -> None:
    person = dict(zip(HEADER, book(1)[0], strict=True))
    values = {
        "customerNo": "T-1", "name": person["姓名"], "idType": "身份证", "idNumber": person["证件号码"],
        "mobile": person["手机"],
    }  # fmt: skip
    body = {"channel": "phone", "values": values}
    made = await post(office, officer, collection, "/rows", body, **{"Idempotency-Key": "e1"})
    again = await post(office, officer, collection, "/rows", body, **{"Idempotency-Key": "e1"})
    assert (made.status_code, again.status_code) == (201, 201), made.text
    assert made.json()["number"] == again.json()["number"] == 1
    assert person["手机"] not in made.text
    second = {"channel": "mail", "values": values | {"customerNo": "T-2", "mobile": "1"}}
    await post(office, officer, collection, "/rows", second, **{"Idempotency-Key": "e2"})
    collection.verify()
    assert [row.outcome for row in collection.rows()] == ["accepted", "held"]
    with collection.database.read() as session:
        assert conservation_of(session, collection.job).holds


async def test_who_may_not_collect_is_refused_and_anothers_job_is_not_there(
    office: Office, collection: Collection
) -> None:
    auditor = office.staff("auditor", Role.AUDITOR)
    body = {"kind": "csv", "place": "a.csv"}
    assert (await post(office, auditor, collection, "/preview", body)).status_code == 403
    office.tenant("other")
    stranger = office.staff("stranger", Role.CASE_OFFICER, tenant="other")
    assert (await get(office, stranger, collection, "/rows")).status_code == 404


async def test_a_field_that_the_plan_leaves_behind_is_neither_asked_for_nor_shown(
    office: Office, collection: Collection, officer: Staff
) -> None:
    scope = {"scope": {"fields": ["customer_no", "name", "id_type", "id_number", "mobile"]}}
    with office.deps.database.write() as session:
        job = session.get_one(TransferJob, collection.job)
        job.plan = scope
        session.add(job)
    rows = book(3)
    values = {"customerNo": "K1", "name": rows[0][1], "idType": "resident-id", "idNumber": rows[0][3]}
    body = {"channel": "phone", "values": values | {"birthDate": rows[0][8], "mobile": rows[0][4]}}
    refused = await post(office, officer, collection, "/rows", body, **{"Idempotency-Key": "e1"})
    assert refused.status_code == 422, refused.text
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("/values/birthDate", "outside-scope")
    ]
    taken = await post(
        office, officer, collection, "/rows", {"channel": "phone", "values": values}, **{"Idempotency-Key": "e2"}
    )
    assert taken.status_code == 201, taken.text
    collection.put("book.csv", csv_bytes(rows))
    place = {"kind": "csv", "place": "book.csv", "mapping": MAPPING, "rows": 3}
    seen = (await post(office, officer, collection, "/preview", place)).json()
    assert all("birth_date" not in each["values"] and "address" not in each["values"] for each in seen["rows"])
    assert seen["leftOut"]["address"] == 3
