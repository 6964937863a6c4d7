"""Security incidents over HTTP: clocks and tasks follow from the facts, lateness stays, closing takes everything."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from activities.duties.incident_watch import IncidentWatch
from models.domain.roles import Role
from models.queries.incidents import incident_facts
from models.tables.audit import AuditEvent
from models.tables.incidents import SecurityIncident
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.registers import RegisterDesk, register_desk

PATH = "/v1/security-incidents"
SAID = "客户张某的对账单寄错"
LEAK: dict[str, Any] = {
    "kind": "leak",
    "grade": "larger",
    "discoveredAt": "2026-11-23T02:00:00Z",
    "dataClasses": ["identity", "account"],
    "persons": 12,
    "criticalInfrastructure": False,
    "summary": SAID,
}


def said(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def tasks_of(desk: RegisterDesk, state: str = "open") -> dict[str, dict[str, Any]]:
    """The tasks of incidents by authority."""
    body = {"filter": {"type": "registers.incident-report", "state": state}, "sort": "due"}
    found = (await desk.done("POST", "/v1/tasks/search", body, by=desk.officer))["items"]
    full = [await desk.done("GET", f"/v1/tasks/{item['id']}", by=desk.officer) for item in found]
    return {task["shown"]["authority"]: task for task in full}


async def report(
    desk: RegisterDesk, authority: str, *, at: datetime | None = None, by: Staff | None = None, **changes: Any
) -> Any:
    """Decide the task of an authority: it was reported."""
    task = (await tasks_of(desk))[authority]
    body = {
        "outcome": "report",
        "reportedAt": said(at or desk.office.clock()),
        "reference": "NO-2026/17",
        "evidence": "receipt-17",
    }
    path = f"/v1/tasks/{task['id']}/decisions"
    return await desk.call("POST", path, body | changes, by=by or desk.officer, version=task["version"])


def by_clock(incident: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["clock"]: each for each in incident["reports"]}


async def test_each_authority_has_one_task_and_the_first_clock_leads(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.done("POST", PATH, LEAK, by=desk.officer)
    assert (made["nextDueAt"], made["anyLate"], made["summary"]) == ("2026-11-23T02:30:00Z", False, SAID)
    brief = by_clock(made)["pboc-brief"]
    assert (brief["limitSeconds"], brief["verified"], brief["provisional"]) == (1800, "DRAFT", True)
    assert by_clock(made)["cac"]["provisional"] is False
    tasks = await tasks_of(desk)
    assert {name: task["dueAt"][11:16] for name, task in tasks.items()} == {
        "pboc": "02:30",
        "nfra": "04:00",
        "cac": "06:00",
        "persons": "02:00",
    }
    assert (tasks["pboc"]["priority"], tasks["cac"]["priority"]) == (95, 90)
    assert tasks["cac"]["title"] == (
        f"Report to the provincial cyberspace administration: data leak (incident ending {made['id'][-6:]})"
    )
    with office.deps.database.read() as session:
        row = session.get_one(SecurityIncident, made["id"])
        events = session.exec(select(AuditEvent.body).where(AuditEvent.target == made["id"])).all()
    assert SAID.encode() not in row.summary_cell
    assert all(SAID not in body for body in events)


async def test_exactly_four_hours_is_in_time_and_a_second_more_is_late_for_ever(office: Office) -> None:
    desk = register_desk(office)
    found = office.clock()
    first = await desk.done("POST", PATH, LEAK, by=desk.officer)
    office.clock.advance(hours=4)
    answer = await report(desk, "cac")
    assert (answer.status_code, answer.json()["state"]) == (201, "APPLIED")
    told = by_clock(await desk.done("GET", f"{PATH}/{first['id']}", by=desk.auditor))["cac"]
    assert (told["state"], told["late"], told["reportedAt"]) == ("REPORTED", False, said(found + timedelta(hours=4)))
    assert told["recordedAt"] == said(office.clock())

    second = await desk.done("POST", PATH, LEAK | {"discoveredAt": said(office.clock())}, by=desk.officer)
    start = office.clock()
    office.clock.advance(hours=4, seconds=1)
    assert (await report(desk, "cac")).status_code == 201
    told = by_clock(await desk.done("GET", f"{PATH}/{second['id']}", by=desk.auditor))["cac"]
    assert (told["late"], told["lateSeconds"], told["lateAsRecordedFirst"]) == (True, 1, True)

    # "It was discovered later" makes the report look timely by the clock; that it was late as recorded first stays.
    version = (await desk.done("GET", f"{PATH}/{second['id']}", by=desk.officer))["version"]
    later = {name: value for name, value in LEAK.items() if name not in ("kind", "summary")} | {
        "discoveredAt": said(start + timedelta(hours=1)),
        "reasonCode": "found-later",
    }
    corrected = await desk.done("POST", f"{PATH}/{second['id']}/corrections", later, by=desk.officer, version=version)
    told = by_clock(corrected)["cac"]
    assert (told["late"], told["lateAsRecordedFirst"], corrected["anyLate"]) == (False, True, True)
    assert [(each["no"], each["discoveredAt"], each["reasonCode"]) for each in corrected["history"]] == [
        (1, said(start), "first-record"),
        (2, said(start + timedelta(hours=1)), "found-later"),
    ]
    with office.deps.database.read() as session:
        facts = incident_facts(session, session.get_one(SecurityIncident, second["id"]))
    assert facts["cac_reported_at"] == start + timedelta(hours=4, seconds=1)
    assert "persons_reported_at" not in facts


async def test_one_task_goes_on_to_the_next_clock_of_its_authority(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.done("POST", PATH, LEAK, by=desk.officer)
    office.clock.advance(minutes=90)
    before = (await tasks_of(desk))["nfra"]
    assert (await report(desk, "nfra")).status_code == 201
    after = (await tasks_of(desk))["nfra"]
    assert (after["id"], after["dueAt"]) == (before["id"], "2026-11-24T02:00:00Z")
    assert [each["clock"] for each in after["shown"]["clocks"]] == ["nfra-written"]
    assert (await report(desk, "nfra", reference="NFRA-2")).status_code == 201
    assert "nfra" not in await tasks_of(desk)
    told = by_clock(await desk.done("GET", f"{PATH}/{made['id']}", by=desk.auditor))
    assert (told["nfra-report"]["reference"], told["nfra-written"]["reference"]) == ("NO-2026/17", "NFRA-2")
    done = (await tasks_of(desk, "DONE"))["nfra"]
    assert done["id"] == before["id"]


async def test_a_report_counts_once_and_only_in_the_version_that_was_read(office: Office) -> None:
    desk = register_desk(office)
    await desk.done("POST", PATH, LEAK, by=desk.officer)
    task = (await tasks_of(desk))["cac"]
    path = f"/v1/tasks/{task['id']}/decisions"
    body = {"outcome": "report", "reportedAt": said(office.clock()), "reference": "A-1", "evidence": "B-1"}
    sent = [await desk.call("POST", path, body, by=desk.officer, version=task["version"], key="same") for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    late = await desk.call("POST", path, body, by=desk.second, version=task["version"])
    assert (late.status_code, late.json()["code"]) == (409, "wrong-state")
    decision = await desk.done("GET", f"{path}/{sent[0].json()['decisionId']}", by=desk.officer)
    assert (decision["state"], decision["form"]["clock"], decision["outcomeText"]) == ("APPLIED", "cac", "Reported")


async def test_reports_to_several_authorities_at_once_do_not_stand_in_each_others_way(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.done("POST", PATH, LEAK, by=desk.officer)
    tasks = await tasks_of(desk)
    body = {"outcome": "report", "reportedAt": said(office.clock()), "reference": "A-1", "evidence": "B-1"}
    answers = await asyncio.gather(
        *(
            desk.call("POST", f"/v1/tasks/{task['id']}/decisions", body, by=desk.officer, version=task["version"])
            for task in tasks.values()
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    told = by_clock(await desk.done("GET", f"{PATH}/{made['id']}", by=desk.auditor))
    assert {code for code, each in told.items() if each["state"] == "REPORTED"} == {
        "pboc-brief",
        "nfra-report",
        "cac",
        "pipl-57-persons",
    }
    assert {name: task["dueAt"][11:16] for name, task in (await tasks_of(desk)).items()} == {
        "pboc": "04:00",
        "nfra": "02:00",
    }


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"reportedAt": "2026-11-23T01:59:59Z"}, "/reportedAt"),
        ({"reportedAt": "2026-11-23T09:00:00Z"}, "/reportedAt"),
        ({"reportedAt": "2026-11-31T09:00:00Z"}, "/reportedAt"),
        ({"reference": "13812345678"}, "/reference"),
        ({"evidence": "张三"}, "/evidence"),
    ],
)
async def test_a_report_that_cannot_be_is_named(sqlite_office: Office, changes: dict[str, str], pointer: str) -> None:
    desk = register_desk(sqlite_office)
    await desk.done("POST", PATH, LEAK, by=desk.officer)
    answer = await report(desk, "cac", **changes)
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])


async def test_who_is_no_candidate_or_does_not_hold_it_reports_nothing(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    await desk.done("POST", PATH, LEAK, by=desk.officer)
    task = (await tasks_of(desk))["cac"]
    await desk.done("POST", f"/v1/tasks/{task['id']}/claim", by=desk.second)
    held = await report(desk, "cac")
    assert (held.status_code, held.json()["code"]) == (409, "already-claimed")
    stranger = sqlite_office.staff("stranger", Role.OPERATOR, branch="*")
    body = {"outcome": "report", "reportedAt": said(sqlite_office.clock()), "reference": "A", "evidence": "B"}
    path = f"/v1/tasks/{task['id']}/decisions"
    assert (await desk.call("POST", path, body, by=stranger, version=2)).status_code == 404
    remark = await desk.call("POST", f"/v1/tasks/{task['id']}/comments", {"text": SAID}, by=desk.officer)
    assert (remark.status_code, remark.json()["text"]) == (201, SAID)


async def test_a_graver_grade_begins_the_clocks_that_it_asks_for(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.done("POST", PATH, LEAK | {"grade": "general"}, by=desk.officer)
    assert set(await tasks_of(desk)) == {"nfra", "cac", "persons"}
    assert "cac" not in by_clock(made)
    known = {name: value for name, value in LEAK.items() if name not in ("kind", "summary")}
    body = known | {"reasonCode": "graded-anew", "grade": "major"}
    office.clock.advance(minutes=10)
    graver = await desk.done("POST", f"{PATH}/{made['id']}/corrections", body, by=desk.second, version=1)
    assert by_clock(graver)["cac"]["dueAt"] == "2026-11-23T06:00:00Z"
    assert set(await tasks_of(desk)) == {"pboc", "nfra", "cac", "persons"}
    stale = await desk.call("POST", f"{PATH}/{made['id']}/corrections", body, by=desk.second, version=1)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")


async def test_leaving_a_report_out_takes_two_persons_and_a_reason_that_fits(office: Office) -> None:
    desk = register_desk(office)
    double = office.staff("double", Role.OPERATOR, branch="*", person_id=desk.officer.person_id)
    made = await desk.done("POST", PATH, LEAK, by=desk.officer)
    path = f"{PATH}/{made['id']}/reports"
    averted = {"reasonCode": "harm-averted", "reason": "文件已收回，未被查阅"}
    wrong = await desk.call("POST", f"{path}/cac/omission", averted, by=desk.officer)
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/reasonCode"]
    proposed = await desk.done("POST", f"{path}/pipl-57-persons/omission", averted, by=desk.officer)
    proposal = by_clock(proposed)["pipl-57-persons"]["notNeeded"]
    assert (proposal["reason"], proposal["proposedBy"]) == (averted["reason"], desk.officer.id)
    body = {"shownHash": proposal["shownHash"]}
    for person in (desk.officer, double):
        refused = await desk.call("POST", f"{path}/pipl-57-persons/omission/confirmation", body, by=person)
        assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")
    changed = await desk.call(
        "POST", f"{path}/pipl-57-persons/omission/confirmation", {"shownHash": "0" * 64}, by=desk.second
    )
    assert (changed.status_code, changed.json()["code"]) == (409, "shown-changed")
    assert "persons" in await tasks_of(desk), "waited for until the second person agrees"
    agreed = await desk.done("POST", f"{path}/pipl-57-persons/omission/confirmation", body, by=desk.second)
    told = by_clock(agreed)["pipl-57-persons"]
    assert (told["state"], told["late"], told["notNeeded"]["confirmedBy"]) == ("NOT_NEEDED", False, desk.second.id)
    assert "persons" not in await tasks_of(desk)

    proposed = await desk.done("POST", f"{path}/cac/omission", averted | {"reasonCode": "no-incident"}, by=desk.officer)
    shown = {"shownHash": by_clock(proposed)["cac"]["notNeeded"]["shownHash"]}
    rejected = await desk.done("POST", f"{path}/cac/omission/rejection", shown, by=desk.second)
    assert (by_clock(rejected)["cac"]["state"], by_clock(rejected)["cac"]["notNeeded"]) == ("OPEN", None)


async def test_an_incident_closes_when_nothing_is_waited_for(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.done("POST", PATH, LEAK, by=desk.officer)
    path = f"{PATH}/{made['id']}"
    early = await desk.call("POST", f"{path}/closing", by=desk.second, version=1)
    assert (early.status_code, early.json()["params"]) == (409, {"state": "reports-open"})
    for authority in ("pboc", "pboc", "nfra", "nfra", "cac", "persons"):
        assert (await report(desk, authority)).status_code == 201, authority
    assert await tasks_of(desk) == {}
    version = (await desk.done("GET", path, by=desk.auditor))["version"]
    closed = await desk.done("POST", f"{path}/closing", by=desk.second, version=version)
    assert (closed["state"], closed["closedBy"], closed["nextDueAt"]) == ("CLOSED", desk.second.id, None)
    known = {name: value for name, value in LEAK.items() if name not in ("kind", "summary")}
    body = known | {"reasonCode": "scope-known"}
    shut = await desk.call("POST", f"{path}/corrections", body, by=desk.officer, version=version + 1)
    assert (shut.status_code, shut.json()["code"]) == (409, "wrong-state")
    assert [item["id"] for item in (await desk.done("GET", f"{PATH}?state=CLOSED", by=desk.auditor))["items"]] == [
        made["id"]
    ]


async def test_a_clock_that_runs_out_makes_every_task_urgent_once(office: Office) -> None:
    desk = register_desk(office)
    made = await desk.done("POST", PATH, LEAK, by=desk.officer)
    watch = IncidentWatch(office.deps.database)
    office.clock.advance(minutes=30)
    assert await watch.run_once(office.clock()) == 0
    office.clock.advance(seconds=1)
    assert await watch.run_once(office.clock()) == 1
    assert await watch.run_once(office.clock()) == 0
    assert {task["priority"] for task in (await tasks_of(desk)).values()} == {100}
    told = await desk.done("GET", f"{PATH}/{made['id']}", by=desk.auditor)
    assert (told["anyLate"], by_clock(told)["pboc-brief"]["late"]) == (True, True)
    with office.deps.database.read() as session:
        events = session.exec(select(AuditEvent.actor).where(AuditEvent.action == "incident.overdue")).all()
    assert list(events) == ["duty:incident-watch"]


async def test_nobody_discovers_in_time_to_come(sqlite_office: Office) -> None:
    desk = register_desk(sqlite_office)
    body = LEAK | {"discoveredAt": said(sqlite_office.clock() + timedelta(seconds=1))}
    answer = await desk.call("POST", PATH, body, by=desk.officer)
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/discoveredAt", "in-the-future")]
