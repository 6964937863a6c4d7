"""Logging in, refreshing, logging out, and choosing a password."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from models.domain.roles import Role
from models.operations.sessions import purge_sessions
from models.tables.audit import AuditEvent
from models.tables.staff import DeniedToken, LoginThrottle, RefreshToken, Staff
from tests.support.api import PASSWORD, Office

NEW_PASSWORD = "seven gardens under quiet rain"


async def log_in(office: Office, login: str, *, password: str = PASSWORD, source: str = "192.0.2.1") -> Any:
    async with office.client(source=source) as client:
        return await client.post("/v1/sessions", json={"tenant": "main", "login": login, "password": password})


async def test_a_log_in_gives_tokens_that_say_who_is_calling(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    answer = await log_in(office, "officer")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    async with office.client(token=answer.json()["accessToken"]) as client:
        me = (await client.get("/v1/me")).json()
    assert me["staffId"] == officer.id
    assert me["roles"] == ["case-officer"]
    assert "cases:create" in me["permissions"]


async def test_wrong_password_unknown_login_and_shut_account_look_alike(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    shut = office.staff("shut", Role.CASE_OFFICER)
    with office.deps.database.write() as session:
        session.get_one(Staff, shut.id).active = False
    answers = [
        await log_in(office, "officer", password="wrong but long enough"),
        await log_in(office, "nobody"),
        await log_in(office, "shut"),
    ]
    bodies = [{**answer.json(), "traceId": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers)


async def test_a_refresh_rotates_and_keeps_the_time_of_the_password(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    first = (await log_in(office, "officer")).json()
    logged_in_at = office.clock()
    office.clock.advance(minutes=9)
    async with office.client() as client:
        answer = await client.post("/v1/sessions/refresh", json={"refreshToken": first["refreshToken"]})
    second = answer.json()
    assert answer.status_code == 200
    assert second["refreshToken"] != first["refreshToken"]
    async with office.client(token=second["accessToken"]) as client:
        me = (await client.get("/v1/me")).json()
    assert me["authTime"] == logged_in_at.isoformat()


async def test_a_refresh_token_used_twice_ends_the_whole_log_in(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    first = (await log_in(office, "officer")).json()
    async with office.client() as client:
        second = (await client.post("/v1/sessions/refresh", json={"refreshToken": first["refreshToken"]})).json()
        again = await client.post("/v1/sessions/refresh", json={"refreshToken": first["refreshToken"]})
        after = await client.post("/v1/sessions/refresh", json={"refreshToken": second["refreshToken"]})
    assert again.status_code == after.status_code == 401
    for token in (first["accessToken"], second["accessToken"]):
        async with office.client(token=token) as client:
            assert (await client.get("/v1/me")).status_code == 401
    with office.deps.database.read() as session:
        actions = session.exec(select(AuditEvent.action).where(AuditEvent.actor != "operator")).all()
    assert sorted(actions) == ["session.opened", "session.refreshed", "session.reuse-detected"]


async def test_one_of_many_simultaneous_refreshes_wins_at_most(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    first = (await log_in(office, "officer")).json()
    async with office.client() as client:
        answers = await asyncio.gather(
            *(client.post("/v1/sessions/refresh", json={"refreshToken": first["refreshToken"]}) for _ in range(8))
        )
    assert sorted(answer.status_code for answer in answers)[:2] in ([200, 401], [401, 401])


async def test_a_refresh_ends_after_an_idle_hour_and_after_a_working_day(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    idle = (await log_in(office, "officer")).json()
    busy = (await log_in(office, "officer")).json()
    async with office.client() as client:
        for _ in range(14):
            office.clock.advance(minutes=50)
            answer = await client.post("/v1/sessions/refresh", json={"refreshToken": busy["refreshToken"]})
            assert answer.status_code == 200
            busy = answer.json()
        assert (
            await client.post("/v1/sessions/refresh", json={"refreshToken": idle["refreshToken"]})
        ).status_code == 401
        office.clock.advance(minutes=25)  # 12 hours and 5 minutes after the password
        assert (
            await client.post("/v1/sessions/refresh", json={"refreshToken": busy["refreshToken"]})
        ).status_code == 401


async def test_logging_out_ends_access_and_refresh_at_once(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    mine, other = (await log_in(office, "officer")).json(), (await log_in(office, "officer")).json()
    async with office.client(token=mine["accessToken"]) as client:
        assert (await client.delete("/v1/sessions/current")).status_code == 204
        assert (await client.get("/v1/me")).status_code == 401
    async with office.client(token=other["accessToken"]) as client:
        assert (await client.get("/v1/me")).status_code == 200
        answer = await client.post("/v1/sessions/refresh", json={"refreshToken": mine["refreshToken"]})
    assert answer.status_code == 401


async def test_nothing_that_opens_a_session_is_kept_in_clear(sqlite_office: Office) -> None:
    office = sqlite_office
    office.staff("officer", Role.CASE_OFFICER)
    tokens = (await log_in(office, "officer", source="198.51.100.77")).json()
    await log_in(office, "officer", password="wrong but long enough", source="198.51.100.77")
    with office.deps.database.read() as session:
        stored = [
            row.model_dump() for kind in (RefreshToken, LoginThrottle, AuditEvent) for row in session.exec(select(kind))
        ]
    text = repr(stored)
    assert tokens["refreshToken"][3:] not in text
    assert tokens["accessToken"] not in text
    assert "198.51.100.77" not in text
    assert {row["bucket"].partition(":")[0] for row in stored if "bucket" in row} == {"account", "source"}


async def test_a_new_password_ends_every_session_and_is_checked(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    tokens = (await log_in(office, "officer")).json()
    office.clock.advance(seconds=2)
    async with office.client(token=tokens["accessToken"]) as client:
        short = await client.put("/v1/me/password", json={"currentPassword": PASSWORD, "newPassword": "too short"})
        common = await client.put(
            "/v1/me/password", json={"currentPassword": PASSWORD, "newPassword": "passwordpassword"}
        )
        wrong = await client.put("/v1/me/password", json={"currentPassword": "x" * 20, "newPassword": NEW_PASSWORD})
        done = await client.put("/v1/me/password", json={"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD})
        after = await client.get("/v1/me")
    assert [short.status_code, common.status_code, wrong.status_code, done.status_code] == [422, 422, 401, 204]
    assert short.json()["errors"][0] | {"detail": ""} == {
        "pointer": "/newPassword",
        "code": "too-short",
        "detail": "",
        "params": {"limit": 15},
    }
    assert common.json()["errors"][0]["code"] == "password-common"
    assert after.status_code == 401
    assert (await log_in(office, "officer")).status_code == 401
    assert (await log_in(office, "officer", password=NEW_PASSWORD)).status_code == 201


async def test_a_password_set_by_another_must_be_changed_first(office: Office) -> None:
    staff = office.staff("officer", Role.CASE_OFFICER)
    with office.deps.database.write() as session:
        session.get_one(Staff, staff.id).password_initial = True
    tokens = (await log_in(office, "officer")).json()
    assert tokens["passwordChangeRequired"] is True
    async with office.client(token=tokens["accessToken"]) as client:
        barred = await client.get("/v1/openapi.json")
        assert (await client.get("/v1/me")).json()["passwordChangeRequired"] is True
        done = await client.put("/v1/me/password", json={"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD})
    assert (barred.status_code, barred.json()["code"]) == (403, "password-change-required")
    assert done.status_code == 204
    office.clock.advance(seconds=1)
    tokens = (await log_in(office, "officer", password=NEW_PASSWORD)).json()
    async with office.client(token=tokens["accessToken"]) as client:
        assert (await client.get("/v1/openapi.json")).status_code == 200


async def test_what_has_expired_is_swept_and_what_holds_stays(office: Office) -> None:
    office.staff("officer", Role.CASE_OFFICER)
    tokens = (await log_in(office, "officer")).json()
    async with office.client(token=tokens["accessToken"]) as client:
        await client.delete("/v1/sessions/current")
    await log_in(office, "officer")

    def counts() -> list[int]:
        with office.deps.database.read() as session:
            return [len(session.exec(select(kind)).all()) for kind in (RefreshToken, DeniedToken)]

    def sweep() -> None:
        with office.deps.database.write() as session:
            purge_sessions(session, now=office.clock())

    sweep()
    assert counts() == [1, 1]
    office.clock.advance(timedelta(minutes=16))
    sweep()
    assert counts() == [1, 0]
    office.clock.advance(timedelta(hours=1))
    sweep()
    assert counts() == [0, 0]


async def test_where_an_outside_issuer_logs_in_there_is_nothing_to_log_in_to(sqlite_office: Office) -> None:
    sqlite_office.deps.issuer = None
    assert (await log_in(sqlite_office, "officer")).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"tenant": "main"}, {"tenant": "main", "login": "a", "password": "b", "role": "approver"}]
)
async def test_a_log_in_takes_its_own_fields_only(sqlite_office: Office, body: dict[str, str]) -> None:
    async with sqlite_office.client() as client:
        assert (await client.post("/v1/sessions", json=body)).status_code == 422
