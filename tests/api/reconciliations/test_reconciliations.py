"""`/v1/reconciliations`: operators see every difference between books and bank, by identifiers alone."""

from datetime import date, timedelta
from itertools import count

import pytest

from models.domain.daily import OrderState
from models.domain.reconciliation.records import BankLine, FiledLine
from models.domain.roles import Role
from models.tables.agreements import Mandate
from models.tables.daily import BankFile, BankReply, DebitOrder
from tests.support.api import Office
from tests.support.servicing import START, Served, serve

PATH = "/v1/reconciliations"
_SERIAL = count()
PERIOD = f"{PATH}?from={START}&until={START + timedelta(days=20)}"


def _order(served: Served, mandate: str, **changes: object) -> DebitOrder:
    facts = {
        "id": "dbo_1", "tenant": "main", "agreement_id": served.agreement_id, "mandate_id": mandate, "row_no": 1,
        "attempt": 1, "end_to_end_id": "abc-1-1", "amount_minor": 10_000, "requested_on": START,
        "state": OrderState.SENT, "policy_version": "test",
        "created_at": served.office.clock(), "updated_at": served.office.clock(),
    }  # fmt: skip
    return DebitOrder(**(facts | changes))


def _line(served: Served, **changes: object) -> BankReply:
    facts = {
        "id": "bkr_1", "tenant": "main", "file_id": "bkf_1", "business_key": "main/entry/R1/0/abc-1-1/SETTLED",
        "end_to_end_id": "abc-1-1", "status": "SETTLED", "amount_minor": 10_000, "value_date": START, "credit": True,
        "order_id": "dbo_1", "state": "NEW", "created_at": served.office.clock(),
    }  # fmt: skip
    return BankReply(**(facts | changes))


@pytest.fixture
async def served(sqlite_office: Office) -> Served:
    """An agreement with an order at the bank, and the file that answers it."""
    found = await serve(sqlite_office)
    now = sqlite_office.clock()
    subject = found.agreement().subject_id
    mandate = Mandate(
        id="mdt_1", tenant="main", subject_id=subject, case_token=found.case, account_cell=b"-", holder_cell=b"-",
        profile="generic-cny", purpose="installments", limit_minor=1, signed_on=START, valid_to=START, created_at=now,
    )  # fmt: skip
    file = BankFile(
        id="bkf_1", tenant="main", direction="in", kind="camt.054", name="n", business_date=START, state="TAKEN",
        created_at=now,
    )  # fmt: skip
    found.add(mandate, file)
    found.add(_order(found, "mdt_1"))
    return found


async def _get(served: Served, path: str = PERIOD, role: Role = Role.OPERATOR):
    async with served.office.client(served.office.staff(f"who-{next(_SERIAL)}", role)) as client:
        return await client.get(path)


async def test_money_that_the_bank_moved_and_nobody_booked_is_named(served: Served) -> None:
    served.add(_line(served))
    answer = await _get(served)
    assert answer.status_code == 200
    told = answer.json()
    assert {kind: count for kind, count in told["counts"].items() if count} == {"missing-in-books": 1}
    assert (told["orders"], told["lines"], told["agreeing"], told["pending"]) == (1, 1, 0, 0)
    assert told["differences"] == [
        {
            "kind": "missing-in-books",
            "about": "debit",
            "agreementId": served.agreement_id,
            "orderId": "dbo_1",
            "eventId": None,
            "lineId": "bkr_1",
            "expectedMinor": 10_000,
            "foundMinor": 10_000,
            "expectedOn": START.isoformat(),
            "foundOn": START.isoformat(),
        }
    ]


async def test_lines_that_only_the_banks_files_hold_are_found_in_the_files(served: Served) -> None:
    line = _line(served)
    known = BankLine(line_id="kept", amount_minor=10_000, value_date=START, back=False, end_to_end_id="abc-1-1")
    stranger = BankLine(line_id="f:7", amount_minor=5, value_date=START, back=False, end_to_end_id="of-nobody")
    served.add(line)
    served.office.deps.filed_lines = lambda _tenant: (
        FiledLine(business_key=line.business_key, line=known),
        FiledLine(business_key="main/entry/R9/0/of-nobody/SETTLED", line=stranger),
    )
    without = (await _get(served)).json()
    assert without["counts"]["orphan"] == 0
    told = (await _get(served, f"{PERIOD}&source=files")).json()
    assert [each["lineId"] for each in told["differences"] if each["kind"] == "orphan"] == ["f:7"]
    assert told["lines"] == 2
    assert "of-nobody" not in str(told)  # what a bank writes into an id of somebody else's is not ours to show


async def test_it_changes_nothing(served: Served) -> None:
    served.add(_line(served))
    before = served.agreement().model_dump()
    first, second = (await _get(served)).json(), (await _get(served)).json()
    assert first == second
    assert served.agreement().model_dump() == before


async def test_a_period_that_is_none_is_refused(served: Served) -> None:
    queries = {
        "?from=2026-11-23&until=2026-11-22": 422,
        "?from=2025-11-01&until=2026-11-22": 422,
        "?from=2026-11-24&until=0001-01-01": 422,
        "?from=0001-01-01&until=0001-01-02": 422,
        "?from=9999-12-30&until=9999-12-31": 422,
        "?from=yesterday&until=2026-11-22": 400,
        "?from=2026-11-23": 400,
        "?from=2026-11-22&until=2026-11-23&source=guess": 400,
    }
    assert {query: (await _get(served, PATH + query)).status_code for query in queries} == queries


async def test_it_is_for_operators(served: Served) -> None:
    assert (await _get(served, role=Role.CASE_OFFICER)).status_code == 403
    assert (await _get(served, f"{PATH}/cases", role=Role.CASE_OFFICER)).status_code == 403


async def test_before_the_books_are_open_there_is_nothing_to_compare(sqlite_office: Office) -> None:
    async with sqlite_office.client(sqlite_office.staff("op", Role.OPERATOR)) as client:
        answer = await client.get(f"{PATH}?from={date(2026, 11, 1)}&until={date(2026, 11, 2)}")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/wrong-state")
