"""Standing plans over HTTP: one person makes one, another confirms what was shown; held, made up for, ended."""

from typing import Any

import httpx
import pytest
from sqlmodel import select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.roles import Role
from models.operations.agreements import set_first_business_date
from models.tables.batch_plans import BatchBackfill
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion
from models.tables.staff import Staff
from tests.support.api import Office

FEES: dict[str, Any] = {
    "name": "annual-fees",
    "kind": "fee-collection",
    "criteria": {"fee": {"code": "annual", "amountMinor": 20_000}},
    "ruleSet": "fees",
    "rhythm": "month-day",
    "monthDay": 5,
}


@pytest.fixture
def maker(office: Office) -> Staff:
    return office.staff("maker", Role.BATCH_OPERATOR)


@pytest.fixture(autouse=True)
def _dated(office: Office) -> None:
    now = office.clock()
    deed = Deed(tenant="main", action="day.moved", target="main", actor="test", at=now)
    with unit_of_work(office.deps.database, deed) as unit:
        set_first_business_date(unit.session, tenant="main", today=now.date(), now=now)
        kept = BatchRuleSet(id="brs_1", tenant="main", name="fees", kind="fee-collection", created_at=now)
        unit.session.add(kept)
        unit.session.flush()
        unit.session.add(
            BatchRuleVersion(
                rule_set=kept.id,
                number=1,
                tenant="main",
                body={},
                body_hash="0" * 64,
                valid_from=now.date(),
                state="approved",
                made_by="stf_1",
                made_by_person="prs_1",
                created_at=now,
            )
        )


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None, *, key: str = "k") -> Any:
    return await client.post(f"/v1/batch-plans{path}", json=body, headers={"Idempotency-Key": key})


async def test_a_plan_takes_two_persons_and_is_held_made_up_for_and_ended(office: Office, maker: Staff) -> None:
    checker = office.staff("checker", Role.BATCH_APPROVER)
    same = office.staff("same", Role.BATCH_APPROVER, person_id=maker.person_id)
    day = office.clock().date().isoformat()
    async with office.client(maker) as client:
        made, again = await _post(client, "", FEES), await _post(client, "", FEES)
        assert (made.status_code, made.json()["state"], made.json()["overlap"]) == (201, "proposed", "skip")
        assert again.json() == made.json()
        assert (await _post(client, "", FEES, key="other")).json()["type"].endswith("conflict")
        path = f"/{made.json()['plan']}"
        word = {"outcome": "confirm", "shownHash": made.json()["shownHash"]}
        assert (await _post(client, f"{path}/decision", word)).status_code == 403
        days = {"firstDate": day, "lastDate": day}
        assert (await _post(client, f"{path}/backfills", days, key="b0")).json()["type"].endswith("wrong-state")
    async with office.client(same) as client:
        assert (await _post(client, f"{path}/decision", word)).json()["type"].endswith("four-eyes-violation")
    async with office.client(checker) as client:
        other = await _post(client, f"{path}/decision", word | {"shownHash": "0" * 64})
        assert other.json()["type"].endswith("shown-changed")
        done = (await _post(client, f"{path}/decision", word)).json()
        assert (done["state"], done["decidedBy"]) == ("active", checker.id)
        assert (await _post(client, f"{path}/decision", word)).json()["type"].endswith("wrong-state")
    async with office.client(maker) as client:
        asked, repeated = [await _post(client, f"{path}/backfills", days, key="b1") for _ in range(2)]
        assert (asked.status_code, repeated.json()) == (201, asked.json())
        late = await _post(client, f"{path}/backfills", {"firstDate": day, "lastDate": "2099-01-01"}, key="b2")
        assert late.json()["errors"][0]["pointer"] == "/lastDate"
        back = await _post(client, f"{path}/backfills", {"firstDate": day, "lastDate": "2020-01-01"}, key="b3")
        assert back.json()["errors"][0]["pointer"] == "/lastDate"
        assert (await _post(client, f"{path}/pause")).json()["paused"] is True
        assert (await _post(client, f"{path}/pause")).status_code == 409
        assert (await _post(client, f"{path}/resumption")).json()["paused"] is False
        assert (await _post(client, f"{path}/retirement")).json()["state"] == "retired"
        assert (await _post(client, "", FEES, key="next")).status_code == 201, "the name is free again"
        assert len((await client.get("/v1/batch-plans")).json()["items"]) == 2
    with office.deps.database.read() as session:
        assert len(session.exec(select(BatchBackfill)).all()) == 1


async def test_what_is_wrong_with_a_plan_is_named_by_field(office: Office, maker: Staff) -> None:
    async with office.client(maker) as client:
        wrong = FEES | {"monthDay": None, "criteria": {"period": "2026-11"}}
        told = (await _post(client, "", wrong)).json()
        assert {each["pointer"] for each in told["errors"]} == {"/monthDay", "/criteria/period", "/criteria/fee"}
        wages = await _post(client, "", FEES | {"kind": "payroll", "criteria": {}}, key="w")
        assert wages.json()["errors"][0]["pointer"] == "/kind"
        debits = await _post(client, "", FEES | {"kind": "auto-debit", "criteria": {}}, key="d")
        assert "daily run" in debits.json()["errors"][0]["detail"], "no run of it would get through"
        bound = [await _post(client, "", FEES | {"ruleSet": name}, key=f"r-{name}") for name in (None, "other")]
        assert [answer.json()["errors"][0]["pointer"] for answer in bound] == ["/ruleSet", "/ruleSet"]
        made = (await _post(client, "", FEES, key="good")).json()
    office.tenant("other")
    async with office.client(office.staff("stranger", Role.BATCH_OPERATOR, tenant="other")) as client:
        assert (await client.get(f"/v1/batch-plans/{made['plan']}")).status_code == 404
        assert (await _post(client, f"/{made['plan']}/pause")).status_code == 404
        assert (await client.get("/v1/batch-plans")).json()["items"] == []
