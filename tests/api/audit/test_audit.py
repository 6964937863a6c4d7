"""The audit log over HTTP: found by what it is about, proved event by event, told case by case, and read on record."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from compliance.audit import standalone
from compliance.audit.seal import seal_keys, seal_pending
from models.domain.roles import Role
from models.tables.staff import Staff
from tests.api.aftercare.care_desk import CareDesk, open_care_desk
from tests.support.api import Office
from tests.support.applications import CLEAR_VALUES
from tests.support.desk import officer, task_on_a_case

LOG = "/v1/audit"


def auditor(office: Office, **changes: Any) -> Staff:
    return office.staff("auditor", Role.AUDITOR, **({"branch": "*"} | changes))


def seal(office: Office, folder: Path) -> None:
    keys = seal_keys(office.deps.vault)
    while seal_pending(office.deps.database, keys, now=office.clock(), anchor=folder / "anchor"):
        pass


async def get(office: Office, by: Staff, path: str, locale: str = "en", **params: Any) -> httpx.Response:
    office.clock.advance(seconds=1)
    async with office.client(by) as client:
        return await client.get(f"{LOG}{path}", params=params, headers={"Accept-Language": locale})


async def found(office: Office, by: Staff, **params: Any) -> list[dict[str, Any]]:
    answer = await get(office, by, "/events", **params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def worked(office: Office) -> tuple[CareDesk, dict[str, Any]]:
    """A case on which several people have done things."""
    desk = await open_care_desk(office)
    office.clock.advance(seconds=5)
    ticket = await desk.open("question")
    office.clock.advance(seconds=5)
    await desk.get(f"/v1/tickets/{ticket['id']}", by=desk.approver)
    async with office.client(desk.officer) as client:
        case = (await client.get(f"/v1/installment-cases/{desk.case}")).json()
        office.clock.advance(seconds=5)
        path = f"/v1/subjects/{case['subject']['id']}/reveals"
        await client.post(path, json={"field": "mobile", "reason": "call-customer"})
    return desk, case


async def test_events_are_found_by_what_they_are_about(office: Office) -> None:
    desk, case = await worked(office)
    by = auditor(office)
    of_case = await found(office, by, case=desk.case)
    assert {"case.created", "ticket.opened", "ticket.read", "subject.revealed", "subject.shown"} <= {
        item["action"] for item in of_case
    }
    assert [item["at"] for item in of_case] == sorted((item["at"] for item in of_case), reverse=True)
    of_subject = await found(office, by, subject=case["subject"]["id"])
    assert {item["id"] for item in of_subject} == {item["id"] for item in of_case}
    [revealed] = await found(office, by, action="subject.revealed")
    assert (revealed["actor"], revealed["roles"]) == (desk.officer.id, ["case-officer"])
    assert "reason: To call the customer" in revealed["text"]
    assert {item["actor"] for item in await found(office, by, actor=desk.approver.id)} == {desk.approver.id}
    later = await found(office, by, case=desk.case, **{"from": revealed["at"]})
    assert [item["id"] for item in later] == [revealed["id"]]
    assert revealed["id"] not in {item["id"] for item in await found(office, by, until=revealed["at"])}
    assert await found(office, by, case="main." + "0" * 26) == []


async def test_events_of_a_task_are_found(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me)
    async with sqlite_office.client(me) as client:
        await client.post(f"/v1/tasks/{task.id}/comments", json={"text": "x"}, headers={"Idempotency-Key": "1"})
        await client.get(f"/v1/tasks/{task.id}/comments")
    items = await found(sqlite_office, auditor(sqlite_office), task=task.id)
    assert {item["action"] for item in items} == {"task.commented", "task.comments-read"}


async def test_pages_follow_each_other_and_totals_are_exact(sqlite_office: Office) -> None:
    await worked(sqlite_office)
    by = auditor(sqlite_office)
    whole = (await get(sqlite_office, by, "/events", action="subject.shown")).json()
    assert whole["total"] == len(whole["items"]) >= 2
    seen, after = [], None
    for _ in range(whole["total"]):
        page = (
            await get(
                sqlite_office, by, "/events", action="subject.shown", limit=1, **({"after": after} if after else {})
            )
        ).json()
        seen += [item["id"] for item in page["items"]]
        after = page["endCursor"]
    assert after is None
    assert seen == [item["id"] for item in whole["items"]]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"action": "Robert'); DROP TABLE"}, "/action"),
        ({"actor": "a b"}, "/actor"),
        ({"from": "yesterday"}, "/from"),
        ({"until": "2026-11-21T09:00:00"}, "/until"),
    ],
)
async def test_what_is_no_code_or_instant_is_named(sqlite_office: Office, params: dict[str, str], pointer: str) -> None:
    answer = await get(sqlite_office, auditor(sqlite_office), "/events", **params)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_an_event_is_proved_to_who_trusts_nobody(office: Office, tmp_path: Path) -> None:
    desk, _ = await worked(office)
    by = auditor(office)
    event_id = (await found(office, by, case=desk.case))[0]["id"]
    waiting = (await get(office, by, f"/events/{event_id}")).json()
    assert (waiting["proof"], waiting["event"]["index"]) == (None, None)
    seal(office, tmp_path)
    told = (await get(office, by, f"/events/{event_id}")).json()
    proof = told["proof"]
    key = standalone.read_key(proof["verifierKey"])
    assert standalone.check_proof(proof["text"], told["body"].encode(), key) is None
    assert standalone.check_proof(proof["text"], told["body"].replace("main", "moin").encode(), key) is not None
    assert told["event"]["index"] == proof["index"]
    for unknown in ("01890000-0000-7000-8000-000000000000", "nonsense", "../etc/passwd"):
        assert (await get(office, by, f"/events/{unknown}")).status_code == 404


async def test_checkpoints_and_their_consistency_can_be_taken_home(sqlite_office: Office, tmp_path: Path) -> None:
    by = auditor(sqlite_office)
    seal(sqlite_office, tmp_path)
    await worked(sqlite_office)
    seal(sqlite_office, tmp_path)
    page = (await get(sqlite_office, by, "/checkpoints")).json()
    key = standalone.read_key(page["verifierKey"])
    sizes = [standalone.read_note(item["note"], key, "http").size for item in page["items"]]  # type: ignore[union-attr]
    assert sizes == sorted(sizes, reverse=True) == [item["size"] for item in page["items"]]
    grown = await get(sqlite_office, by, "/consistency", old=sizes[-1], new=sizes[0])
    assert standalone.check_proof(grown.text, None, key) is None
    for old, new in ((sizes[0], sizes[-1]), (1, sizes[0] + 10_000)):
        answer = await get(sqlite_office, by, "/consistency", old=old, new=new)
        assert answer.json()["code"] == "form-invalid"


@pytest.mark.parametrize(("locale", "words"), [("en", "Application taken in"), ("zh-CN", "受理申请")])
async def test_a_case_is_told_from_end_to_end_without_its_person(
    office: Office, tmp_path: Path, locale: str, words: str
) -> None:
    desk, _ = await worked(office)
    seal(office, tmp_path)
    answer = await get(office, auditor(office), f"/cases/{desk.case}", locale=locale)
    account = answer.json()
    lines = account["lines"]
    assert any(words in line["text"] for line in lines if line["at"] == lines[0]["at"])
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert all(line["index"] is not None for line in lines)
    assert all(line["text"].startswith("2026-") and desk.case not in line["text"] for line in lines)
    assert account["checkpoint"].startswith("casework/")
    assert account["endCursor"] is None
    for value in (*CLEAR_VALUES, "欧"):
        assert value not in answer.text
    paged, after = [], None
    for _ in range(len(lines)):
        params = {"limit": 2} | ({"after": after} if after else {})
        page = (await get(office, auditor_again(office), f"/cases/{desk.case}", locale=locale, **params)).json()
        paged += [line["id"] for line in page["lines"]]
        after = page["endCursor"]
        if after is None:
            break
    assert paged == [line["id"] for line in lines]


def auditor_again(office: Office) -> Staff:
    with office.deps.database.read() as session:
        return session.exec(select(Staff).where(Staff.login == "auditor")).one()


async def test_reading_the_log_is_itself_on_record(sqlite_office: Office) -> None:
    desk, _ = await worked(sqlite_office)
    by = auditor(sqlite_office)
    await found(sqlite_office, by, case=desk.case)
    await get(sqlite_office, by, f"/cases/{desk.case}")
    await get(sqlite_office, by, "/checkpoints")
    reads = await found(sqlite_office, by, action="audit.read")
    assert [item["facts"]["view"] for item in reads] == ["events", "checkpoints", "account", "events"]
    assert {item["actor"] for item in reads} == {by.id}
    assert reads[2]["facts"]["case"] == desk.case
    async with sqlite_office.client(desk.officer) as client:
        timeline = (await client.get(f"/v1/installment-cases/{desk.case}/timeline")).text
    assert "audit.read" not in timeline, "who is looked into does not read there that they are"


async def test_only_who_reviews_reads_and_only_their_own_house(office: Office) -> None:
    desk, _ = await worked(office)
    office.tenant("other")
    theirs = office.staff("theirs", Role.AUDITOR, tenant="other", branch="*")
    assert (await get(office, theirs, f"/cases/{desk.case}")).status_code == 404
    assert await found(office, theirs, case=desk.case) == []
    mine = (await found(office, auditor(office), case=desk.case))[0]["id"]
    assert (await get(office, theirs, f"/events/{mine}")).status_code == 404
    assert (await get(office, desk.officer, "/events")).json()["code"] == "permission-missing"
    privacy = office.staff("privacy", Role.PRIVACY_OFFICER, branch="*")
    assert (await get(office, privacy, "/events")).status_code == 200
