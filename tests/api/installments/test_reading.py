"""Reading cases: the whole file, lists with cursors, and the events in business words."""

from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import col, update

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.roles import Role
from models.tables.installments import (
    AffordabilityAssessment,
    BureauReport,
    InstallmentCase,
    Proposal,
    RuleVerdict,
)
from models.tables.tasks import Decision, Task
from tests.support.api import Office
from tests.support.applications import CASES, CLEAR_VALUES, another_id, taken_in
from tests.support.clock import FakeClock


def put(office: Office, *rows: Any) -> None:
    """What the workflow would have written."""
    deed = Deed(tenant="main", action="test.put", target="test", actor="test", at=office.clock())
    with unit_of_work(office.deps.database, deed) as unit:
        unit.session.add_all(rows)


def move(office: Office, token: str, **values: Any) -> None:
    """Where the workflow would have brought the case."""
    deed = Deed(tenant="main", action="test.put", target="test", actor="test", at=office.clock())
    with unit_of_work(office.deps.database, deed) as unit:
        unit.session.execute(update(InstallmentCase).where(col(InstallmentCase.token) == token).values(**values))


def machine_part(office: Office, token: str) -> tuple[Any, ...]:
    # long because it is one row of each table that the machine part writes
    now = office.clock()
    shared: dict[str, Any] = {"tenant": "main", "case_token": token, "created_at": now}
    return (
        BureauReport(
            id="bur_1",
            query_key="q",
            source="bureau",
            open_accounts=3,
            monthly_obligation_minor=50_000,
            worst_days_past_due=35,
            **shared,
        ),
        AffordabilityAssessment(
            id="aff_1",
            business_key="a",
            rule_version="affordability/2026-01",
            capacity_minor=150_000,
            working=[
                {"code": "income", "amountMinor": 800_000, "params": {}},
                {"code": "dependants", "amountMinor": -100_000, "params": {"dependants": 1, "allowance": 100_000}},
            ],
            **shared,
        ),
        Proposal(
            id="prp_1",
            version=1,
            kind="recommendation",
            amount_minor=2_500_000,
            term_months=24,
            concession_bps=200,
            decision_id="d",
            made_by_person="prs_1",
            **shared,
        ),
        RuleVerdict(
            id="vrd_1",
            tenant="main",
            case_token=token,
            gate="installments.bureau",
            gate_key="g",
            rule_id="CRED-18",
            rule_set_version="2026-01",
            result="FAIL",
            severity="BLOCK",
            reason="missing-facts",
            missing=["consent_form"],
            params={},
            inputs_hash="0" * 64,
            as_of=date(2026, 11, 23),
            evaluated_at=now,
        ),
        Task(
            id="tsk_1",
            tenant="main",
            workflow_id=f"installments/{token}",
            task_no=1,
            case_token=token,
            type="installments.assessment",
            state="READY",
            candidate_role="case-officer",
            branch="hq",
            due_at=now,
            title_params={"amountMinor": 3_000_000, "termMonths": 36, "case": token[-6:]},
            shown_hash="0" * 64,
            created_at=now,
            updated_at=now,
        ),
        Decision(
            id="dec_1",
            tenant="main",
            workflow_id=f"installments/{token}",
            case_token=token,
            outcome="accept",
            state="APPLIED",
            staff_id="stf_1",
            created_at=now,
            settled_at=now,
        ),
    )


async def test_a_case_is_told_with_working_figures_verdicts_tasks_and_decisions(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    put(office, *machine_part(office, token))
    move(office, token, stage="assessment", version=4)
    async with office.client(officer) as client:
        answer = await client.get(f"{CASES}/{token}")
        chinese = (await client.get(f"{CASES}/{token}", headers={"Accept-Language": "zh-CN"})).json()
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"v4"'
    case = answer.json()
    assert (case["stage"], case["stageText"], case["version"]) == ("assessment", "Assessment", 4)
    assert case["bureau"]["monthlyObligationMinor"] == 50_000
    assert case["affordability"]["capacityMinor"] == 150_000
    assert case["affordability"]["working"][1] == {
        "code": "dependants",
        "text": "Dependants: 1, ¥1,000.00 each",
        "amountMinor": -100_000,
    }
    assert (case["proposal"]["termMonths"], case["proposal"]["kindText"]) == (24, "Recommendation")
    verdict, told_in_chinese = case["verdicts"][0], chinese["verdicts"][0]
    assert (verdict["rule"], verdict["result"], verdict["missing"]) == ("CRED-18", "FAIL", ["consent_form"])
    for name in ("title", "citation", "reasonText"):
        assert not verdict[name].startswith("rule.")
        assert any("\u4e00" <= sign <= "\u9fff" for sign in told_in_chinese[name])
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in verdict[name])
    assert [task["id"] for task in case["openTasks"]] == ["tsk_1"]
    assert not case["openTasks"][0]["title"].startswith("task.")
    assert [(each["outcome"], each["state"], each["decidedBy"]) for each in case["decisions"]] == [
        ("accept", "APPLIED", "stf_1")
    ]
    assert {consent["purposeText"] for consent in case["consents"]} == {  # given at the same moment
        "Query of the personal credit report",
        "Notice about personal data",
    }
    assert chinese["stageText"] == "评估"
    for value in CLEAR_VALUES:
        assert value not in answer.text


async def test_a_case_of_an_erased_person_still_shows_its_figures(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    made = await taken_in(sqlite_office, officer)
    sqlite_office.deps.vault.shred_subject(tenant="main", subject_id=made["subject"]["id"])
    async with sqlite_office.client(officer) as client:
        case = (await client.get(f"{CASES}/{made['token']}")).json()
    assert case["requested"]["amountMinor"] == 3_000_000
    assert (case["subject"]["erased"], case["subject"]["name"], case["subject"]["idNumber"]) == (True, None, None)


async def test_lists_are_paged_newest_first_and_filtered_in_full(office: Office, clock: FakeClock) -> None:
    head = office.staff("head", Role.CASE_OFFICER, branch="*")
    tokens = []
    for number in range(5):
        branch = "sh-01" if number % 2 else "bj-02"
        made = await taken_in(office, head, key=f"k{number}", applicant__idNumber=another_id(number), branch=branch)
        tokens.append(made["token"])
        if number != 2:
            clock.advance(hours=1)  # two of them at the same moment
    move(office, tokens[0], stage="ended", outcome="rejected")
    move(office, tokens[1], stage="approval")
    async with office.client(head) as client:

        async def search(limit: int = 50, after: str | None = None, **filter: Any) -> dict[str, Any]:
            body = {"filter": filter, "limit": limit} | ({"after": after} if after else {})
            answer = await client.post(f"{CASES}/search", json=body)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        def listed(page: dict[str, Any]) -> list[str]:
            return [case["token"] for case in page["items"]]

        whole = await search()
        assert whole["endCursor"] is None
        newest_first = listed(whole)
        assert newest_first[0] == tokens[4]
        assert newest_first[-1] == tokens[0]
        assert sorted(newest_first) == sorted(tokens)
        paged, cursor = [], None
        while True:
            page = await search(limit=2, after=cursor)
            paged += listed(page)
            cursor = page["endCursor"]
            if cursor is None:
                break
        assert paged == newest_first
        assert listed(await search(stage=["approval"])) == [tokens[1]]
        assert listed(await search(outcome=["rejected"])) == [tokens[0]]
        assert sorted(listed(await search(outcome=["open"]))) == sorted(tokens[1:])
        assert sorted(listed(await search(outcome=["open", "rejected"]))) == sorted(tokens)
        assert sorted(listed(await search(branch=["sh-01"]))) == sorted([tokens[1], tokens[3]])
        first = whole["items"][-1]["createdAt"]
        second = next(case["createdAt"] for case in whole["items"] if case["token"] == tokens[1])
        assert listed(await search(createdFrom=first, createdTo=second)) == [tokens[0]]
        by_get = (await client.get(CASES, params={"limit": 2})).json()
        assert listed(by_get) == newest_first[:2]
        assert listed((await client.get(CASES, params={"after": by_get["endCursor"]})).json()) == newest_first[2:]
        assert "subject" not in whole["items"][0]


async def test_what_a_search_cannot_read_it_refuses(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    async with sqlite_office.client(officer) as client:
        for body, status in (
            ({"filter": {"stage": ["nowhere"]}}, 422),
            ({"filter": {"stage": []}}, 422),
            ({"filter": {"colour": "red"}}, 422),
            ({"filter": {"createdFrom": "2026-11-21T00:00:00"}}, 422),  # no zone, no moment
            ({"limit": 0}, 422),
            ({"limit": 201}, 422),
            ({"after": "AAAA"}, 400),
            ({"after": "WyJ0aW1lbGluZSIsIngiXQ"}, 400),  # of another list
        ):
            answer = await client.post(f"{CASES}/search", json=body)
            assert answer.status_code == status, body
        assert (await client.get(f"{CASES}/not-a-token")).status_code == 404


async def test_the_timeline_tells_in_words_what_was_done_by_whom(office: Office, clock: FakeClock) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    clock.advance(minutes=5)
    contact = {"channel": "phone", "direction": "out", "resultCode": "reached", "note": "spoke with 欧阳晓雯"}
    async with office.client(officer) as client:
        await client.post(f"{CASES}/{token}/contacts", json=contact, headers={"Idempotency-Key": "c"})
        page = (await client.get(f"{CASES}/{token}/timeline")).json()
        first = (await client.get(f"{CASES}/{token}/timeline", params={"limit": 1})).json()
        rest = (await client.get(f"{CASES}/{token}/timeline", params={"after": first["endCursor"]})).json()
        chinese = (await client.get(f"{CASES}/{token}/timeline", headers={"Accept-Language": "zh-CN"})).json()
    assert [(event["action"], event["actor"]) for event in page["items"]] == [
        ("case.created", officer.id),
        ("contact.logged", officer.id),
    ]
    assert page["items"][0]["text"] == (
        "Application taken in: ¥30,000.00 over 36 months, Serious illness, own or in the family"
    )
    assert page["items"][1]["text"] == "Talk logged: Phone, Reached"
    assert chinese["items"][1]["text"].startswith("已记录沟通")
    assert datetime.fromisoformat(page["items"][0]["at"]) == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert first["items"] + rest["items"] == page["items"]
    for value in CLEAR_VALUES:
        assert value not in str(page)
