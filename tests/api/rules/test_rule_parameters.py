"""Figures and switches of the bank: drafted by one, approved by another, from a day on, never changed, never looser."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlmodel import col, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.policy import policy_on
from models.domain.roles import Role
from models.domain.rule_desk import DraftKind
from models.errors import FourEyesViolation
from models.operations.rule_desk import decide_draft
from models.queries.rule_desk import draft_records
from models.tables.audit import AuditEvent
from models.tables.rule_desk import RuleDraftDecision
from tests.support.api import Office
from tests.support.rule_desk import RuleDesk

PATH = "/v1/rule-parameters"
STRICT = {"max_term_months": 48}


def body(version: str = "policy/1", valid_from: str = "2026-12-01", **told: Any) -> dict[str, Any]:
    return {"version": version, "validFrom": valid_from, "parameters": STRICT, **told}


def in_force(office: Office, on: date) -> str:
    with office.deps.database.read() as session:
        return policy_on(session, "main", on=on).version


async def test_two_persons_settle_a_policy_and_it_holds_from_its_first_day_on(office: Office) -> None:
    desk = RuleDesk(office)
    drafted = await desk.post(PATH, body())
    assert (drafted.status_code, drafted.json()["state"]) == (201, "DRAFTED")
    assert in_force(office, date(2026, 12, 1)) == ""
    approved = await desk.decide(PATH, drafted.json())
    assert (approved.json()["state"], approved.json()["decidedBy"]) == ("APPROVED", desk.checker.id)
    assert in_force(office, date(2026, 11, 30)) == ""
    assert in_force(office, date(2026, 12, 1)) == "policy/1"
    assert in_force(office, date(2036, 12, 1)) == "policy/1"
    await desk.policy("policy/2", "2027-01-01", parameters={"max_term_months": 36})
    assert [in_force(office, day) for day in (date(2026, 12, 31), date(2027, 1, 1))] == ["policy/1", "policy/2"]
    told = (await desk.get(f"{PATH}?on=2026-12-31")).json()
    figures = {each["name"]: each for each in told["parameters"]}
    assert (told["inForce"], figures["max_term_months"]["value"], figures["max_term_months"]["limit"]) == (
        "policy/1", 48, 60,
    )  # fmt: skip
    assert [each["version"] for each in told["items"]] == ["policy/2", "policy/1"]
    with office.deps.database.read() as session:
        actions = session.exec(select(AuditEvent.action).where(col(AuditEvent.action).like("rule-policy.%"))).all()
    assert sorted(actions) == [
        "rule-policy.approved",
        "rule-policy.approved",
        "rule-policy.drafted",
        "rule-policy.drafted",
    ]


async def test_nobody_approves_what_they_drafted_under_any_account_in_any_layer(office: Office) -> None:
    desk = RuleDesk(office)
    twin = office.staff("maker2", Role.COMPLIANCE_OFFICER, person_id=desk.maker.person_id)
    draft = (await desk.post(PATH, body())).json()
    for person in (desk.maker, twin):
        for how in ("approval", "rejection"):
            refused = await desk.decide(PATH, draft, how, by=person)
            assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")
    now = office.clock()
    deed = Deed(tenant="main", action="test", target="test", actor="test", at=now)
    with pytest.raises(FourEyesViolation), unit_of_work(office.deps.database, deed) as unit:
        decide_draft(
            unit.session, tenant="main", draft_id=draft["id"], shown_hash=draft["shownHash"], approve=True,
            by_staff=twin.id, by_person=twin.person_id, earliest=date(2026, 11, 24), now=now,
        )  # fmt: skip
    person = desk.maker.person_id
    row = RuleDraftDecision(
        draft_id=draft["id"], tenant="main", kind=DraftKind.POLICY, slot="2026-12-01", approved=True,
        drafted_by_person=person, decided_by=twin.id, decided_by_person=person, decided_at=now,
    )  # fmt: skip
    with pytest.raises(IntegrityError), unit_of_work(office.deps.database, deed) as unit:
        unit.session.add(row)
    assert in_force(office, date(2026, 12, 1)) == ""


async def test_of_two_approvals_at_once_one_holds_and_a_day_has_one_policy_for_good(office: Office) -> None:
    desk = RuleDesk(office)
    checkers = [office.staff(f"checker{n}", Role.COMPLIANCE_OFFICER) for n in range(4)]
    draft = (await desk.post(PATH, body())).json()
    answers = await asyncio.gather(*(desk.decide(PATH, draft, by=checker) for checker in checkers))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    same_day = (await desk.post(PATH, body("policy/2"))).json()
    assert (await desk.decide(PATH, same_day)).json()["code"] == "conflict"
    assert (await desk.post(PATH, body("policy/2"))).json()["code"] == "conflict"  # a name is used once


async def test_what_has_begun_stays_as_it_was_judged(office: Office) -> None:
    desk = RuleDesk(office)
    refused = await desk.post(PATH, body(valid_from="2026-11-23"))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/validFrom")
    draft = (await desk.post(PATH, body(valid_from="2026-11-24"))).json()
    office.clock.advance(days=1)
    late = await desk.decide(PATH, draft)
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/validFrom")
    assert in_force(office, date(2026, 12, 31)) == ""


async def test_neither_draft_nor_decision_can_be_changed_in_the_database(office: Office) -> None:
    desk = RuleDesk(office)
    await desk.policy("policy/1", "2026-12-01", parameters=STRICT)
    for statement in (
        "UPDATE rule_drafts SET version = 'x'",
        "DELETE FROM rule_drafts",
        "UPDATE rule_draft_decisions SET approved = NOT approved",
        "DELETE FROM rule_draft_decisions",
    ):
        with pytest.raises(DatabaseError), office.deps.database.write() as session:
            session.execute(text(statement))
    assert in_force(office, date(2026, 12, 1)) == "policy/1"


async def test_a_rejected_draft_and_a_word_on_something_else_change_nothing(office: Office) -> None:
    desk = RuleDesk(office)
    draft = (await desk.post(PATH, body())).json()
    other = await desk.decide(PATH, {**draft, "shownHash": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")
    stale = office.token(desk.checker, auth_age=timedelta(minutes=6))
    async with office.client(token=stale) as client:
        old = await client.post(
            f"{PATH}/{draft['id']}/approval", json={"shownHash": draft["shownHash"]}, headers={"Idempotency-Key": "o"}
        )
    assert (old.status_code, old.json()["code"]) == (401, "fresh-login-required")
    assert (await desk.decide(PATH, draft, "rejection")).json()["state"] == "REJECTED"
    assert (await desk.decide(PATH, draft)).json()["code"] == "wrong-state"
    assert in_force(office, date(2026, 12, 1)) == ""


@pytest.mark.parametrize(
    ("told", "pointer", "said"),
    [
        ({"parameters": {"max_term_months": 61}}, "/parameters/max_term_months", ("CCM-70b", "60")),
        ({"parameters": {"reading_seconds": 9}}, "/parameters/reading_seconds", ("AIC26-ONLINE", "10")),
        ({"switches": {"CCM-70b": "WARN"}}, "/switches/CCM-70b", ("CCM-70b", "Article 70")),
    ],
)
async def test_what_is_looser_than_the_law_is_refused_with_rule_and_limit(
    sqlite_office: Office, told: dict[str, Any], pointer: str, said: tuple[str, ...]
) -> None:
    desk = RuleDesk(sqlite_office)
    refused = await desk.post(PATH, body() | told)
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == pointer
    assert all(word in fault["detail"] for word in said)
    with sqlite_office.deps.database.read() as session:
        assert draft_records(session, "main", kind=DraftKind.POLICY, limit=9) == []


async def test_other_staff_may_look_and_not_touch_and_other_institutions_see_nothing(sqlite_office: Office) -> None:
    desk = RuleDesk(sqlite_office)
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    draft = (await desk.post(PATH, body())).json()
    assert (await desk.get(PATH, officer)).status_code == 200
    assert (await desk.post(PATH, body("policy/9"), officer)).status_code == 403
    assert (await desk.decide(PATH, draft, by=officer)).status_code == 403
    sqlite_office.tenant("other")
    stranger = sqlite_office.staff("stranger", Role.COMPLIANCE_OFFICER, tenant="other")
    assert (await desk.get(f"{PATH}/{draft['id']}", stranger)).status_code == 404
    assert (await desk.decide(PATH, draft, by=stranger)).status_code == 404
