"""Runs of batches over HTTP: listed, read, held, cancelled; another institution's do not exist, and few may act."""

from datetime import date

import pytest
from sqlmodel import Session

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.states import RunStage
from models.domain.roles import Role
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.four_eyes import By
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.staff import Staff
from tests.support.api import Office

ON = date(2026, 3, 10)


@pytest.fixture
def operator(sqlite_office: Office) -> Staff:
    return sqlite_office.staff("operator", Role.BATCH_OPERATOR)


def _begun(office: Office, staff: Staff, key: str = "k1") -> str:
    new = NewRun(
        tenant="main",
        branch="sh-01",
        kind=KindName.AUTO_DEBIT,
        origin=Origin.STAFF,
        source=MemberSource.BOOK,
        request_key=key,
        business_date=ON,
        by=By(tenant="main", staff_id=staff.id, person_id=staff.person_id),
    )
    with unit_of_work(office.deps.database, _deed(office)) as unit:
        return begin_run(unit.session, new, now=office.clock())[0].token


def _deed(office: Office) -> Deed:
    return Deed(tenant="main", action="batch.created", target="t", actor="stf_x", at=office.clock(), facts={})


def _order(session: Session, run: str, member: int, office: Office) -> None:
    session.add(
        BatchOrder(
            id=f"bor_{member:026d}",
            tenant="main",
            run=run,
            member=member,
            claim_key=f"row/agr_secretclaim/{member:08d}",
            subject_id="sub_x",
            amount_minor=100 * member,
            state="queued",
            policy_version="-",
            requested_on=ON,
            created_at=office.clock(),
            updated_at=office.clock(),
        )
    )


async def test_a_run_is_paused_once_and_goes_on(sqlite_office: Office, operator: Staff) -> None:
    path = f"/v1/batches/{_begun(sqlite_office, operator)}"
    async with sqlite_office.client(operator) as client:
        read = await client.get(path)
        assert (read.json()["stage"], read.json()["paused"]) == ("cohort", False)
        unchanged = await client.get(path, headers={"If-None-Match": read.headers["ETag"]})
        assert unchanged.status_code == 304
        assert (await client.post(f"{path}/pause")).json()["paused"] is True
        again = await client.post(f"{path}/pause")
        assert (again.status_code, again.json()["state"]) == (409, "paused")
        assert (await client.get(path)).json()["allowedActions"]["pause"]["because"] == "wrong-state"
        assert (await client.post(f"{path}/resumption")).json()["paused"] is False


async def test_a_run_that_is_reconciled_is_not_cancelled(sqlite_office: Office, operator: Staff) -> None:
    first, late = _begun(sqlite_office, operator), _begun(sqlite_office, operator, "k2")
    with unit_of_work(sqlite_office.deps.database, _deed(sqlite_office)) as unit:
        unit.session.get_one(BatchRun, late).stage = RunStage.RECONCILING.value
    async with sqlite_office.client(operator) as client:
        body = {"reasonCode": "batch-called-off"}
        done = await client.post(f"/v1/batches/{first}/cancellation", json=body)
        assert (done.status_code, done.json()["cancelAsked"]) == (200, True)
        assert (await client.post(f"/v1/batches/{late}/cancellation", json=body)).status_code == 409
        unknown = await client.post(f"/v1/batches/{first}/cancellation", json={"reasonCode": "mood"})
        assert unknown.status_code == 422


async def test_orders_come_page_by_page_and_tell_no_claim(sqlite_office: Office, operator: Staff) -> None:
    run = _begun(sqlite_office, operator)
    with unit_of_work(sqlite_office.deps.database, _deed(sqlite_office)) as unit:
        for member in (1, 2, 3):
            _order(unit.session, run, member, sqlite_office)
    async with sqlite_office.client(operator) as client:
        first = await client.get(f"/v1/batches/{run}/orders?limit=2")
        rest = await client.get(f"/v1/batches/{run}/orders?limit=2&after={first.json()['endCursor']}")
        assert [each["member"] for each in first.json()["items"] + rest.json()["items"]] == [1, 2, 3]
        assert rest.json()["endCursor"] is None
        assert "agr_secretclaim" not in first.text
        progress = (await client.get(f"/v1/batches/{run}/progress")).json()
        assert progress["orders"] == {"queued": {"count": 3, "amountMinor": 600}}


async def test_who_may_not_act_reads_and_others_find_nothing(sqlite_office: Office, operator: Staff) -> None:
    run = _begun(sqlite_office, operator)
    sqlite_office.tenant("other")
    reader = sqlite_office.staff("reader", Role.AUDITOR)
    stranger = sqlite_office.staff("stranger", Role.BATCH_OPERATOR, tenant="other")
    async with sqlite_office.client(reader) as client:
        assert [each["run"] for each in (await client.get("/v1/batches?open=true")).json()["items"]] == [run]
        assert (await client.post(f"/v1/batches/{run}/pause")).status_code == 403
        assert (await client.get(f"/v1/batches/{run}/report")).status_code == 404  # none is written yet
    async with sqlite_office.client(stranger) as client:
        assert (await client.get("/v1/batches")).json()["items"] == []
        for route in ("", "/orders", "/progress", "/report"):
            assert (await client.get(f"/v1/batches/{run}{route}")).status_code == 404
        assert (await client.post(f"/v1/batches/{run}/pause")).status_code == 404
