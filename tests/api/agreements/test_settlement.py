"""Settling early: the quote is kept and itemised, redeemed once while it holds, and leaves exactly zero."""

from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from models.domain.roles import Role
from models.tables.installments import RuleVerdict
from tests.support.api import Office
from tests.support.servicing import DEBT, START, Served, serve

DAY_20 = START + timedelta(days=20)


async def test_a_quote_says_what_each_part_of_it_is(served: Served) -> None:
    quote = await served.quote(DAY_20)
    assert sum(item["amountMinor"] for item in quote["items"]) == quote["amountMinor"] - quote["surplusMinor"]
    assert [item["code"] for item in quote["items"]] == ["coming-principal", "used-interest"]
    assert quote["items"][0]["amountMinor"] == DEBT
    assert (quote["usedDays"], quote["usedFrom"]) == (20, START.isoformat())
    assert quote["items"][1]["text"] == "Interest for 20 days used of the running period"
    assert (quote["asOf"], quote["validUntil"]) == (DAY_20.isoformat(), (DAY_20 + timedelta(days=3)).isoformat())
    again = await served.get(f"settlement-quotes/{quote['id']}", locale="zh-CN")
    assert again.json()["hash"] == quote["hash"]
    assert "结清" in again.json()["text"]


async def test_paying_the_quote_leaves_exactly_zero_and_tells_the_case_once(served: Served) -> None:
    quote = await served.quote(DAY_20)
    served.day(DAY_20)
    answer = await served.redeem(quote, ref="TR-1")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["status"], told["owedMinor"], told["principalLeftMinor"], told["creditMinor"]) == ("settled", 0, 0, 0)
    whole = (await served.get(f"installment-cases/{served.case}/agreement")).json()
    assert sum(row["unpaidMinor"] for row in whole["rows"]) == 0
    assert sum(balance["amountMinor"] for balance in whole["ledger"]) == 0
    balances = {balance["account"]: balance["amountMinor"] for balance in whole["ledger"]}
    assert balances["bank-clearing"] == quote["amountMinor"]
    assert balances.get("installment-principal", 0) == 0
    assert whole["progress"]["percent"] == 100
    assert served.news() == [f"{served.case}/settled/{DAY_20.isoformat()}"]
    again = await served.redeem(quote, ref="TR-2")
    assert (again.status_code, again.json()["code"], again.json()["params"]["reason"]) == (
        409,
        "quote-stale",
        "redeemed",
    )
    assert served.news() == [f"{served.case}/settled/{DAY_20.isoformat()}"]


async def test_the_same_request_settles_once_and_gets_the_same_answer(served: Served) -> None:
    quote = await served.quote(START)
    body = {"amountMinor": quote["amountMinor"], "channel": "counter", "bankReference": "C-1"}
    async with served.office.client(served.officer) as client:
        path = f"/v1/settlement-quotes/{quote['id']}/redemptions"
        first, second = [await client.post(path, json=body, headers={"Idempotency-Key": "same"}) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()


async def test_a_booking_makes_a_quote_stale_and_the_problem_names_rule_and_fix(served: Served) -> None:
    quote = await served.quote(START)
    assert (await served.pay(50_000, START, ref="C-1")).status_code == 201
    answer = await served.redeem(quote, ref="C-2")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["params"]["reason"]) == (409, "quote-stale", "booked-since")
    assert "CC-677" in problem["detail"]
    assert "Make a new quote" in problem["detail"]
    assert served.agreement().status == "active"


async def test_a_day_that_passes_without_money_does_not_make_a_quote_stale(served: Served) -> None:
    quote = await served.quote(START)
    served.day(START + timedelta(days=2))
    answer = await served.redeem(quote, ref="C-1")  # valued on its day, booked two days later
    assert answer.status_code == 201, answer.text
    assert answer.json()["principalLeftMinor"] == 0


@pytest.mark.parametrize(("days", "reason"), [(-1, "not-yet"), (4, "lapsed")])
async def test_a_quote_holds_from_its_day_until_three_days_after(sqlite_served: Served, days: int, reason: str) -> None:
    quote = await sqlite_served.quote(DAY_20)
    sqlite_served.day(DAY_20 + timedelta(days=days))
    answer = await sqlite_served.redeem(quote, ref="C-1")
    assert (answer.status_code, answer.json()["params"]["reason"]) == (409, reason)


async def test_less_than_the_quote_is_refused_with_the_amount(sqlite_served: Served) -> None:
    quote = await sqlite_served.quote(START)
    answer = await sqlite_served.redeem(quote, ref="C-1", amount=quote["amountMinor"] - 1)
    assert answer.status_code == 422
    assert answer.json()["errors"][0] | {"detail": ""} == {
        "pointer": "/amountMinor",
        "code": "below-quote",
        "detail": "",
        "params": {"min": quote["amountMinor"]},
    }


async def test_a_quote_for_a_day_before_the_agreement_is_refused(sqlite_served: Served) -> None:
    path = f"agreements/{sqlite_served.agreement_id}/settlement-quotes"
    for day in (date(2026, 11, 22), date(2036, 1, 1)):
        answer = await sqlite_served.send(path, {"asOf": day.isoformat()})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "value-date")


async def test_another_branch_sees_neither_agreement_nor_quote(sqlite_served: Served) -> None:
    quote = await sqlite_served.quote(START)
    elsewhere = sqlite_served.office.staff("elsewhere", Role.CASE_OFFICER, branch="gz-02")
    body = {"amountMinor": quote["amountMinor"], "channel": "counter", "bankReference": "C-1"}
    answers = [
        await sqlite_served.get(f"settlement-quotes/{quote['id']}", by=elsewhere),
        await sqlite_served.send(f"settlement-quotes/{quote['id']}/redemptions", body, by=elsewhere),
        await sqlite_served.get(f"installment-cases/{sqlite_served.case}/agreement", by=elsewhere),
        await sqlite_served.get(f"installment-cases/{sqlite_served.case}/plans", by=elsewhere),
        await sqlite_served.send(
            f"agreements/{sqlite_served.agreement_id}/payments", body | {"valueDate": "2026-11-23"}, by=elsewhere
        ),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not-found")}


async def test_the_verdicts_of_a_settlement_are_kept(served: Served) -> None:
    quote = await served.quote(START)
    assert (await served.redeem(quote, ref="C-1")).status_code == 201
    with served.office.deps.database.read() as session:
        rows = session.exec(select(RuleVerdict).where(col(RuleVerdict.case_token) == served.case)).all()
    results = {row.rule_id: row.result for row in rows if row.gate == "installments.change"}
    assert results["CC-677"] == results["CCN22-EARLY"] == results["AIC26-OLD"] == "PASS"


async def test_a_charge_that_the_cost_statement_does_not_name_blocks(office: Office) -> None:
    served = await serve(office, stated=False)
    quote = await served.quote(DAY_20)
    served.day(DAY_20)
    answer = await served.redeem(quote, ref="C-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "blocked-by-rule")
    assert answer.json()["params"]["rule"] == "AIC26-OLD"
    assert served.agreement().status == "active"
    assert served.news() == []
    with served.office.deps.database.read() as session:
        rows = session.exec(select(RuleVerdict).where(col(RuleVerdict.rule_id) == "AIC26-OLD")).all()
    assert [row.result for row in rows] == ["FAIL"]
