"""`/v1/rule-reevaluations`: begun by a compliance officer, carried on by a worker, told with its counts and flips."""

from typing import Any

import pytest

from activities.duties import reevaluator as duty_module
from activities.duties.reevaluator import Reevaluator
from activities.tasks.platform import SqlPlatform
from models.contracts.platform import EvaluateGateInput
from models.domain.roles import Role
from models.domain.states import Gate
from tests.support.api import Office
from tests.support.rule_desk import RuleDesk
from tests.support.signing import SigningBench, signing_bench

PATH = "/v1/rule-reevaluations"


@pytest.fixture
def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> RuleDesk:
    monkeypatch.setattr(duty_module, "_REST_S", 0)
    return RuleDesk(office)


@pytest.fixture
def bench(office: Office) -> SigningBench:
    deps = office.deps
    return signing_bench(
        deps.database,
        deps.vault,
        deps.clock,
        deps.files_root,
        renderer=None,
        tenant=False,  # type: ignore[arg-type]
    )


def case(bench: SigningBench) -> str:
    token = bench.case(owed={"purchases": 3_000_000})
    platform = SqlPlatform(bench.database, bench.clock)
    platform.evaluate_gate(EvaluateGateInput(case_token=token, gate=Gate.NEGOTIATION, round=1))
    return token


async def worked(desk: RuleDesk, body: dict[str, Any]) -> dict[str, Any]:
    begun = await desk.post(PATH, body)
    assert begun.status_code == 201, begun.text
    assert begun.json()["state"] == "RUNNING"
    await Reevaluator(desk.office.deps.database, desk.office.clock).run_once(desk.office.clock())
    return dict((await desk.get(f"{PATH}/{begun.json()['id']}")).json())


async def test_what_flips_is_told_with_reason_and_law_and_its_task_is_decided_in_the_inbox(
    desk: RuleDesk, bench: SigningBench
) -> None:
    token = case(bench)
    await desk.policy("policy/1", "2026-11-24", parameters={"max_term_months": 24})
    told = await worked(desk, {"asOf": "2026-11-24"})
    assert (told["state"], told["cases"], told["flips"], told["nowFailing"], told["tasksMade"]) == ("DONE", 1, 2, 1, 2)
    assert told["rulesVersion"].endswith("+policy/1")
    first = (await desk.get(f"{PATH}/{told['id']}/flips?limit=1")).json()
    second = (await desk.get(f"{PATH}/{told['id']}/flips?limit=1&after={first['endCursor']}")).json()
    flips = [*first["items"], *second["items"]]
    assert second["endCursor"] is None
    assert [(each["caseToken"], each["rule"], each["before"], each["after"]) for each in flips] == [
        (token, "CCM-70b", "PASS", "FAIL"),
        (token, "CCN22-TERM", "PASS", "FAIL"),
    ]
    assert "24" in flips[0]["reasonText"]
    assert "Article 70" in flips[0]["citation"]
    officer = desk.office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    async with desk.office.client(officer) as client:
        task = await client.get(f"/v1/tasks/{flips[0]['taskId']}")
        assert "CCM-70b" in task.json()["title"]
        form = (await client.get(f"/v1/tasks/{flips[0]['taskId']}/form")).json()
        assert form["oneOf"][0]["properties"]["reasonCode"]["oneOf"]
        decided = await client.post(
            f"/v1/tasks/{flips[0]['taskId']}/decisions",
            json={"outcome": "noted", "reasonCode": "earlier-law-holds", "note": "signed before"},
            headers={"Idempotency-Key": "d1", "If-Match": task.headers["etag"]},
        )
        assert (decided.status_code, decided.json()["state"]) == (201, "APPLIED"), decided.text
        again = await client.post(
            f"/v1/tasks/{flips[0]['taskId']}/decisions",
            json={"outcome": "noted", "reasonCode": "earlier-law-holds", "note": "signed before"},
            headers={"Idempotency-Key": "d1", "If-Match": task.headers["etag"]},
        )
        assert again.json() == decided.json()
        after = (await client.get(f"/v1/tasks/{flips[0]['taskId']}")).json()
    assert after["state"] == "DONE"
    assert (await worked(desk, {"asOf": "2026-11-24"}))["tasksMade"] == 0


async def test_a_draft_is_tried_without_tasks_and_never_with(desk: RuleDesk, bench: SigningBench) -> None:
    case(bench)
    body = {"version": "policy/1", "validFrom": "2026-12-01", "parameters": {"max_term_months": 24}}
    draft = (await desk.post("/v1/rule-parameters", body)).json()
    told = await worked(desk, {"policyId": draft["id"]})
    assert (told["asOf"], told["nowFailing"], told["tasksMade"], told["withTasks"]) == ("2026-12-01", 1, 0, False)
    refused = await desk.post(PATH, {"policyId": draft["id"], "withTasks": True})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/withTasks")


async def test_only_compliance_begins_a_pass_and_others_may_look(desk: RuleDesk, bench: SigningBench) -> None:
    officer = desk.office.staff("officer", Role.CASE_OFFICER)
    assert (await desk.post(PATH, {}, officer)).status_code == 403
    told = await worked(desk, {})
    assert (await desk.get(f"{PATH}/{told['id']}", officer)).json()["asOf"] == "2026-11-23"
    assert [each["id"] for each in (await desk.get(PATH, officer)).json()["items"]] == [told["id"]]
    desk.office.tenant("other")
    stranger = desk.office.staff("stranger", Role.COMPLIANCE_OFFICER, tenant="other")
    assert (await desk.get(f"{PATH}/{told['id']}", stranger)).status_code == 404
