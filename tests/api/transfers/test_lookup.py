"""Whose job it is, is asked in one place: another's job, or no token at all, is not there, whatever is asked of it."""

import pytest

from models.domain.roles import Role
from tests.support.api import Office
from tests.support.transfer_waves import JOB, WaveOffice

# What is read of a job, and whether the company that gives reads it too.
READ = {
    "": True,
    "/plan-versions": True,
    "/progress": True,
    "/rollbacks": True,
    "/evidence": True,
    "/grants": True,
    "/backups": True,
    "/sources": False,
    "/rows": False,
    "/waves": False,
    "/conflicts": False,
    "/matches": False,
}


@pytest.mark.parametrize("path", READ)
async def test_a_job_is_there_for_its_companies_alone(sqlite_office: Office, path: str) -> None:
    deps = sqlite_office.deps
    WaveOffice(deps.database, deps.vault, sqlite_office.clock).open()
    people = {
        tenant: sqlite_office.staff(f"lead-{tenant}", Role.MIGRATION_LEAD, tenant=tenant)
        for tenant in ("buyer", "seller", "main")
    }
    status = {}
    for tenant, person in people.items():
        async with sqlite_office.client(person) as client:
            status[tenant] = (await client.get(f"/v1/transfers/{JOB}{path}")).status_code
    receives = 403 if path == "/rows" else 200  # whom nobody has trained
    assert status == {"buyer": receives, "seller": 200 if READ[path] else 404, "main": 404}


@pytest.mark.parametrize("token", ["nonsense", "buyer.0", f"{JOB}0", "%E4%B8%AD"])
@pytest.mark.parametrize("path", READ)
async def test_what_is_no_token_is_no_job(sqlite_office: Office, path: str, token: str) -> None:
    lead = sqlite_office.staff("lead", Role.MIGRATION_LEAD)
    async with sqlite_office.client(lead) as client:
        assert (await client.get(f"/v1/transfers/{token}{path}")).status_code == 404
