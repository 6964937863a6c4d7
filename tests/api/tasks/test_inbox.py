"""The inbox over HTTP: what is found, what is shown to whom, and who takes what."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from models.domain.roles import Role
from models.domain.states import Gate, TaskType
from models.tables.installments import RuleVerdict
from models.tables.tasks import TaskComment
from tests.support.api import Office
from tests.support.desk import BRANCH, TASKS, approver, events, officer, row_of, task_on_a_case
from tests.support.inbox import NOW, add_tasks, make_task


async def search(office: Office, by: Any, body: dict[str, Any] | None = None) -> dict[str, Any]:
    async with office.client(by) as client:
        answer = await client.post(f"{TASKS}/search", json=body or {})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_search_tells_items_counts_and_where_to_go_on(office: Office) -> None:
    me = officer(office)
    add_tasks(
        office.deps.database,
        [
            make_task(id="tsk_a", priority=90),
            make_task(TaskType.ASSESSMENT, id="tsk_b", due_at=NOW - timedelta(hours=1)),
            make_task(id="tsk_c", state="CLAIMED", assignee=me.id, due_at=NOW + timedelta(days=3)),
            make_task(id="tsk_d", state="DONE"),
            make_task(id="tsk_e", branch="bj-09"),
            make_task(TaskType.APPROVAL, id="tsk_f"),
        ],
    )
    first = await search(office, me, {"limit": 2})
    assert [item["id"] for item in first["items"]] == ["tsk_a", "tsk_b"]
    assert first["total"] == 3
    assert first["facets"] == {
        "type": {"installments.documents": 2, "installments.assessment": 1},
        "state": {"READY": 2, "CLAIMED": 1},
        "branch": {BRANCH: 3},
        "candidateRole": {"case-officer": 3},
        "assignee": {"none": 2, "me": 1, "others": 0},
        "due": {"overdue": 1, "today": 1, "later": 1},
    }
    assert [item["overdue"] for item in first["items"]] == [False, True]
    assert first["items"][0]["title"].startswith("Check the documents: ¥30,000.00 over 36 months")
    assert first["items"][0]["claim"] == {"allowed": True, "because": None, "becauseText": None, "params": {}}
    assert first["previousCursor"] is None
    second = await search(office, me, {"limit": 2, "cursor": first["nextCursor"], "facets": False})
    assert [item["id"] for item in second["items"]] == ["tsk_c"]
    assert (second["total"], second["facets"], second["nextCursor"]) == (None, None, None)
    back = await search(office, me, {"limit": 2, "cursor": second["previousCursor"]})
    assert [item["id"] for item in back["items"]] == ["tsk_a", "tsk_b"]


async def test_the_filter_and_the_order_are_those_that_were_asked_for(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    add_tasks(
        sqlite_office.deps.database,
        [make_task(id=f"tsk_{amount}", amount_minor=amount) for amount in (100, 300, 200)],
    )
    told = await search(sqlite_office, me, {"filter": {"amountMinor": {"$gte": 200}}, "sort": "-amount"})
    assert [item["amountMinor"] for item in told["items"]] == [300, 200]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"filter": {"colour": "red"}}, ["/filter/colour"]),
        ({"filter": {"state": {"$like": "R*"}}}, ["/filter/state/$like"]),
        ({"filter": []}, ["/filter"]),
        ({"sort": "colour"}, ["/sort"]),
        ({"limit": 0}, ["/limit"]),
        ({"limit": 201}, ["/limit"]),
        ({"limit": True}, ["/limit"]),
        ({"page": 2}, ["/page"]),
        ({"facets": "no"}, ["/facets"]),
    ],
)
async def test_what_cannot_be_asked_is_named_and_never_passed_over(
    sqlite_office: Office, body: dict[str, Any], pointers: list[str]
) -> None:
    async with sqlite_office.client(officer(sqlite_office)) as client:
        answer = await client.post(f"{TASKS}/search", json=body)
    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert told["code"] == "form-invalid"
    assert [fault["pointer"] for fault in told["errors"]] == pointers
    assert all(fault["detail"] for fault in told["errors"])


async def test_a_cursor_of_no_page_is_a_bad_request(sqlite_office: Office) -> None:
    async with sqlite_office.client(officer(sqlite_office)) as client:
        answer = await client.post(f"{TASKS}/search", json={"cursor": "AAAA"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "cursor")


async def test_everybody_sees_their_own_and_auditors_see_all(office: Office) -> None:
    office.tenant("other")
    add_tasks(
        office.deps.database,
        [
            make_task(id="tsk_main"),
            make_task(id="tsk_other", tenant="other"),
            make_task(TaskType.APPROVAL, id="tsk_appr"),
        ],
    )
    found = {}
    for login, roles, branch, tenant in [
        ("a", [Role.CASE_OFFICER], BRANCH, "main"),
        ("b", [Role.APPROVER], BRANCH, "main"),
        ("c", [Role.CASE_OFFICER, Role.APPROVER], "bj-09", "main"),
        ("d", [Role.CASE_OFFICER, Role.APPROVER], "*", "main"),
        ("e", [Role.AUDITOR], "*", "main"),
        ("f", [Role.CASE_OFFICER], BRANCH, "other"),
    ]:
        by = office.staff(login, *roles, branch=branch, tenant=tenant)
        told = await search(office, by)
        found[login] = {item["id"] for item in told["items"]}
        assert told["total"] == len(found[login])
    assert found == {
        "a": {"tsk_main"},
        "b": {"tsk_appr"},
        "c": set(),
        "d": {"tsk_main", "tsk_appr"},
        "e": {"tsk_main", "tsk_appr"},
        "f": {"tsk_other"},
    }


@pytest.mark.parametrize("path", ["", "/form", "/comments", "/decisions/0198c0de-0000-7000-8000-000000000000"])
async def test_a_foreign_task_and_no_task_are_the_same_answer(sqlite_office: Office, path: str) -> None:
    me = officer(sqlite_office)
    foreign = await task_on_a_case(sqlite_office, me, branch="bj-09")
    unknown = "tsk_" + "0" * 26
    answers = []
    async with sqlite_office.client(me) as client:
        for task_id in (foreign.id, unknown, "tsk_1", "..."):
            answer = await client.get(f"{TASKS}/{task_id}{path}")
            told = answer.json()
            told.pop("traceId")
            answers.append((answer.status_code, told))
    assert answers[0][0] == 404
    assert answers == [answers[0]] * 4


async def test_a_task_shows_its_facts_and_what_may_be_done(office: Office) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me, TaskType.ASSESSMENT, return_reason="figures-contradict")
    async with office.client(me) as client:
        answer = await client.get(f"{TASKS}/{task.id}")
        same = await client.get(f"{TASKS}/{task.id}", headers={"If-None-Match": answer.headers["etag"]})
        other = await client.get(f"{TASKS}/{task.id}", headers={"If-None-Match": '"v9"'})
        chinese = await client.get(f"{TASKS}/{task.id}", headers={"Accept-Language": "zh"})
    told = answer.json()
    assert answer.headers["etag"] == '"v1"'
    assert (same.status_code, same.content) == (304, b"")
    assert other.status_code == 200
    assert told["shown"] == task.shown
    assert told["shownHash"] == task.shown_hash
    assert told["returnReasonText"] == "The figures contradict one another"
    assert {name for name, permit in told["allowedActions"].items() if permit["allowed"]} == {
        "claim",
        "comment",
        "recommend",
        "return",
        "reject",
    }
    assert told["allowedActions"]["unclaim"]["because"] == "wrong-state"
    assert "ready" in told["allowedActions"]["unclaim"]["becauseText"]
    assert told["freshLoginRequired"] is False
    assert told["links"]["form"] == f"{TASKS}/{task.id}/form"
    assert told["links"]["case"] == f"/v1/installment-cases/{task.case_token}"
    assert chinese.json()["title"].startswith("评估还款方案：¥30,000.00")
    assert chinese.headers["content-language"] == "zh-CN"


async def test_a_rule_that_bars_an_outcome_is_told_with_verdict_and_law(office: Office) -> None:
    me = officer(office)
    blocked = [{"outcome": "recommend", "rule": "CCM-70a", "verdict": "vrd_1"}]
    task = await task_on_a_case(office, me, TaskType.ASSESSMENT, blocked=blocked)
    verdict = RuleVerdict(
        id="vrd_1",
        tenant="main",
        case_token=str(task.case_token),
        gate=Gate.NEEDS,
        gate_key="g",
        rule_id="CCM-70a",
        rule_set_version="2026-11.1",
        result="UNKNOWN",
        severity="BLOCK",
        reason="missing-facts",
        missing=["hardship_evidence"],
        params={"text": {"missing": "hardship_evidence"}},
        inputs_hash="0" * 64,
        as_of=NOW.date(),
        evaluated_at=NOW,
    )
    with office.deps.database.write() as session:
        session.add(verdict)
    async with office.client(me) as client:
        told = (await client.get(f"{TASKS}/{task.id}")).json()
    (barred,) = told["blocked"]
    assert (barred["outcome"], barred["rule"], barred["verdictId"]) == ("recommend", "CCM-70a", "vrd_1")
    assert (barred["result"], barred["missing"]) == ("UNKNOWN", ["hardship_evidence"])
    assert "70" in barred["citation"]
    assert barred["title"] != "rule.CCM-70a.title"
    permit = told["allowedActions"]["recommend"]
    assert (permit["because"], permit["params"]) == ("blocked-by-rule", {"rule": "CCM-70a", "verdict": "vrd_1"})


@pytest.mark.parametrize(("language", "title"), [("en", "Approve"), ("zh", "同意")])
async def test_the_form_is_a_schema_in_the_readers_language(sqlite_office: Office, language: str, title: str) -> None:
    me = approver(sqlite_office)
    maker = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, maker, TaskType.APPROVAL)
    async with sqlite_office.client(me) as client:
        answer = await client.get(f"{TASKS}/{task.id}/form", headers={"Accept-Language": language})
    told = answer.json()
    assert answer.headers["content-type"].startswith("application/schema+json")
    assert told["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert [each["properties"]["outcome"]["const"] for each in told["oneOf"]] == [
        "approve",
        "counter",
        "return",
        "reject",
    ]
    assert told["oneOf"][0]["title"] == title
    assert "shownHash" in told["oneOf"][0]["required"]


# Claims ---------------------------------------------------------------------------------------------------------------


async def test_a_claim_is_recorded_and_keeps_others_out(office: Office) -> None:
    me, colleague = officer(office), officer(office, "colleague")
    task = await task_on_a_case(office, me)
    async with office.client(me) as mine, office.client(colleague) as theirs:
        claimed = await mine.post(f"{TASKS}/{task.id}/claim", headers={"If-Match": '"v1"'})
        again = await mine.post(f"{TASKS}/{task.id}/claim")
        late = await theirs.post(f"{TASKS}/{task.id}/claim")
        foreign = await theirs.delete(f"{TASKS}/{task.id}/claim")
        back = await mine.delete(f"{TASKS}/{task.id}/claim", headers={"If-Match": '"v2"'})
    assert (claimed.status_code, claimed.headers["etag"]) == (200, '"v2"')
    assert (claimed.json()["state"], claimed.json()["assignee"]) == ("CLAIMED", me.id)
    assert (again.status_code, again.headers["etag"]) == (200, '"v2"')
    assert (late.status_code, late.json()["code"]) == (409, "already-claimed")
    assert late.json()["params"] == {"holder": me.id}
    assert (foreign.status_code, foreign.json()["code"]) == (409, "not-claimed-by-caller")
    assert (back.status_code, back.json()["state"], back.headers["etag"]) == (200, "READY", '"v3"')
    assert [json.loads(event.body)["facts"]["task"] for event in events(office, "task.claimed")] == [task.id]
    assert [event.target for event in events(office, "task.unclaimed")] == [task.case_token]


async def test_a_claim_of_another_version_than_was_read_is_refused(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me)
    async with sqlite_office.client(me) as client:
        answer = await client.post(f"{TASKS}/{task.id}/claim", headers={"If-Match": '"v7"'})
    assert (answer.status_code, answer.json()["params"]) == (412, {"currentVersion": 1})
    assert row_of(sqlite_office, task).version == 1
    assert events(sqlite_office, "task.claimed") == []


async def test_a_maker_cannot_even_take_the_check(sqlite_office: Office) -> None:
    maker = sqlite_office.staff("both", Role.CASE_OFFICER, Role.APPROVER, branch=BRANCH)
    task = await task_on_a_case(sqlite_office, maker, TaskType.APPROVAL, excluded_persons=[maker.person_id])
    async with sqlite_office.client(maker) as client:
        answer = await client.post(f"{TASKS}/{task.id}/claim")
    assert (answer.status_code, answer.json()["code"]) == (403, "four-eyes-violation")


async def test_the_next_task_is_the_most_urgent_one_and_then_there_is_none(office: Office) -> None:
    me = officer(office)
    low = await task_on_a_case(office, me, priority=10)
    add_tasks(office.deps.database, [make_task(id="tsk_" + "1" * 26, priority=80)])
    async with office.client(me) as client:
        answers = [await client.post(f"{TASKS}/claim-next") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 204]
    assert [answer.json()["id"] for answer in answers[:2]] == ["tsk_" + "1" * 26, low.id]
    assert answers[2].content == b""
    assert len(events(office, "task.claimed")) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/search"),
        ("POST", "/claim-next"),
        ("POST", "/{id}/claim"),
        ("POST", "/{id}/decisions"),
        ("GET", "/{id}"),
    ],
)
async def test_who_holds_no_permission_is_told_which(sqlite_office: Office, method: str, path: str) -> None:
    admin = sqlite_office.staff("admin", Role.STAFF_ADMIN, branch="*")
    url = TASKS + path.format(id="tsk_" + "0" * 26)
    async with sqlite_office.client(admin) as client:
        answer = await client.request(method, url, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing")


# Remarks --------------------------------------------------------------------------------------------------------------

SECRET = "客户电话 13812345678，女儿住院"


def _everything_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*.db*"))


async def test_a_remark_is_sealed_and_read_back(sqlite_office: Office, tmp_path: Path) -> None:
    me, colleague = officer(sqlite_office), officer(sqlite_office, "colleague")
    task = await task_on_a_case(sqlite_office, me)
    async with sqlite_office.client(me) as client:
        made = await client.post(f"{TASKS}/{task.id}/comments", json={"text": SECRET}, headers={"Idempotency-Key": "1"})
        again = await client.post(
            f"{TASKS}/{task.id}/comments", json={"text": SECRET}, headers={"Idempotency-Key": "1"}
        )
        other = await client.post(f"{TASKS}/{task.id}/comments", json={"text": "x"}, headers={"Idempotency-Key": "1"})
        sqlite_office.clock.advance(seconds=1)
        await client.post(f"{TASKS}/{task.id}/comments", json={"text": "二"}, headers={"Idempotency-Key": "2"})
        counted = (await client.get(f"{TASKS}/{task.id}")).json()
    async with sqlite_office.client(colleague) as client:
        first = (await client.get(f"{TASKS}/{task.id}/comments", params={"limit": 1})).json()
        rest = (await client.get(f"{TASKS}/{task.id}/comments", params={"after": first["endCursor"]})).json()
    assert (made.status_code, made.json()["text"], made.json()["author"]) == (201, SECRET, me.id)
    assert (again.status_code, again.json()) == (201, made.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert (counted["commentsCount"], counted["version"]) == (2, 1)
    assert [item["text"] for item in first["items"]] == [SECRET]
    assert [item["text"] for item in rest["items"]] == ["二"]
    assert rest["endCursor"] is None
    with sqlite_office.deps.database.read() as session:
        rows = session.exec(select(TaskComment)).all()
    assert len(rows) == 2
    stored = _everything_under(tmp_path)
    for part in (SECRET, "13812345678", "女儿住院"):
        assert part.encode() not in stored
    assert len(events(sqlite_office, "task.commented")) == 2


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001, 1, None])
async def test_a_remark_has_words_and_an_end(sqlite_office: Office, text: object) -> None:
    me = officer(sqlite_office)
    task = await task_on_a_case(sqlite_office, me)
    async with sqlite_office.client(me) as client:
        answer = await client.post(f"{TASKS}/{task.id}/comments", json={"text": text}, headers={"Idempotency-Key": "1"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/text")


async def test_who_only_reads_may_not_remark(sqlite_office: Office) -> None:
    me = officer(sqlite_office)
    auditor = sqlite_office.staff("auditor", Role.AUDITOR, branch="*")
    task = await task_on_a_case(sqlite_office, me)
    async with sqlite_office.client(auditor) as client:
        seen = await client.get(f"{TASKS}/{task.id}")
        answer = await client.post(f"{TASKS}/{task.id}/comments", json={"text": "x"}, headers={"Idempotency-Key": "1"})
    assert seen.status_code == 200
    assert {permit["because"] for permit in seen.json()["allowedActions"].values()} == {"permission-missing"}
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing")
