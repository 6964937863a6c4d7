"""Impact assessments over HTTP: words are sealed, a second person approves, and rule PIPL-55 is answered from them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from models.domain.roles import Role
from models.queries.assessments import assessment_approved_at
from models.tables.assessments import ImpactAssessment
from models.tables.audit import AuditEvent
from tests.support.api import Office
from tests.support.registers import RegisterDesk, register_desk

PATH = "/v1/impact-assessments"
WORDS = {"necessity": "审核分期所必需", "risk": "误判还款能力的风险", "measures": "人工复核、加密保存"}
BODY: dict[str, Any] = {
    "activity": "batch-debit",
    "triggers": ["sensitive-data", "automated-decision"],
    "conclusion": "proceed-with-measures",
    "validUntil": "2027-11-22",
    **WORDS,
}


async def approved(desk: RegisterDesk, **changes: Any) -> dict[str, Any]:
    drafted = await desk.done("POST", PATH, BODY | changes, by=desk.business)
    path = f"{PATH}/{drafted['id']}"
    shown = await desk.done("POST", f"{path}/submission", by=desk.business, version=1)
    return await desk.done("POST", f"{path}/approval", {"shownHash": shown["shownHash"]}, by=desk.officer)


async def test_an_assessment_is_approved_by_a_second_person_and_kept(office: Office) -> None:
    desk = register_desk(office)
    made = await approved(desk)
    assert (made["state"], made["inForce"], made["keptUntil"]) == ("APPROVED", True, "2030-11-22")
    assert (made["draftedBy"], made["decidedBy"], made["risk"]) == (desk.business.id, desk.officer.id, WORDS["risk"])
    frozen = await desk.call("PUT", f"{PATH}/{made['id']}", BODY, by=desk.business, version=made["revision"])
    assert (frozen.status_code, frozen.json()["code"]) == (409, "wrong-state")
    office.clock.advance(days=365)
    late = await desk.done("GET", f"{PATH}/{made['id']}", by=desk.auditor, locale="zh-CN")
    assert (late["inForce"], late["expired"], late["conclusionText"]) == (False, True, "采取所列措施后可以进行")
    expired = await desk.done("GET", f"{PATH}?expired=true", by=desk.auditor)
    assert [item["id"] for item in expired["items"]] == [made["id"]]
    with office.deps.database.read() as session:
        row = session.get_one(ImpactAssessment, made["id"])
        events = session.exec(select(AuditEvent).where(AuditEvent.target == made["id"])).all()
    assert row.risk_cell is not None
    for words in WORDS.values():
        assert words.encode() not in row.risk_cell
        assert all(words not in event.body for event in events)
    assert sorted(event.action for event in events) == [
        "assessment.approved",
        "assessment.drafted",
        "assessment.submitted",
    ]


async def test_no_maker_approves_and_only_a_privacy_officer_does(office: Office) -> None:
    desk = register_desk(office)
    drafted = await desk.done("POST", PATH, BODY, by=desk.business)
    path = f"{PATH}/{drafted['id']}"
    await desk.done("PUT", path, BODY | {"risk": "另有风险"}, by=desk.officer, version=1)
    shown = await desk.done("POST", f"{path}/submission", by=desk.business, version=2)
    body = {"shownHash": shown["shownHash"]}
    refused = await desk.call("POST", f"{path}/approval", body, by=desk.officer)
    assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")
    unable = await desk.call("POST", f"{path}/approval", body, by=desk.business)
    assert unable.json()["code"] == "permission-missing"
    back = await desk.done("POST", f"{path}/return", body | {"reasonCode": "risk-incomplete"}, by=desk.second)
    assert (back["state"], back["returnReasonText"]) == ("DRAFT", "The risks are not complete")
    again = await desk.call("POST", f"{path}/approval", body, by=desk.second)
    assert (again.status_code, again.json()["code"]) == (409, "wrong-state")


async def test_the_rule_is_answered_by_what_was_approved_before_and_was_still_good(office: Office) -> None:
    desk = register_desk(office)
    start = office.clock()

    def answer(days: float) -> Any:
        with office.deps.database.read() as session:
            return assessment_approved_at(
                session, tenant="main", activity="batch-debit", started_at=start + timedelta(days=days)
            )

    assert answer(0) is None
    office.clock.advance(days=1)
    await approved(desk, conclusion="do-not-proceed")
    assert answer(2) is None
    office.clock.advance(days=1)
    at = office.clock()
    await approved(desk)
    assert answer(1) == at, "approved too late: the rule is told when"
    assert answer(2) == at
    assert answer(3) == at
    assert answer(370) is None, "it had run out"


async def test_a_new_institution_brings_the_assessment_of_its_model_along(office: Office) -> None:
    desk = register_desk(office)
    [item] = (await desk.done("GET", f"{PATH}?activity=affordability-model", by=desk.auditor))["items"]
    assert (item["state"], item["inForce"], item["approvedAt"]) == ("APPROVED", True, "2026-01-04T16:00:00Z")
    told = await desk.done("GET", f"{PATH}/{item['id']}", by=desk.auditor)
    assert told["necessity"] is None


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"triggers": []}, "/triggers", "too-short"),
        ({"triggers": ["provision", "provision"]}, "/triggers", "named-twice"),
        ({"validUntil": "2026-11-22"}, "/validUntil", "ends-before-it-begins"),
        ({"risk": " "}, "/risk", "pattern"),
        ({"conclusion": "maybe"}, "/conclusion", "not-one-of"),
    ],
)
async def test_what_does_not_fit_is_named(
    sqlite_office: Office, change: dict[str, Any], pointer: str, code: str
) -> None:
    desk = register_desk(sqlite_office)
    answer = await desk.call("POST", PATH, BODY | change, by=desk.business)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]


async def test_who_has_no_part_in_it_reads_nothing(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER, branch="*")
    assert (await desk.call("GET", PATH, by=officer)).json()["code"] == "permission-missing"
