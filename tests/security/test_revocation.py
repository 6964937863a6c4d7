"""S18: what is taken away is gone at the next request, in every process and after a restart."""

from pathlib import Path
from typing import Any

from api.identity.issuer import local_issuer
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.operations.sessions import deny_token, end_all_sessions
from models.tables.staff import Staff, StaffRole
from tests.support.api import PASSWORD, Office, open_office
from tests.support.clock import FakeClock


async def status(office: Office, token: str, path: str = "/v1/staff") -> int:
    async with office.client(token=token) as client:
        return (await client.get(path)).status_code


def second_process(office: Office) -> Office:
    """Another app over the same database and keys."""
    from api.app import create_app
    from tests.support.api import SETTINGS

    issuer, verifier = local_issuer(database=office.deps.database, vault=office.deps.vault, clock=office.clock)
    import dataclasses

    deps = dataclasses.replace(office.deps, issuer=issuer, verifier=verifier)
    return Office(app=create_app(deps, settings=SETTINGS), deps=deps, clock=office.clock)


async def test_a_role_taken_away_is_gone_at_the_next_request_in_both_processes(office: Office) -> None:
    admin = office.staff("admin", Role.STAFF_ADMIN)
    token, other = office.token(admin), second_process(office)
    assert [await status(each, token) for each in (office, other)] == [200, 200]
    with office.deps.database.write() as session:
        session.delete(session.get_one(StaffRole, (admin.id, "staff-admin")))
    assert [await status(each, token) for each in (office, other)] == [403, 403]


async def test_a_revoked_token_is_refused_everywhere_and_after_a_restart(office: Office) -> None:
    admin = office.staff("admin", Role.STAFF_ADMIN)
    token, kept = office.token(admin), office.token(admin)
    jti = office.deps.verifier.verify(token, now=office.clock()).jti
    with office.deps.database.write() as session:
        deny_token(session, jti=jti, until=office.clock())
    restarted = second_process(office)
    assert [await status(each, token) for each in (office, restarted)] == [401, 401]
    assert [await status(each, kept) for each in (office, restarted)] == [200, 200]


async def test_tokens_signed_before_an_account_was_reset_are_void(office: Office) -> None:
    admin = office.staff("admin", Role.STAFF_ADMIN)
    old = office.token(admin)
    office.clock.advance(seconds=1)
    with office.deps.database.write() as session:
        end_all_sessions(session, staff_id=admin.id, now=office.clock())
    assert await status(office, old) == 401
    assert await status(office, office.token(admin)) == 200


async def test_a_shut_account_is_out_at_once_with_token_refresh_and_password(office: Office) -> None:
    staff = office.staff("officer", Role.STAFF_ADMIN)
    body: dict[str, Any] = {"tenant": "main", "login": "officer", "password": PASSWORD}
    async with office.client() as client:
        tokens = (await client.post("/v1/sessions", json=body)).json()
    with office.deps.database.write() as session:
        session.get_one(Staff, staff.id).active = False
    assert await status(office, tokens["accessToken"]) == 401
    async with office.client() as client:
        assert (
            await client.post("/v1/sessions/refresh", json={"refreshToken": tokens["refreshToken"]})
        ).status_code == 401
        assert (await client.post("/v1/sessions", json=body)).status_code == 401


async def test_a_token_of_another_installation_is_refused(
    sqlite_database: Database, postgres_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    from models.database.engine import open_database
    from tests.support.databases import create_keys_schema
    from tests.support.vaults import throw_away_vault

    other_keys = open_database(f"sqlite:///{tmp_path / 'other-keys.db'}")
    create_keys_schema(other_keys)
    ours = open_office(sqlite_database, vault, clock, tmp_path)
    theirs = open_office(postgres_database, throw_away_vault(other_keys, clock), clock, tmp_path)
    admin = ours.staff("admin", Role.STAFF_ADMIN)
    assert await status(ours, ours.token(admin)) == 200
    assert await status(ours, theirs.token(admin)) == 401
    other_keys.dispose()


async def test_an_unknown_role_in_the_database_grants_nothing_and_breaks_nothing(office: Office) -> None:
    staff = office.staff("officer")
    with office.deps.database.write() as session:
        session.add(StaffRole(staff_id=staff.id, role="president"))
    token = office.token(staff)
    assert await status(office, token) == 403
    assert await status(office, token, "/v1/me") == 200
