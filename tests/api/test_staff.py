"""Staff administration over HTTP: accounts, and changes of roles by two persons."""

import asyncio
from typing import Any

import pytest
from sqlmodel import select

from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from tests.support.api import Office

NEW = {"login": "lin", "name": "Lin", "branch": "hq", "initialPassword": "seven gardens under quiet rain"}


async def propose(office: Office, by: Staff, target: str, *roles: str, key: str = "k1", version: int = 1) -> Any:
    body = {
        "roles": list(roles),
        "authorityAmountMinor": 5_000_000,
        "authorityConcessionBps": 300,
        "staffVersion": version,
    }
    async with office.client(by) as client:
        return await client.post(f"/v1/staff/{target}/role-changes", json=body, headers={"Idempotency-Key": key})


async def decide(office: Office, by: Staff, change: dict[str, Any], how: str = "confirmation") -> Any:
    async with office.client(by) as client:
        return await client.post(f"/v1/role-changes/{change['id']}/{how}", json={"shownHash": change["shownHash"]})


async def test_two_persons_give_a_new_account_its_roles_and_they_bite_at_the_next_request(office: Office) -> None:
    maker, checker = office.staff("maker", Role.STAFF_ADMIN), office.staff("checker", Role.STAFF_ADMIN)
    async with office.client(maker) as client:
        created = await client.post("/v1/staff", json=NEW, headers={"Idempotency-Key": "k"})
    assert created.status_code == 201
    lin = created.json()
    assert (lin["roles"], lin["passwordChangeRequired"]) == ([], True)
    assert created.headers["location"] == f"/v1/staff/{lin['id']}"

    change = (await propose(office, maker, lin["id"], "approver")).json()
    assert change["state"] == "PROPOSED"
    async with office.client(checker) as client:
        before = (await client.get(f"/v1/staff/{lin['id']}")).json()
    assert before["roles"] == []

    done = await decide(office, checker, change)
    assert (done.status_code, done.json()["state"], done.json()["decidedBy"]) == (200, "CONFIRMED", checker.id)
    async with office.client(checker) as client:
        after = await client.get(f"/v1/staff/{lin['id']}")
    assert after.json()["roles"] == ["approver"]
    assert after.json()["authorityAmountMinor"] == 5_000_000
    assert after.headers["etag"] == '"v2"'
    with office.deps.database.read() as session:
        actions = session.exec(select(AuditEvent.action).where(AuditEvent.target == lin["id"])).all()
    assert sorted(actions) == ["role-change.confirmed", "role-change.proposed", "staff.created"]


async def test_the_second_person_may_not_be_the_first_under_any_account_nor_the_one_concerned(office: Office) -> None:
    maker = office.staff("maker", Role.STAFF_ADMIN)
    second_account = office.staff("maker2", Role.STAFF_ADMIN, person_id=maker.person_id)
    target = office.staff("target", Role.STAFF_ADMIN)
    change = (await propose(office, maker, target.id, "approver")).json()
    for person in (maker, second_account, target):
        for how in ("confirmation", "rejection"):
            answer = await decide(office, person, change, how)
            assert (answer.status_code, answer.json()["code"]) == (403, "four-eyes-violation")
    async with office.client(office.staff("other", Role.STAFF_ADMIN)) as client:
        assert [item["id"] for item in (await client.get("/v1/role-changes")).json()["items"]] == [change["id"]]


async def test_a_rejected_change_changes_nothing_and_is_over(office: Office) -> None:
    maker, checker = office.staff("maker", Role.STAFF_ADMIN), office.staff("checker", Role.STAFF_ADMIN)
    target = office.staff("target", Role.AUDITOR)
    change = (await propose(office, maker, target.id, "approver")).json()
    assert (await decide(office, checker, change, "rejection")).json()["state"] == "REJECTED"
    again = await decide(office, checker, change)
    assert (again.status_code, again.json()["code"]) in [(409, "wrong-state"), (403, "four-eyes-violation")]
    async with office.client(checker) as client:
        assert (await client.get(f"/v1/staff/{target.id}")).json()["roles"] == ["auditor"]


async def test_confirmation_needs_a_fresh_log_in_and_what_was_shown(office: Office) -> None:
    maker, checker = office.staff("maker", Role.STAFF_ADMIN), office.staff("checker", Role.STAFF_ADMIN)
    target = office.staff("target")
    change = (await propose(office, maker, target.id, "approver")).json()
    from datetime import timedelta

    stale = office.token(checker, auth_age=timedelta(minutes=6))
    async with office.client(token=stale) as client:
        old = await client.post(
            f"/v1/role-changes/{change['id']}/confirmation", json={"shownHash": change["shownHash"]}
        )
    assert (old.status_code, old.json()["code"]) == (401, "fresh-login-required")
    assert 'max_age="300"' in old.headers["www-authenticate"]
    other = await decide(office, checker, {**change, "shownHash": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")


async def test_a_change_proposed_on_a_state_that_has_passed_is_void(office: Office) -> None:
    maker, checker = office.staff("maker", Role.STAFF_ADMIN), office.staff("checker", Role.STAFF_ADMIN)
    target = office.staff("target")
    first = (await propose(office, maker, target.id, "approver", key="a")).json()
    second = (await propose(office, maker, target.id, "auditor", key="b")).json()
    assert (await decide(office, checker, first)).status_code == 200
    void = await decide(office, checker, second)
    assert (void.status_code, void.json()["code"]) == (409, "shown-changed")
    late = await propose(office, maker, target.id, "auditor", key="c", version=1)
    assert (late.status_code, late.json()["params"]) == (412, {"currentVersion": 2})


async def test_of_two_confirmations_at_once_one_holds(office: Office) -> None:
    maker = office.staff("maker", Role.STAFF_ADMIN)
    checkers = [office.staff(f"checker{n}", Role.STAFF_ADMIN) for n in range(6)]
    target = office.staff("target")
    change = (await propose(office, maker, target.id, "approver")).json()
    answers = await asyncio.gather(*(decide(office, checker, change) for checker in checkers))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]


async def test_deactivation_takes_the_version_read_and_bites_at_once(office: Office) -> None:
    admin, target = office.staff("admin", Role.STAFF_ADMIN), office.staff("target", Role.AUDITOR)
    async with office.client(admin) as client, office.client(target) as victim:
        assert (await victim.get("/v1/me")).status_code == 200
        missing = await client.post(f"/v1/staff/{target.id}/deactivation")
        stale = await client.post(f"/v1/staff/{target.id}/deactivation", headers={"If-Match": '"v7"'})
        weak = await client.post(f"/v1/staff/{target.id}/deactivation", headers={"If-Match": "*"})
        own = await client.post(f"/v1/staff/{admin.id}/deactivation", headers={"If-Match": '"v1"'})
        done = await client.post(f"/v1/staff/{target.id}/deactivation", headers={"If-Match": '"v1"'})
        after = await victim.get("/v1/me")
        twice = await client.post(f"/v1/staff/{target.id}/deactivation", headers={"If-Match": '"v2"'})
    assert [missing.status_code, stale.status_code, weak.status_code, own.status_code] == [428, 412, 400, 403]
    assert stale.json()["params"] == {"currentVersion": 1}
    assert (done.status_code, done.json()["active"], done.headers["etag"]) == (200, False, '"v2"')
    assert after.status_code == 401
    assert twice.json()["code"] == "wrong-state"


async def test_a_login_is_taken_once_and_a_person_must_exist(office: Office) -> None:
    admin = office.staff("admin", Role.STAFF_ADMIN)
    async with office.client(admin) as client:
        first = await client.post("/v1/staff", json=NEW, headers={"Idempotency-Key": "a"})
        second = await client.post("/v1/staff", json=NEW, headers={"Idempotency-Key": "b"})
        nobody = {**NEW, "login": "wang", "personId": "prs_" + "0" * 26}
        third = await client.post("/v1/staff", json=nobody, headers={"Idempotency-Key": "c"})
        weak = await client.post(
            "/v1/staff",
            json={**NEW, "login": "zhao", "initialPassword": "123456789012345"},
            headers={"Idempotency-Key": "d"},
        )
    assert [first.status_code, second.status_code, third.status_code] == [201, 409, 422]
    assert third.json()["errors"][0]["pointer"] == "/personId"
    assert weak.json()["errors"][0]["code"] == "password-common"


async def test_pages_hold_every_account_once(office: Office) -> None:
    admin = office.staff("admin", Role.STAFF_ADMIN)
    everyone = {admin.id} | {office.staff(f"s{n}").id for n in range(6)}
    office.tenant("other")
    office.staff("stranger", tenant="other")
    seen: list[str] = []
    async with office.client(admin) as client:
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {"limit": 3} | ({"after": cursor} if cursor else {})
            page = (await client.get("/v1/staff", params=query)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["endCursor"]
            if cursor is None:
                break
    assert len(seen) == len(set(seen))
    assert set(seen) == everyone


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=-1", "limit=x", "after=!!", "after=WyJ4Il0", "after=WyJzdGFmZiIsMV0"]
)
async def test_a_page_that_cannot_be_is_refused(sqlite_office: Office, query: str) -> None:
    admin = sqlite_office.staff("admin", Role.STAFF_ADMIN)
    async with sqlite_office.client(admin) as client:
        answer = await client.get(f"/v1/staff?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


async def test_an_account_at_its_hard_stop_is_opened_by_an_administrator(office: Office) -> None:
    from models.tables.staff import LoginThrottle
    from tests.api.test_sessions import log_in

    admin, locked = office.staff("admin", Role.STAFF_ADMIN), office.staff("locked")
    bucket = office.issuer.account_bucket(tenant="main", login="locked")
    with office.deps.database.write() as session:
        session.add(LoginThrottle(bucket=bucket, window_start=office.clock(), failures=1, consecutive=100))
    office.clock.advance(hours=1)
    stopped = await log_in(office, "locked")
    async with office.client(admin) as client:
        assert (await client.post(f"/v1/staff/{locked.id}/login-unlocking")).status_code == 204
    assert stopped.status_code == 429
    assert (await log_in(office, "locked")).status_code == 201
