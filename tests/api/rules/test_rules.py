"""`/v1/rules`: every rule, one rule, and a dry run of a gate under the bank's policy of the date."""

from typing import Any

from compliance.rules.facts import facts_needed, spelled_fact
from compliance.rules.registry import REGISTRY
from models.domain.roles import Role
from models.domain.states import Gate
from tests.compliance.rules.world import WORLD
from tests.support.api import Office
from tests.support.rule_desk import RuleDesk


def facts(**changes: Any) -> dict[str, Any]:
    known = {name: spelled_fact(value) for name, value in WORLD.items() if name in facts_needed(Gate.NEGOTIATION)}
    return known | changes


async def test_every_rule_is_listed_in_the_readers_language(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    async with sqlite_office.client(officer) as client:
        english = (await client.get("/v1/rules")).json()
        chinese = (await client.get("/v1/rules", headers={"Accept-Language": "zh-CN"})).json()
        gate = (await client.get("/v1/rules?gate=signing&severity=WARN&on=2026-11-21")).json()
        wrong = await client.get("/v1/rules?gate=signings")
    assert [each["ruleId"] for each in english["items"]] == [each["ruleId"] for each in chinese["items"]]
    assert {each["ruleId"] for each in english["items"]} == {rule.id for rule in REGISTRY}
    assert english["items"][0]["title"] != chinese["items"][0]["title"]
    assert {(each["severity"], each["inForce"]) for each in gate["items"]} == {("WARN", True)}
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/gate")


async def test_one_rule_is_told_in_all_its_versions_and_staff_without_the_right_see_none(sqlite_office: Office) -> None:
    async with sqlite_office.client(sqlite_office.staff("auditor", Role.AUDITOR)) as client:
        found = await client.get("/v1/rules/AML-34c")
        assert [each["effectiveTo"] for each in found.json()["versions"]] == ["2024-12-31", None]
        assert (await client.get("/v1/rules/AML-34z")).status_code == 404
    async with sqlite_office.client(sqlite_office.staff("admin", Role.STAFF_ADMIN)) as client:
        assert (await client.get("/v1/rules")).status_code == 403


async def test_a_dry_run_answers_under_the_policy_of_the_date_and_keeps_nothing(office: Office) -> None:
    desk = RuleDesk(office)
    await desk.policy("policy/1", "2026-11-24", parameters={"max_term_months": 24})
    told = {}
    for day in ("2026-11-23", "2026-11-24"):
        answer = await desk.post("/v1/rules/evaluations", {"gate": "negotiation", "asOf": day, "facts": facts()})
        assert answer.status_code == 200, answer.text
        told[day] = answer.json()
    assert (told["2026-11-23"]["policyVersion"], told["2026-11-23"]["blocks"]) == ("", False)
    assert (told["2026-11-24"]["policyVersion"], told["2026-11-24"]["blocks"]) == ("policy/1", True)
    verdict = next(each for each in told["2026-11-24"]["verdicts"] if each["ruleId"] == "CCM-70b")
    assert verdict["params"]["max_term_months"] == {
        "value": 24, "source": "bank policy policy/1", "asOf": "2026-11-24",
    }  # fmt: skip
    assert "24" in verdict["reasonText"]


async def test_facts_that_cannot_be_read_are_named_by_field_rule_and_fix(sqlite_office: Office) -> None:
    desk = RuleDesk(sqlite_office)
    body = {"gate": "negotiation", "asOf": "2026-11-23", "facts": facts(term_months="36")}
    refused = await desk.post("/v1/rules/evaluations", body)
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == "/facts/term_months"
    assert "CCM-70b" in fault["detail"]
