"""`/v1/business-dates`: operators have the daily runs go on, in order, and see how far they are."""

from datetime import date, timedelta

import pytest

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Fate
from models.domain.roles import Role
from models.operations.agreements import set_first_business_date
from models.operations.business_dates import Day, begin_run, count_in, roll
from models.tables.tenants import Tenant
from tests.support.applications import FakeDispatcher, open_desk

PATH = "/v1/business-dates"
TODAY = date(2026, 11, 23)


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    return FakeDispatcher(fate=Fate.APPLIED)


@pytest.fixture
def desk(sqlite_database, vault, clock, tmp_path, dispatcher):
    office = open_desk(sqlite_database, vault, clock, tmp_path, dispatcher)
    _change(office, lambda session: set_first_business_date(session, tenant="main", today=TODAY, now=clock()))
    return office


async def test_an_operator_has_the_dates_run_and_a_repeated_request_is_one(desk, dispatcher) -> None:
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        answers = [
            await client.post(PATH, json={"until": "2026-11-23"}, headers={"Idempotency-Key": "same"}) for _ in range(2)
        ]
    assert [(each.status_code, each.headers["Location"], each.json()) for each in answers] == [
        (202, PATH, {"until": "2026-11-23"})
    ] * 2
    assert set(dispatcher.dates) == {("main", TODAY)}


async def test_a_date_ahead_of_the_clock_is_for_sandboxes(desk, dispatcher) -> None:
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        body = {"until": "2026-12-01"}
        _sandbox(desk, is_one=False)
        refused = await client.post(PATH, json=body, headers={"Idempotency-Key": "one"})
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/wrong-state")
        assert dispatcher.dates == []
        _sandbox(desk, is_one=True)
        taken = await client.post(PATH, json=body, headers={"Idempotency-Key": "two"})
        assert taken.status_code == 202


async def test_while_temporal_is_away_the_caller_hears_so(desk, dispatcher) -> None:
    dispatcher.fate = Fate.UNANSWERED
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        answer = await client.post(PATH, json={"until": "2026-11-23"}, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/workflow-unavailable")
        dispatcher.fate = Fate.APPLIED
        again = await client.post(PATH, json={"until": "2026-11-23"}, headers={"Idempotency-Key": "k"})
        assert again.status_code == 202


async def test_the_runs_tell_how_far_they_have_come(desk, clock) -> None:
    day = Day(tenant="main", on=TODAY)

    def run(session) -> None:
        begin_run(session, day, wall_today=TODAY, now=clock())
        count_in(session, day, step="post", figures={"paid": 2}, finished=True)
        count_in(session, day, step="arrears", figures={"agreements": 5})
        roll(session, day, now=clock() + timedelta(minutes=1))

    _change(desk, run)
    async with desk.client(desk.staff("op", Role.OPERATOR)) as client:
        told = (await client.get(PATH)).json()
    assert told["today"] == "2026-11-24"
    assert [(run["businessDate"], run["state"]) for run in told["runs"]] == [("2026-11-23", "DONE")]
    assert told["runs"][0]["steps"] == [
        {"step": "post", "finished": True, "figures": {"paid": 2}},
        {"step": "arrears", "finished": False, "figures": {"agreements": 5}},
    ]


def _sandbox(desk, *, is_one: bool) -> None:
    def change(session) -> None:
        tenant = session.get_one(Tenant, "main")
        tenant.sandbox = is_one
        session.add(tenant)

    _change(desk, change)


def _change(desk, act) -> None:
    deed = Deed(tenant="main", action="test.prepared", target="test", actor="test", at=desk.clock())
    with unit_of_work(desk.deps.database, deed) as unit:
        act(unit.session)
