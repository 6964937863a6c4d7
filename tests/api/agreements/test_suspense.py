"""Money in suspense is assigned by two persons: it leaves suspense, pays the agreement once, and the bank agrees."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from activities.gateways.bank.folder import BankFolders
from models.domain.reconciliation.compare import reconcile
from models.domain.roles import Role
from models.domain.servicing.ledger import Account
from models.domain.tokens import new_token
from models.queries.ledger import trial_balance
from models.queries.reconciliation import Period, accounts_of
from models.tables.daily import BankFile, BankReply
from models.tables.notices import Notice
from models.tables.staff import Staff
from models.tables.tenants import Tenant
from tests.support.daybook import Daybook
from tests.support.servicing import START, Served

FIRST_DUE = START + timedelta(days=30)
FOUND_ON = FIRST_DUE + timedelta(days=12)


def credited(served: Served, amount: int, *, on: date = FIRST_DUE, **changes: Any) -> str:
    """The bank books money that names no order; the daily run puts it into suspense. The entry's id."""
    file = BankFile(
        id=new_token("bkf"), tenant="main", direction="in", kind="camt.054", name="x", business_date=on, state="TAKEN",
        created_at=served.office.clock(),
    )  # fmt: skip
    reply = BankReply(
        id=new_token("bkr"), tenant="main", file_id=file.id, business_key="main/entry/ZX-77///SETTLED", credit=True,
        status="SETTLED", amount_minor=amount, value_date=on, state="NEW", created_at=served.office.clock(),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(reply, name, value)
    served.add(file)
    served.add(reply)
    deps = served.office.deps
    book = Daybook(deps.database, deps.vault, served.office.clock, BankFolders(Path(deps.files_root) / "bank"))
    book.change(lambda session: setattr(session.get_one(Tenant, "main"), "sandbox", True))  # its dates run ahead
    book.run_step("begin", on)
    book.run_step("post", on)
    return reply.id


def operator(served: Served, name: str = "operator", **changes: Any) -> Staff:
    return served.office.staff(name, Role.OPERATOR, **changes)


async def proposed(served: Served, entry: str, by: Staff) -> Any:
    body = {"entryId": entry, "reasonCode": "customer-confirmed"}
    return await served.send(f"agreements/{served.agreement_id}/suspense-assignments", body, by=by)


async def confirmed(served: Served, assignment: dict[str, Any], *, by: Staff | None = None, word: str = "confirmation"):
    path = f"suspense-assignments/{assignment['id']}/{word}"
    return await served.send(path, {"shownHash": assignment["shownHash"]}, by=by or served.approver)


async def row_due(served: Served) -> int:
    served.day(FIRST_DUE)
    amount: int = (await served.get(f"installment-cases/{served.case}/agreement")).json()["rows"][0]["totalMinor"]
    return amount


def balance(served: Served, on: date) -> dict[str, int]:
    with served.office.deps.database.read() as session:
        return trial_balance(session, tenant="main", on=on)


def faults(served: Served, last: date) -> list[str]:
    """What the reconciliation of books and bank says."""
    period = Period(tenant="main", first=START, last=last, as_of=last)
    with served.office.deps.database.read() as session:
        accounts = accounts_of(session, period)
    return [each.kind for each in reconcile(accounts, is_bank_day=lambda day: day.weekday() < 5).differences]


async def test_what_two_persons_assign_is_a_payment_of_the_day_the_bank_had_it(served: Served) -> None:
    amount, by = await row_due(served), operator(served)
    entry = credited(served, amount)
    assert balance(served, FIRST_DUE)[Account.SUSPENSE] == -amount
    served.day(FOUND_ON)
    assert served.agreement().days_past_due > 0
    answer = await proposed(served, entry, by)
    assert (answer.status_code, answer.json()["state"]) == (201, "PROPOSED"), answer.text
    assert served.agreement().owed_minor > 0
    done = await confirmed(served, answer.json())
    assert (done.status_code, done.json()["state"]) == (200, "CONFIRMED"), done.text
    after = (await served.get(f"installment-cases/{served.case}/agreement")).json()
    assert (after["rows"][0]["paidMinor"], after["daysPastDue"], served.agreement().owed_minor) == (amount, 0, 0)
    assert [(event["kind"], event["valueDate"]) for event in after["events"]][-1] == ("payment", FIRST_DUE.isoformat())
    books = balance(served, FOUND_ON)
    assert (books.get(Account.SUSPENSE, 0), books[Account.BANK_CLEARING], sum(books.values())) == (0, amount, 0)
    assert faults(served, FOUND_ON) == []
    async with served.office.client(by) as client:
        assert (await client.get("/v1/business-dates/suspense")).json()["entries"] == 0
    with served.office.deps.database.read() as session:
        assert len(session.exec(select(Notice).where(col(Notice.kind) == "payment-received")).all()) == 1


async def test_the_person_who_asked_cannot_confirm_and_money_is_assigned_once(served: Served) -> None:
    amount, by = await row_due(served), operator(served)
    entry = credited(served, amount)
    assignment = (await proposed(served, entry, by)).json()
    assert (await proposed(served, entry, by)).json()["code"] == "conflict"
    same = served.office.staff("second-account", Role.APPROVER, person_id=by.person_id)
    refused = await confirmed(served, assignment, by=same)
    assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")
    other = assignment | {"shownHash": "0" * 64}
    assert (await confirmed(served, other)).json()["code"] == "shown-changed"
    assert (await confirmed(served, assignment)).status_code == 200
    assert (await confirmed(served, assignment)).json()["code"] == "wrong-state"
    again = await proposed(served, entry, by)
    assert (again.status_code, again.json()["params"]) == (409, {"state": "ASSIGNED"})
    by_hand = await served.pay(amount, FIRST_DUE, ref="ZX-77")
    assert by_hand.json()["code"] == "already-booked"


async def test_a_rejected_one_stays_in_suspense_and_may_be_asked_for_again(sqlite_served: Served) -> None:
    amount, by = await row_due(sqlite_served), operator(sqlite_served)
    entry = credited(sqlite_served, amount)
    assignment = (await proposed(sqlite_served, entry, by)).json()
    done = await confirmed(sqlite_served, assignment, word="rejection")
    assert (done.json()["state"], done.json()["bookedEventId"]) == ("REJECTED", None)
    assert balance(sqlite_served, FIRST_DUE)[Account.SUSPENSE] == -amount
    assert (await proposed(sqlite_served, entry, by)).status_code == 201


async def test_a_reversal_puts_the_money_back_into_suspense(served: Served) -> None:
    amount, by = await row_due(served), operator(served)
    entry = credited(served, amount)
    event = (await confirmed(served, (await proposed(served, entry, by)).json())).json()["bookedEventId"]
    body = {"eventId": event, "reasonCode": "wrong-agreement"}
    reversal = (await served.send(f"agreements/{served.agreement_id}/reversals", body)).json()
    path = f"reversals/{reversal['id']}/confirmation"
    assert (await served.send(path, {"shownHash": reversal["shownHash"]}, by=served.approver)).status_code == 200
    books = balance(served, FIRST_DUE)
    assert (books[Account.SUSPENSE], books[Account.BANK_CLEARING], sum(books.values())) == (-amount, amount, 0)
    assert faults(served, FIRST_DUE) == ["orphan"]  # money of nobody, as before
    again = await proposed(served, entry, by)
    assert again.status_code == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "RETURNED", "credit": False}, "no-money-came"),
        ({"order_id": "dbo_" + "1" * 26}, "money-of-an-order"),
        ({"value_date": START - timedelta(days=1)}, "value-date"),
    ],
)
async def test_what_is_no_payment_is_refused_with_its_reason(
    sqlite_served: Served, changes: dict[str, Any], code: str
) -> None:
    amount, by = await row_due(sqlite_served), operator(sqlite_served)
    entry = credited(sqlite_served, amount, **changes)
    answer = await proposed(sqlite_served, entry, by)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    unknown = await proposed(sqlite_served, new_token("bkr"), by)
    assert unknown.json()["errors"][0]["code"] == "unknown-entry"
