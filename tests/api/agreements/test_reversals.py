"""Reversals take two persons; the books keep both facts, and what was paid opens again."""

from datetime import timedelta
from typing import Any

from models.domain.roles import Role
from tests.support.servicing import START, Served

FIRST_DUE = START + timedelta(days=30)


async def paid(served: Served) -> str:
    """The first row, paid on its day; the event's id."""
    served.day(FIRST_DUE)
    row = (await served.get(f"installment-cases/{served.case}/agreement")).json()["rows"][0]
    answer = await served.pay(row["totalMinor"], FIRST_DUE, ref="C-1")
    event: str = answer.json()["eventId"]
    return event


async def proposed(served: Served, event_id: str, **changes: Any) -> Any:
    body = {"eventId": event_id, "reasonCode": "wrong-agreement"}
    return await served.send(f"agreements/{served.agreement_id}/reversals", body, **changes)


async def test_nothing_is_booked_before_another_person_confirms(served: Served) -> None:
    event = await paid(served)
    answer = await proposed(served, event)
    assert (answer.status_code, answer.json()["state"]) == (201, "PROPOSED")
    assert served.agreement().owed_minor == 0
    reversal = answer.json()
    served.day(FIRST_DUE + timedelta(days=3))
    path = f"reversals/{reversal['id']}/confirmation"
    done = await served.send(path, {"shownHash": reversal["shownHash"]}, by=served.approver)
    assert (done.status_code, done.json()["state"]) == (200, "CONFIRMED"), done.text
    whole = (await served.get(f"installment-cases/{served.case}/agreement")).json()
    assert [event["kind"] for event in whole["events"]] == ["activated", "payment", "reversal"]
    assert [event["takenBack"] for event in whole["events"]] == [False, True, False]
    assert whole["events"][2]["id"] == done.json()["bookedEventId"]
    assert (whole["rows"][0]["paidMinor"], whole["daysPastDue"]) == (0, 3)
    assert sum(balance["amountMinor"] for balance in whole["ledger"]) == 0
    again = await served.send(path, {"shownHash": reversal["shownHash"]}, by=served.approver)
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")


async def test_the_person_who_asked_cannot_confirm_under_another_account(served: Served) -> None:
    reversal = (await proposed(served, await paid(served))).json()
    same = served.office.staff("second-account", Role.APPROVER, person_id=served.officer.person_id)
    answers = [
        await served.send(f"reversals/{reversal['id']}/{word}", {"shownHash": reversal["shownHash"]}, by=same)
        for word in ("confirmation", "rejection")
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "four-eyes-violation")}
    assert served.agreement().owed_minor == 0


async def test_the_second_person_is_bound_to_what_was_shown_and_freshly_logged_in(sqlite_served: Served) -> None:
    reversal = (await proposed(sqlite_served, await paid(sqlite_served))).json()
    path = f"reversals/{reversal['id']}/confirmation"
    other = await sqlite_served.send(path, {"shownHash": "0" * 64}, by=sqlite_served.approver)
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")
    office = sqlite_served.office
    stale = office.token(sqlite_served.approver, auth_age=timedelta(minutes=6))
    async with office.client(token=stale) as client:
        late = await client.post(f"/v1/{path}", json={"shownHash": reversal["shownHash"]})
    assert (late.status_code, late.json()["code"]) == (401, "fresh-login-required")
    officer = await sqlite_served.send(path, {"shownHash": reversal["shownHash"]})
    assert (officer.status_code, officer.json()["params"]) == (403, {"permission": "reversals:confirm"})


async def test_a_rejected_one_leaves_the_books_and_may_be_asked_for_again(sqlite_served: Served) -> None:
    event = await paid(sqlite_served)
    reversal = (await proposed(sqlite_served, event)).json()
    assert (await proposed(sqlite_served, event)).json()["code"] == "conflict"
    path = f"reversals/{reversal['id']}/rejection"
    done = await sqlite_served.send(path, {"shownHash": reversal["shownHash"]}, by=sqlite_served.approver)
    assert (done.json()["state"], done.json()["bookedEventId"]) == ("REJECTED", None)
    assert sqlite_served.agreement().owed_minor == 0
    assert (await proposed(sqlite_served, event)).status_code == 201


async def test_only_money_of_this_agreement_can_be_taken_back_and_only_once(sqlite_served: Served) -> None:
    event = await paid(sqlite_served)
    whole = (await sqlite_served.get(f"installment-cases/{sqlite_served.case}/agreement")).json()
    for wrong in (whole["events"][0]["id"], "01890000-0000-7000-8000-000000000000"):
        assert (await proposed(sqlite_served, wrong)).json()["errors"][0]["code"] == "not-reversible"
    reversal = (await proposed(sqlite_served, event)).json()
    path = f"reversals/{reversal['id']}/confirmation"
    await sqlite_served.send(path, {"shownHash": reversal["shownHash"]}, by=sqlite_served.approver)
    assert (await proposed(sqlite_served, event)).json()["errors"][0]["code"] == "reversed-already"


async def test_another_branch_cannot_see_or_decide(sqlite_served: Served) -> None:
    reversal = (await proposed(sqlite_served, await paid(sqlite_served))).json()
    elsewhere = sqlite_served.office.staff("elsewhere", Role.APPROVER, branch="gz-02")
    read = await sqlite_served.get(f"reversals/{reversal['id']}", by=elsewhere)
    path = f"reversals/{reversal['id']}/confirmation"
    decided = await sqlite_served.send(path, {"shownHash": reversal["shownHash"]}, by=elsewhere)
    assert (read.status_code, decided.status_code) == (404, 404)


async def test_a_settlement_that_is_taken_back_opens_the_agreement_again(served: Served) -> None:
    quote = await served.quote(START)
    event = (await served.redeem(quote, ref="C-1")).json()["eventId"]
    reversal = (await proposed(served, event)).json()
    path = f"reversals/{reversal['id']}/confirmation"
    assert (await served.send(path, {"shownHash": reversal["shownHash"]}, by=served.approver)).status_code == 200
    after = served.agreement()
    assert (after.status, after.principal_left_minor) == ("active", after.principal_minor)
    assert after.next_due is not None
