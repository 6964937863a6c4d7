"""The exception queue over HTTP: read with its rule, tried again, closed with a reason; money in suspense beside it."""

from datetime import date

import pytest
from sqlmodel import col, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Fate
from models.domain.roles import Role
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.operations.agreements import set_first_business_date
from models.operations.business_dates import Day, note_exception
from models.tables.audit import AuditEvent
from models.tables.daily import BankFile, BankReply, DailyException
from models.tables.installments import RuleVerdict
from models.tables.tenants import Tenant
from tests.support.applications import FakeDispatcher, open_desk

PATH = "/v1/business-dates/exceptions"
TODAY = date(2026, 11, 23)
AGREEMENT = "agr_" + "1" * 26


@pytest.fixture
def desk(sqlite_database, vault, clock, tmp_path):
    office = open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher(fate=Fate.APPLIED))
    _change(office, lambda session: set_first_business_date(session, tenant="main", today=TODAY, now=clock()))
    return office


def _change(desk, act) -> None:
    deed = Deed(tenant="main", action="test.prepared", target="test", actor="test", at=desk.clock())
    with unit_of_work(desk.deps.database, deed) as unit:
        act(unit.session)


def _note(desk, step: str, target: str, code: str, *, on: date = TODAY, **more: str) -> None:
    day = Day(tenant="main", on=on)
    _change(
        desk,
        lambda session: note_exception(session, day, step=step, target=target, code=code, now=desk.clock(), **more),
    )


def _barred(desk) -> None:
    """A debit that a rule stood against."""
    key = f"main.x/{Gate.DEBIT}/1/{TODAY}"
    verdict = RuleVerdict(
        id=new_token("vrd"), tenant="main", case_token="main.x", gate=Gate.DEBIT, gate_key=key, rule_id="WAGE-33",
        rule_set_version="test", result="FAIL", severity="BLOCK", reason="wage-account", missing=[], params={},
        inputs_hash="0" * 64, as_of=TODAY, evaluated_at=desk.clock(),
    )  # fmt: skip
    _change(desk, lambda session: session.add(verdict))
    _note(desk, "debit-orders", f"{AGREEMENT}/1", "blocked-by-rule", rule_id="WAGE-33", gate_key=key)


async def test_an_item_names_the_rule_and_where_it_stands_in_the_law(desk) -> None:
    _barred(desk)
    operator = desk.staff("op", Role.OPERATOR)
    async with desk.client(operator) as client:
        (item,) = (await client.get(PATH, headers={"Accept-Language": "zh-CN"})).json()["items"]
        detail = (await client.get(f"{PATH}/{item['id']}", headers={"Accept-Language": "en"})).json()
    assert (item["state"], item["code"], item["rule"], item["canRetry"]) == ("OPEN", "blocked-by-rule", "WAGE-33", True)
    assert "保障农民工工资支付条例" in item["citation"]
    (verdict,) = detail["verdicts"]
    assert (verdict["rule"], verdict["result"], verdict["reason"]) == ("WAGE-33", "FAIL", "wage-account")
    assert verdict["reasonText"]
    assert verdict["citation"] == detail["citation"]


async def test_the_queue_is_filtered_and_paged_in_order(desk) -> None:
    for number in range(3):
        _note(desk, "arrears", f"agr_{number}", "wrong-state", on=date(2026, 11, 20 + number))
    _barred(desk)
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        seen, after = [], ""
        while True:
            page = (await client.get(f"{PATH}?limit=2{after}")).json()
            seen += [item["businessDate"] for item in page["items"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        assert seen == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
        for query, count in (
            ("step=arrears", 3), ("code=blocked-by-rule", 1), ("state=CLOSED", 0), ("since=2026-11-22", 2),
            ("since=2026-11-21&until=2026-11-21", 1),
        ):  # fmt: skip
            assert len((await client.get(f"{PATH}?{query}")).json()["items"]) == count, query
        assert (await client.get(f"{PATH}?state=SOMETHING")).status_code == 400


async def test_another_try_is_asked_for_once_and_stands_in_the_log(desk) -> None:
    _barred(desk)
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        (item,) = (await client.get(PATH)).json()["items"]
        answers = [
            await client.post(f"{PATH}/{item['id']}/retry", headers={"Idempotency-Key": "same"}) for _ in range(2)
        ]
        assert [each.status_code for each in answers] == [200, 200], answers[0].text
        assert [each.json()["state"] for each in answers] == ["RETRY", "RETRY"]
        again = await client.post(f"{PATH}/{item['id']}/retry", headers={"Idempotency-Key": "other"})
        assert (again.status_code, again.json()["code"]) == (409, "wrong-state")
    with desk.deps.database.read() as session:
        events = session.exec(select(AuditEvent).where(col(AuditEvent.action) == "daily.exception-retry")).all()
    assert [event.target for event in events] == [item["id"]]


@pytest.mark.parametrize(
    ("step", "target", "code"),
    [
        ("send-file", "dbo_" + "1" * 26, "unanswered"),
        ("arrears", AGREEMENT, "reopened"),
        ("debit-orders", "main", "no-calendar"),
        ("take-replies", "bkf_" + "1" * 26, "file-unreadable"),
    ],
)
async def test_what_another_try_cannot_mend_is_only_closed_for_a_reason(
    desk, step: str, target: str, code: str
) -> None:
    _note(desk, step, target, code)
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        (item,) = (await client.get(PATH)).json()["items"]
        assert item["canRetry"] is False
        assert item["codeText"] != code
        refused = await client.post(f"{PATH}/{item['id']}/retry", headers={"Idempotency-Key": "r"})
        assert (refused.status_code, refused.json()["params"]) == (409, {"state": "not-retryable"})
        wrong = await client.post(f"{PATH}/{item['id']}/close", json={"reason": "-"}, headers={"Idempotency-Key": "w"})
        assert wrong.status_code == 422
        body = {"reason": "with-the-bank"}
        closed = await client.post(f"{PATH}/{item['id']}/close", json=body, headers={"Idempotency-Key": "c"})
        assert (closed.status_code, closed.json()["state"], closed.json()["closeReason"]) == (
            200, "CLOSED", "with-the-bank",
        )  # fmt: skip
        again = await client.post(f"{PATH}/{item['id']}/close", json=body, headers={"Idempotency-Key": "d"})
        assert again.status_code == 409
        assert (await client.get("/v1/business-dates")).json()["openExceptions"] == 0


async def test_another_institutions_items_and_officers_who_run_no_dates_see_nothing(desk) -> None:
    desk.tenant("other")
    _barred(desk)
    with desk.deps.database.read() as session:
        item = session.exec(select(DailyException)).one()
    async with desk.client(desk.staff("theirs", Role.OPERATOR, tenant="other")) as client:
        assert (await client.get(PATH)).json()["items"] == []
        assert (await client.get(f"{PATH}/{item.id}")).status_code == 404
    async with desk.client(desk.staff("officer", Role.CASE_OFFICER)) as client:
        assert (await client.get(PATH)).status_code == 403


async def test_money_in_suspense_is_listed_with_what_it_comes_to(desk) -> None:
    def fill(session) -> None:
        file = BankFile(
            id=new_token("bkf"), tenant="main", direction="in", kind="camt.054", name="x", business_date=TODAY,
            state="TAKEN", created_at=desk.clock(),
        )  # fmt: skip
        session.add(file)
        session.flush()
        session.add_all(
            BankReply(
                id=new_token("bkr"), tenant="main", file_id=file.id, business_key=f"k{number}", status=status,
                amount_minor=amount, value_date=TODAY, state=state, created_at=desk.clock(),
            )
            for number, (status, amount, state) in enumerate(
                [("SETTLED", 101_000, "SUSPENSE"), ("RETURNED", 1_000, "SUSPENSE"), ("SETTLED", 5, "BOOKED")]
            )
        )  # fmt: skip

    _change(desk, fill)
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        told = (await client.get("/v1/business-dates/suspense")).json()
    assert (told["entries"], told["totalMinor"]) == (2, 100_000)
    assert sorted(item["amountMinor"] for item in told["items"]) == [-1_000, 101_000]


async def test_books_are_opened_once_and_not_ahead_of_the_clock(desk) -> None:
    opening = "/v1/business-dates/opening"
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        taken = await client.post(opening, json={"businessDate": "2026-11-23"}, headers={"Idempotency-Key": "a"})
        assert (taken.status_code, taken.json()["params"]) == (409, {"state": "books-open"})
    desk.tenant("other")
    _change(desk, lambda session: setattr(session.get_one(Tenant, "other"), "sandbox", False))
    async with desk.client(desk.staff("theirs", Role.OPERATOR, tenant="other")) as client:
        ahead = await client.post(opening, json={"businessDate": "2030-01-01"}, headers={"Idempotency-Key": "b"})
        assert (ahead.status_code, ahead.json()["params"]) == (409, {"state": "ahead-of-clock"})
        body = {"businessDate": "2026-11-20"}
        answers = [await client.post(opening, json=body, headers={"Idempotency-Key": "c"}) for _ in range(2)]
        assert [(each.status_code, each.json()) for each in answers] == [(201, {"today": "2026-11-20"})] * 2
        assert (await client.get("/v1/business-dates")).json()["today"] == "2026-11-20"
