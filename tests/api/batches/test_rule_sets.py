"""Rule sets of batches over HTTP: written, tried, proposed by one person, decided by another on what was shown."""

from typing import Any

import httpx
import pytest

from models.domain.roles import Role
from models.tables.staff import Staff
from tests.support.api import Office

RULES: dict[str, Any] = {
    "source": "商业银行信用卡业务监督管理办法 Art. 57",
    "validFrom": "2026-01-01",
    "repayment": [{"id": "all-due", "source": "house decision 7"}],
}
DRAFT = {"name": "debits", "kind": "auto-debit", "rules": RULES}
SAMPLE = {"rows": [{"row": "r1", "principalMinor": 500}, {"row": "r2"}], "expected": {"all-due": 2}}
PATH = "/v1/batch-rule-sets/debits/versions/1"


@pytest.fixture
def writer(office: Office) -> Staff:
    return office.staff("writer", Role.BATCH_OPERATOR)


async def _draft(client: httpx.AsyncClient, key: str = "k", **changes: Any) -> httpx.Response:
    return await client.post("/v1/batch-rule-sets", json=DRAFT | changes, headers={"Idempotency-Key": key})


async def test_a_version_takes_two_persons_and_a_sample(office: Office, writer: Staff) -> None:
    checker = office.staff("checker", Role.BATCH_APPROVER)
    same = office.staff("same", Role.BATCH_APPROVER, person_id=writer.person_id)
    async with office.client(writer) as client:
        drafted, again = await _draft(client), await _draft(client)
        assert (drafted.status_code, drafted.json()["state"]) == (201, "draft")
        assert again.json() == drafted.json()
        untested = await client.post(f"{PATH}/proposal")
        assert untested.json()["type"].endswith("rule-set-not-tested")
        missed = (await client.post(f"{PATH}/test", json=SAMPLE | {"expected": {"all-due": 1}})).json()
        assert (missed["passed"], missed["misses"][0]["rows"]) == (False, ["r1", "r2"])
        tried = (await client.post(f"{PATH}/test", json=SAMPLE)).json()
        assert (tried["passed"], tried["barred"]) == (True, {"nothing-due": 1})
        proposed = (await client.post(f"{PATH}/proposal")).json()
        assert proposed["state"] == "proposed"
        assert (await client.post(f"{PATH}/proposal")).status_code == 409
        word = {"outcome": "approve", "shownHash": proposed["shownHash"]}
        assert (await client.post(f"{PATH}/decision", json=word)).status_code == 403
    async with office.client(same) as client:
        assert (await client.post(f"{PATH}/decision", json=word)).json()["type"].endswith("four-eyes-violation")
    async with office.client(checker) as client:
        other = await client.post(f"{PATH}/decision", json=word | {"shownHash": "0" * 64})
        assert other.json()["type"].endswith("shown-changed")
        refused = await client.post(f"{PATH}/decision", json=word | {"outcome": "refuse"})
        assert refused.json()["errors"][0]["pointer"] == "/reasonCode"
        done = (await client.post(f"{PATH}/decision", json=word)).json()
        assert (done["state"], done["decidedBy"]) == ("approved", checker.id)
        assert (await client.get("/v1/batch-rule-sets")).json()["items"] == [
            {"name": "debits", "kind": "auto-debit", "versions": 1, "inForce": [1]}
        ]


async def test_of_a_set_one_version_waits_and_what_is_wrong_is_named(office: Office, writer: Staff) -> None:
    async with office.client(writer) as client:
        for number in (1, 2):
            made = await _draft(client, f"k{number}", rules=RULES | {"validFrom": f"2026-0{number}-01"})
            path = f"/v1/batch-rule-sets/debits/versions/{made.json()['number']}"
            await client.post(f"{path}/test", json=SAMPLE)
            asked = await client.post(f"{path}/proposal")
            assert asked.status_code == (200, 409)[number - 1]
        assert [
            each["number"] for each in (await client.get("/v1/batch-rule-sets/debits/versions")).json()["items"]
        ] == [2, 1]
        assert (await _draft(client, "other", kind="payroll")).status_code == 409
        wrong = await _draft(client, "wrong", rules=RULES | {"repayment": [], "validFrom": "tomorrow"})
        assert {fault["pointer"] for fault in wrong.json()["errors"]} == {"/rules/repayment", "/rules/validFrom"}
    office.tenant("other")
    async with office.client(office.staff("stranger", Role.BATCH_OPERATOR, tenant="other")) as client:
        assert (await client.get(PATH)).status_code == 404
        assert (await client.get("/v1/batch-rule-sets")).json()["items"] == []
