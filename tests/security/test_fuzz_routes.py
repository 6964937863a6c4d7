"""S2, through every route: requests in the shape that is documented, with values from its borders; never a 5xx."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from sqlmodel import select

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.tables.installments import CaseDocument
from models.tables.staff import Staff
from tests.support.api import raw_request
from tests.support.applications import FakeDispatcher, another_id, application, open_desk
from tests.support.clock import FakeClock
from tests.support.schema_requests import Operation, Shaper
from tests.support.servicing import Served, serve

DOCUMENT: Final = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SEED: Final = 20261123
ROUNDS, MANY_ROUNDS = 3, 60
TEMPLATE: Final = "/v1/transfers/plan-template?classes=E&cutoverOn=2026-12-20"
# Where Temporal is asked, and none runs.
AWAY: Final = {"workflow-unavailable"}


def quick(operation: Operation) -> bool:
    """Not a stream of events, which ends when the caller goes, nor readiness, which is red without Temporal."""
    _, path, described = operation
    content = [kind for answer in described["responses"].values() for kind in answer.get("content", {})]
    return "text/event-stream" not in content and path != "/readyz"


@pytest.fixture
async def served(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Served:
    """An agreement in service, in one of two institutions."""
    office = open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())
    office.tenant("seller")
    return await serve(office)


async def examples(served: Served, lead: Staff) -> dict[str, Any]:
    """Good bodies of what others hang on."""
    async with served.office.client(lead) as client:
        plan = (await client.get(TEMPLATE)).json()["plan"]
    event = {"transferred": "portfolio", "transferEvent": "asset-sale", "sourceTenant": "seller"}
    return {
        "CreateTransferJob": {**event, "plan": plan},
        "CreateInstallmentCase": application(applicant__idNumber=another_id(7)),
        "MakeSettlementQuote": {"asOf": "2026-11-25"},
        "RecordPayment": {"amountMinor": 100, "valueDate": "2026-11-23", "channel": "counter", "bankReference": "r"},
        "OpenTicket": {"caseToken": served.case, "kind": "question", "text": "x"},
        "CreateCustomerLink": {"purpose": "progress", "caseToken": served.case},
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(MANY_ROUNDS, marks=pytest.mark.long)])
async def test_no_request_of_any_route_makes_the_app_fail(served: Served, rounds: int) -> None:
    bank = served.office
    rich = {"authority_amount_minor": 10**12, "authority_concession_bps": 10_000}
    # Rows without their files: a paper that is gone is told as a fault of the house, and rightly.
    with bank.deps.database.read() as session:
        papers = list(session.exec(select(CaseDocument.id)))
    people = [bank.staff(f"fuzz{number}", *Role, branch="hq", **rich) for number in range(3)]
    known = {"case_token": served.case, "caseToken": served.case, "agreement_id": served.agreement_id}
    shaper = Shaper(DOCUMENT, SEED, examples=await examples(served, people[0]), known=known)
    routes = [operation for operation in shaper.operations if quick(operation)]
    statuses: dict[tuple[str, ...], Counter[int]] = {}
    failed = []
    for _ in range(rounds):
        for number, operation in enumerate(routes):
            request = shaper.request(operation)
            staff = people[number % len(people)]
            request["headers"] += [("host", "casework.test"), ("authorization", f"Bearer {bank.token(staff)}")]
            answer = await raw_request(bank.app, **request)
            told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            shaper.learn(told, answer.headers, but=[*(one.id for one in people), *papers])
            statuses.setdefault(operation[:2], Counter())[answer.status] += 1
            if answer.status >= 500 and not (isinstance(told, dict) and told.get("code") in AWAY):
                failed.append((request["method"], request["path"], request["query"], request["body"][:600], told))
    done = sum(any(status < 300 for status in found) for found in statuses.values())
    assert failed == []
    assert done >= len(routes) // 4, "the requests must reach what the routes do"
