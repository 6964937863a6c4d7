"""Payments at the counter and partial prepayments: booked once, explained, and only as the customer was shown."""

from datetime import date, timedelta
from typing import Any

import pytest

from models.domain.roles import Role
from models.domain.tokens import new_token
from models.tables.installments import CaseDocument
from tests.support.servicing import DEBT, START, Served

FIRST_DUE = START + timedelta(days=30)


async def agreement(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = (await served.get(f"installment-cases/{served.case}/agreement")).json()
    return found


async def test_a_payment_on_its_day_is_explained_cent_by_cent(served: Served) -> None:
    row = (await agreement(served))["rows"][0]
    served.day(FIRST_DUE)
    answer = await served.pay(row["totalMinor"], FIRST_DUE, ref="C-1")
    told = answer.json()
    assert answer.status_code == 201, answer.text
    assert sum(line["amountMinor"] for line in told["allocation"]) == row["totalMinor"]
    assert {(line["component"], line["amountMinor"], line["rule"]) for line in told["allocation"]} == {
        ("interest", row["interestMinor"], "ORDER-NOT-OVERDUE"),
        ("principal", row["principalMinor"], "ORDER-NOT-OVERDUE"),
    }
    whole = await agreement(served)
    assert [event["kind"] for event in whole["events"]] == ["activated", "payment"]
    assert whole["events"][1]["allocation"] == told["allocation"]
    assert whole["rows"][0]["state"] == "paid"
    assert sum(balance["amountMinor"] for balance in whole["ledger"]) == 0


async def test_progress_counts_rows_and_rounds_the_share_of_principal_down(served: Served) -> None:
    before = (await agreement(served))["progress"]
    assert (before["paidRows"], before["rows"], before["percent"], before["bar"]) == (0, 12, 0, "░" * 20)
    rows = (await agreement(served))["rows"]
    assert (before["nextDue"], before["nextAmountMinor"]) == (rows[0]["due"], rows[0]["totalMinor"])
    served.day(FIRST_DUE)
    await served.pay(rows[0]["totalMinor"], FIRST_DUE, ref="C-1")
    after = (await agreement(served))["progress"]
    percent = rows[0]["principalMinor"] * 100 // DEBT
    assert (after["paidRows"], after["percent"]) == (1, percent)
    assert len(after["bar"]) == 20
    assert after["bar"].count("█") == percent * 20 // 100
    assert after["text"] == f"1 of 12 installments paid; {percent}% of the principal repaid"
    assert after["nextDue"] == rows[1]["due"]


async def test_the_customer_sees_the_same_progress_through_the_link(served: Served) -> None:
    made = await served.send("customer-links", {"purpose": "progress", "caseToken": served.case})
    path = f"/v1/links/{made.json()['token']}/progress"
    async with served.office.client() as customer:
        told = (await customer.get(path, headers={"Accept-Language": "zh-CN"})).json()
    assert told["repayment"]["text"] == "已还0期，共12期；本金已还0%"
    assert told["repayment"] | {"text": "", "nextText": "", "statusText": ""} == (await agreement(served))[
        "progress"
    ] | {
        "text": "",
        "nextText": "",
        "statusText": "",
    }


async def test_the_same_bank_reference_is_booked_once(served: Served) -> None:
    assert (await served.pay(10_000, START, ref="C-1")).status_code == 201
    again = await served.pay(10_000, START, ref="C-1")
    assert (again.status_code, again.json()["code"]) == (409, "already-booked")
    whole = await agreement(served)
    assert [event["kind"] for event in whole["events"]] == ["activated", "payment"]
    assert whole["creditMinor"] == 10_000


async def test_the_same_request_is_booked_once_and_another_body_is_refused(served: Served) -> None:
    body = {"amountMinor": 10_000, "valueDate": "2026-11-23", "channel": "transfer", "bankReference": "T-1"}
    path = f"/v1/agreements/{served.agreement_id}/payments"
    async with served.office.client(served.officer) as client:
        first = await client.post(path, json=body, headers={"Idempotency-Key": "k"})
        second = await client.post(path, json=body, headers={"Idempotency-Key": "k"})
        other = await client.post(path, json=body | {"amountMinor": 1}, headers={"Idempotency-Key": "k"})
    assert first.json() == second.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert len((await agreement(served))["events"]) == 2


async def test_paying_what_is_overdue_cures_and_tells_the_case_once(served: Served) -> None:
    late = FIRST_DUE + timedelta(days=12)
    served.day(late)
    standing = await agreement(served)
    assert (standing["status"], standing["daysPastDue"]) == ("in-arrears", 12)
    assert standing["rows"][0]["state"] == "overdue"
    part = await served.pay(1_000, late, ref="C-1")
    assert part.json()["allocation"][0]["rule"] == "CCM-57b-1-90"
    assert served.news() == []
    rest = await served.pay((await agreement(served))["owedMinor"], late, ref="C-2")
    assert rest.json()["daysPastDue"] == 0
    assert served.news() == [f"{served.case}/cured/{late.isoformat()}"]


async def test_a_backdated_payment_counts_from_its_value_date(served: Served) -> None:
    row = (await agreement(served))["rows"][0]
    served.day(FIRST_DUE + timedelta(days=5))
    answer = await served.pay(row["totalMinor"], FIRST_DUE, ref="C-1")
    assert (answer.json()["daysPastDue"], answer.json()["owedMinor"]) == (0, 0)


@pytest.mark.parametrize("day", [START - timedelta(days=1), START + timedelta(days=1)], ids=["before", "ahead"])
async def test_a_value_date_out_of_range_is_refused(sqlite_served: Served, day: date) -> None:
    answer = await sqlite_served.pay(10_000, day, ref="C-1")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/valueDate")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"amountMinor": 0}, "/amountMinor"),
        ({"channel": "debit"}, "/channel"),
        ({"bankReference": "with blank"}, "/bankReference"),
    ],
    ids=["nothing", "debit", "reference"],
)
async def test_a_payment_has_an_amount_a_channel_and_a_reference(
    sqlite_served: Served, changes: dict[str, Any], pointer: str
) -> None:
    body = {"amountMinor": 1, "valueDate": "2026-11-23", "channel": "counter", "bankReference": "C-1"} | changes
    answer = await sqlite_served.send(f"agreements/{sqlite_served.agreement_id}/payments", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_only_who_may_record_payments_does(sqlite_served: Served) -> None:
    body = {"amountMinor": 1, "valueDate": "2026-11-23", "channel": "counter", "bankReference": "C-1"}
    path = f"agreements/{sqlite_served.agreement_id}/payments"
    auditor = sqlite_served.office.staff("auditor", Role.AUDITOR)
    for staff in (sqlite_served.approver, auditor):
        answer = await sqlite_served.send(path, body, by=staff)
        assert (answer.status_code, answer.json()["params"]) == (403, {"permission": "payments:record"})


async def test_money_after_the_end_is_refused(sqlite_served: Served) -> None:
    assert (await sqlite_served.redeem(await sqlite_served.quote(START), ref="C-1")).status_code == 201
    answer = await sqlite_served.pay(1, START, ref="C-2")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong-state")
    assert "settled early" in answer.json()["detail"]


# Partial prepayment ---------------------------------------------------------------------------------------------------


def consent(served: Served) -> str:
    """The customer's signed request, scanned."""
    document = CaseDocument(
        id=new_token("doc"),
        tenant="main",
        case_token=served.case,
        subject_id=served.agreement().subject_id,
        kind="signed-paper",
        media_type="application/pdf",
        size_bytes=1,
        digest="0" * 64,
        added_by="test",
        created_at=served.office.clock(),
    )
    identity = document.id
    served.add(document)
    return identity


async def options(served: Served, amount: int = 1_000_000) -> Any:
    return await served.send(f"agreements/{served.agreement_id}/prepayment-options", {"amountMinor": amount})


async def prepay(served: Served, option: dict[str, Any], *, ref: str = "C-9", agreed_in: str | None = None) -> Any:
    body = {
        "amountMinor": 1_000_000,
        "choice": option["choice"],
        "optionHash": option["hash"],
        "channel": "counter",
        "bankReference": ref,
    } | ({"agreedIn": agreed_in} if agreed_in is not None else {})
    return await served.send(f"agreements/{served.agreement_id}/prepayments", body)


async def test_both_ways_stand_side_by_side_and_nothing_is_stored(served: Served) -> None:
    told = (await options(served)).json()
    shorter, lower = told["options"]
    assert (shorter["choice"], lower["choice"]) == ("shorter", "lower")
    assert shorter["fewerRows"] > 0 == lower["fewerRows"]
    assert lower["highestMinor"] < shorter["highestMinor"]
    for option in (shorter, lower):
        assert sum(row["principalMinor"] for row in option["rows"]) == DEBT - 1_000_000
        assert option["savedMinor"] > 0
    assert len((await agreement(served))["events"]) == 1


@pytest.mark.parametrize("choice", [0, 1], ids=["shorter", "lower"])
async def test_the_rows_after_a_prepayment_are_the_rows_that_were_shown(served: Served, choice: int) -> None:
    option = (await options(served)).json()["options"][choice]
    answer = await prepay(served, option, agreed_in=consent(served))
    assert answer.status_code == 201, answer.text
    assert answer.json()["principalLeftMinor"] == DEBT - 1_000_000
    whole = await agreement(served)
    wanted = [{name: row[name] for name in ("due", "principalMinor", "interestMinor")} for row in option["rows"]]
    assert [{name: row[name] for name in ("due", "principalMinor", "interestMinor")} for row in whole["rows"]] == wanted
    assert whole["progress"]["percent"] == 33
    assert sum(balance["amountMinor"] for balance in whole["ledger"]) == 0


async def test_without_the_customers_agreement_on_record_a_rule_blocks(sqlite_served: Served) -> None:
    option = (await options(sqlite_served)).json()["options"][0]
    for agreed_in in (None, "doc_" + "0" * 26):
        answer = await prepay(sqlite_served, option, agreed_in=agreed_in)
        assert (answer.status_code, answer.json()["params"]["rule"]) == (409, "CC-543")
    assert len((await agreement(sqlite_served))["events"]) == 1


async def test_an_option_that_was_shown_before_another_booking_does_not_hold(sqlite_served: Served) -> None:
    option = (await options(sqlite_served)).json()["options"][0]
    assert (await prepay(sqlite_served, option, ref="C-1", agreed_in=consent(sqlite_served))).status_code == 201
    answer = await prepay(sqlite_served, option, ref="C-2", agreed_in=consent(sqlite_served))
    assert (answer.status_code, answer.json()["code"]) == (409, "shown-changed")
    again = await prepay(sqlite_served, option, ref="C-1", agreed_in=consent(sqlite_served))
    assert (again.status_code, again.json()["code"]) == (409, "already-booked")


async def test_a_prepayment_lies_between_what_is_due_and_what_settles(sqlite_served: Served) -> None:
    answer = await options(sqlite_served, DEBT)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "prepayment-range")
