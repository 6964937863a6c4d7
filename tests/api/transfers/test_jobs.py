"""Transfer jobs over HTTP: created with a plan, planned anew, proven, held; both companies read, one acts."""

from datetime import timedelta
from typing import Any

import pytest

from models.domain.ids import transfer_workflow_id
from models.domain.roles import Role
from models.tables.staff import Staff
from models.tables.transfers import TransferJob, TransferWave
from tests.support.api import Office
from tests.support.applications import PNG, FakeDispatcher

TEMPLATE = "/v1/transfers/plan-template?classes=E&cutoverOn=2026-12-20"
EVENT = {"transferred": "portfolio", "transferEvent": "asset-sale", "sourceTenant": "seller"}


@pytest.fixture
def bank(sqlite_office: Office) -> Office:
    sqlite_office.tenant("seller")
    return sqlite_office


@pytest.fixture
def lead(bank: Office) -> Staff:
    return bank.staff("lead", Role.MIGRATION_LEAD)


@pytest.fixture
def privacy(bank: Office) -> Staff:
    return bank.staff("privacy", Role.PRIVACY_OFFICER)


async def _created(bank: Office, lead: Staff, *, key: str = "k1", **changes: Any) -> Any:
    async with bank.client(lead) as client:
        plan = (await client.get(TEMPLATE)).json()["plan"]
        body = {**EVENT, "plan": plan, **changes}
        return await client.post("/v1/transfers", json=body, headers={"Idempotency-Key": key})


async def test_a_job_is_created_once_with_its_class_and_started(
    bank: Office, lead: Staff, dispatcher: FakeDispatcher
) -> None:
    first, again = await _created(bank, lead), await _created(bank, lead)
    assert first.status_code == 201
    assert again.json() == first.json()
    job = first.json()
    assert (job["classes"], job["stage"], job["planVersion"]) == (["E"], "classifying", 1)
    assert job["facts"] == {"transferred": "portfolio", "transfer_event": "asset-sale", "recipient_abroad": False}
    assert set(dispatcher.starts) == {transfer_workflow_id(job["job"])}
    assert {name: each["allowed"] for name, each in job["allowedActions"].items()} == {
        "replace-plan": True,
        "add-evidence": True,
        "pause": True,
        "resume": False,
        "cancel": True,
        "ask-rollback": False,
    }


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"transferEvent": "merger"}, "/transferEvent"),
        ({"sourceTenant": "nobody"}, "/sourceTenant"),
        ({"sourceTenant": "main"}, "/sourceTenant"),
        ({"plan": {}}, "/plan/scope"),
        ({"planToml": "x = 1"}, ""),
    ],
)
async def test_what_does_not_fit_is_named(bank: Office, lead: Staff, changes: dict[str, Any], pointer: str) -> None:
    answer = await _created(bank, lead, **changes)
    assert answer.status_code == 422
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]


async def test_the_plan_comes_as_a_toml_file_too(bank: Office, lead: Staff) -> None:
    async with bank.client(lead) as client:
        toml = (await client.get(TEMPLATE)).json()["toml"]
    by_file = await _created(bank, lead, key="k2", plan=None, planToml=toml)
    assert by_file.status_code == 201
    assert by_file.json()["planHash"] == (await _created(bank, lead)).json()["planHash"]


async def test_both_companies_read_and_only_the_receiving_one_acts(bank: Office, lead: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    seller = bank.staff("seller", Role.MIGRATION_LEAD, tenant="seller")
    bank.tenant("other")
    other = bank.staff("other", Role.MIGRATION_LEAD, tenant="other")
    async with bank.client(seller) as client:
        read = await client.get(f"/v1/transfers/{job}")
        assert read.status_code == 200
        assert read.json()["allowedActions"]["pause"]["because"] == "permission-missing"
        assert (await client.post(f"/v1/transfers/{job}/pause")).status_code == 404
        assert [each["job"] for each in (await client.get("/v1/transfers")).json()["items"]] == [job]
    async with bank.client(other) as client:
        assert (await client.get(f"/v1/transfers/{job}")).status_code == 404
        assert (await client.get("/v1/transfers")).json()["items"] == []


async def test_a_plan_is_replaced_in_the_version_that_was_read(bank: Office, lead: Staff) -> None:
    made = await _created(bank, lead)
    job, path = made.json(), f"/v1/transfers/{made.json()['job']}/plan"
    body = {"plan": job["plan"] | {"errorBudget": 7}}
    async with bank.client(lead) as client:
        assert (await client.put(path, json=body)).status_code == 428
        changed = await client.put(path, json=body, headers={"If-Match": made.headers["ETag"]})
        assert (changed.status_code, changed.json()["planVersion"], changed.json()["errorBudget"]) == (200, 2, 7)
        stale = await client.put(path, json=body, headers={"If-Match": made.headers["ETag"]})
        assert stale.status_code == 412
        versions = (await client.get(f"/v1/transfers/{job['job']}/plan-versions")).json()["items"]
        assert [each["number"] for each in versions] == [2, 1]
        assert versions[1]["planHash"] == job["planHash"]


async def test_a_plan_before_the_companies_stays_as_it_is(bank: Office, lead: Staff) -> None:
    made = await _created(bank, lead)
    _set(bank, made.json()["job"], stage="approving")
    async with bank.client(lead) as client:
        read = await client.get(f"/v1/transfers/{made.json()['job']}")
        answer = await client.put(
            f"/v1/transfers/{made.json()['job']}/plan",
            json={"plan": made.json()["plan"]},
            headers={"If-Match": read.headers["ETag"]},
        )
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "wrong-state")


async def test_pause_resume_and_cancel_are_wishes_that_the_workflow_is_told_of(
    bank: Office, lead: Staff, dispatcher: FakeDispatcher
) -> None:
    job = (await _created(bank, lead)).json()["job"]
    async with bank.client(lead) as client:
        assert (await client.post(f"/v1/transfers/{job}/pause")).json()["paused"] is True
        assert (await client.post(f"/v1/transfers/{job}/pause")).status_code == 409
        assert (await client.post(f"/v1/transfers/{job}/resumption")).json()["paused"] is False
        ended = await client.post(f"/v1/transfers/{job}/cancellation", json={"reasonCode": "opened-by-mistake"})
        assert ended.json()["cancelAsked"] is True
    assert dispatcher.nudged == [transfer_workflow_id(job)] * 3


async def test_once_rows_have_moved_a_job_is_rolled_back_and_not_cancelled(bank: Office, lead: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    body = {"reasonCode": "error-rate", "wave": 1}
    async with bank.client(lead) as client:
        path = f"/v1/transfers/{job}/rollbacks"
        assert (await client.post(path, json=body, headers={"Idempotency-Key": "a"})).status_code == 404
        whole = {"reasonCode": "error-rate"}
        assert (await client.post(path, json=whole, headers={"Idempotency-Key": "b"})).status_code == 409
        with bank.deps.database.write() as session:
            session.add(TransferWave(job=job, number=1, tenant="main", state="moved", rows=1))
        cancelled = await client.post(f"/v1/transfers/{job}/cancellation", json={"reasonCode": "opened-by-mistake"})
        assert cancelled.status_code == 409
        asked = await client.post(path, json=body, headers={"Idempotency-Key": "c"})
        assert (asked.status_code, asked.json()["state"], asked.json()["wave"]) == (201, "proposed", 1)
        assert (await client.post(path, json=whole, headers={"Idempotency-Key": "d"})).status_code == 409
        assert [each["id"] for each in (await client.get(path)).json()["items"]] == [asked.json()["id"]]


async def test_evidence_is_a_sealed_file_or_a_reference_with_its_hash(bank: Office, lead: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    path = f"/v1/transfers/{job}/evidence"
    async with bank.client(lead) as client:
        listed = (await client.get(path)).json()
        assert listed["missing"] == ["asset-agreement", "claim-list"]
        file = {"file": ("contract.png", PNG, "image/png")}
        sent = await client.post(path, data={"kind": "asset-agreement"}, files=file, headers={"Idempotency-Key": "f"})
        assert (sent.status_code, sent.json()["mediaType"]) == (201, "image/png")
        reference = {"kind": "claim-list", "reference": "archive/2026/7", "digest": "a" * 64}
        kept = await client.post(
            f"/v1/transfers/{job}/evidence-references", json=reference, headers={"Idempotency-Key": "r"}
        )
        assert kept.status_code == 201
        unknown = reference | {"kind": "holiday-photo"}
        refused = await client.post(
            f"/v1/transfers/{job}/evidence-references", json=unknown, headers={"Idempotency-Key": "u"}
        )
        assert refused.json()["errors"][0]["pointer"] == "/kind"
        assert (await client.get(path)).json()["missing"] == []
    sealed = [each.read_bytes() for each in bank.deps.files_root.rglob("*") if each.is_file()]
    assert sealed
    assert all(PNG[:200] not in each for each in sealed)


async def test_facts_are_stated_in_their_type_and_never_what_records_tell(bank: Office, lead: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    path = f"/v1/transfers/{job}/facts"
    async with bank.client(lead) as client:
        good = await client.put(f"{path}/change_filed_on", json={"value": "2026-11-01"})
        assert good.json() == {"name": "change_filed_on", "value": "2026-11-01", "evidence": None}
        assert (await client.get(f"/v1/transfers/{job}")).json()["facts"]["change_filed_on"] == "2026-11-01"
        bad = await client.put(f"{path}/change_filed_on", json={"value": True})
        assert bad.json()["errors"][0]["pointer"] == "/value"
        for name in ("restore_tested", "subjects_told", "no_such_fact"):
            assert (await client.put(f"{path}/{name}", json={"value": True})).status_code == 404


async def test_training_is_recorded_by_somebody_else_and_runs_out(bank: Office, lead: Staff, privacy: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    now = bank.clock()
    body = {
        "staffId": lead.id,
        "course": "data-transfer",
        "passedAt": now.isoformat(),
        "validUntil": (now + timedelta(days=30)).isoformat(),
    }
    path = f"/v1/transfers/{job}/grants"
    async with bank.client(lead) as client:
        assert (await client.post(path, json=body, headers={"Idempotency-Key": "g"})).status_code == 403
    async with bank.client(privacy) as client:
        own = await client.post(path, json=body | {"staffId": privacy.id}, headers={"Idempotency-Key": "o"})
        assert own.json()["type"].endswith("four-eyes-violation")
        made = await client.post(path, json=body, headers={"Idempotency-Key": "g"})
        assert made.status_code == 201
        assert (await client.delete(f"{path}/{made.json()['id']}")).status_code == 204
        assert (await client.get(path)).json()["items"][0]["revokedAt"] is not None


async def test_a_course_is_passed_at_a_moment_with_its_zone(bank: Office, lead: Staff, privacy: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    body = {
        "staffId": lead.id, "course": "data-transfer", "passedAt": "2026-11-01T10:00:00+08:00",
        "validUntil": "2027-11-01T10:00:00+08:00",
    }  # fmt: skip
    async with bank.client(privacy) as client:
        for name, moment in (("passedAt", "2026-11-01T10:00:00"), ("validUntil", "9999-12-31T23:59:59-12:00")):
            answer = await client.post(
                f"/v1/transfers/{job}/grants", json=body | {name: moment}, headers={"Idempotency-Key": moment[:4]}
            )
            assert answer.status_code == 422
            assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{name}"]


async def test_a_template_is_of_a_day_that_banks_know(bank: Office, lead: Staff) -> None:
    async with bank.client(lead) as client:
        answer = await client.get(TEMPLATE.replace("2026-12-20", "9999-12-31"))
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [("/cutoverOn", "value-date")]


async def test_progress_tells_stages_rows_and_waves(bank: Office, lead: Staff) -> None:
    job = (await _created(bank, lead)).json()["job"]
    _set(bank, job, stage="updating")
    async with bank.client(lead) as client:
        progress = (await client.get(f"/v1/transfers/{job}/progress")).json()
    assert (progress["stage"], progress["stagesDone"], progress["stages"], progress["rows"]) == (
        "updating",
        8,
        13,
        {"read": 0},
    )


def _set(bank: Office, token: str, **values: Any) -> None:
    with bank.deps.database.write() as session:
        job = session.get_one(TransferJob, token)
        for name, value in values.items():
            setattr(job, name, value)
        session.add(job)
