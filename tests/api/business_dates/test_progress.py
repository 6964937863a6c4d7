"""`/v1/business-dates/progress`: who looks on is told of each step, and of the end."""

import json
from datetime import date
from typing import Any

import pytest

from api import progress
from api.business_dates import controller
from api.business_dates.bodies import RunProgress
from api.progress import Standing
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.daily import DayStep
from models.domain.roles import Role
from models.operations.agreements import set_first_business_date
from models.operations.business_dates import Day, begin_run, count_in
from tests.support.applications import FakeDispatcher, open_desk

PATH = "/v1/business-dates/progress"
DAY = Day(tenant="main", on=date(2026, 11, 23))


@pytest.fixture
def desk(sqlite_database, vault, clock, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


def _events(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.replace("\r\n", "\n").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["event"], json.loads(fields["data"])))
    return found


def _standing(today: str, *done: DayStep, is_busy: bool = True) -> Standing:
    steps = done if is_busy else None
    return Standing(RunProgress(today=date.fromisoformat(today), open_exceptions=0, steps_done=steps), is_busy=is_busy)


async def test_each_change_is_an_event_once_and_the_end_is_one(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        _standing("2026-11-23"),
        _standing("2026-11-23"),
        _standing("2026-11-23", DayStep.REPLIES),
        _standing("2026-11-24", is_busy=False),
    ]
    monkeypatch.setattr(controller, "_standing", lambda _deps, _tenant: said.pop(0))
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        answer = await client.get(PATH)
    assert answer.headers["content-type"].startswith("text/event-stream")
    after = {"today": "2026-11-24", "openExceptions": 0, "stepsDone": None}
    assert _events(answer.text) == [
        ("progress", {"today": "2026-11-23", "openExceptions": 0, "stepsDone": []}),
        ("progress", {"today": "2026-11-23", "openExceptions": 0, "stepsDone": ["take-replies"]}),
        ("progress", after),
        ("idle", after),
    ]


async def test_it_tells_the_run_of_the_open_date(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_LONGEST_SECONDS", 0.2)  # the run of this test never ends
    now, deps = desk.deps.clock(), desk.deps
    deed = Deed(tenant="main", action="test.changed", target="-", actor="test", at=now)
    with unit_of_work(deps.database, deed) as unit:
        set_first_business_date(unit.session, tenant="main", today=DAY.on, now=now)
        begin_run(unit.session, DAY, wall_today=DAY.on, now=now)
        count_in(unit.session, DAY, step=DayStep.REPLIES, figures={}, finished=True)
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        answer = await client.get(PATH)
    standing = {"today": "2026-11-23", "openExceptions": 0, "stepsDone": ["take-replies"]}
    assert _events(answer.text) == [("progress", standing)]


async def test_where_nothing_runs_the_stream_says_so_and_ends(desk) -> None:
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        answer = await client.get(PATH)
    nothing = {"today": None, "openExceptions": 0, "stepsDone": None}
    assert _events(answer.text) == [("progress", nothing), ("idle", nothing)]


async def test_it_is_for_those_who_run_dates(desk) -> None:
    async with desk.client(desk.staff("clerk", Role.CASE_OFFICER)) as client:
        assert (await client.get(PATH)).status_code == 403
