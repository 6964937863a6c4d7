"""Record layouts over HTTP: the product's are there, an institution's own come in versions, faults are all named."""

from importlib.resources import files

import pytest

from models.domain.roles import Role
from models.tables.staff import Staff
from tests.support.api import Office

TOML = files("models.domain.batches.files").joinpath("ready", "payroll-csv.toml").read_text("utf-8")


@pytest.fixture
def operator(sqlite_office: Office) -> Staff:
    return sqlite_office.staff("operator", Role.BATCH_OPERATOR)


async def test_a_layout_of_ones_own_comes_in_versions(sqlite_office: Office, operator: Staff) -> None:
    own = TOML.replace('name = "payroll-csv"', 'name = "our-wages"')
    async with sqlite_office.client(operator) as client:
        made = [
            (await client.post("/v1/batch-layouts", json={"toml": own}, headers={"Idempotency-Key": key})).json()
            for key in ("a", "a", "b")
        ]
        assert [(each["name"], each["version"]) for each in made] == [("our-wages", v) for v in ("1", "1", "2")]
        listed = (await client.get("/v1/batch-layouts")).json()["items"]
        assert {("our-wages", "2"), ("our-wages", "1"), ("payroll-csv", "ready")} <= {
            (each["name"], each["version"]) for each in listed
        }
        assert (await client.get("/v1/batch-layouts/our-wages")).json()["kind"] == "payroll"
        assert (await client.get("/v1/batch-layouts/our-wages?version=3")).status_code == 404


async def test_all_that_is_wrong_is_named_and_no_stranger_sees_it(sqlite_office: Office, operator: Staff) -> None:
    async with sqlite_office.client(operator) as client:
        broken = {"toml": TOML.replace('format = "csv"', 'format = "doc"').replace("version = 1", "version = 9")}
        answer = await client.post("/v1/batch-layouts", json=broken, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert {"/layout/version", "/layout/file/format"} <= {fault["pointer"] for fault in answer.json()["errors"]}
    sqlite_office.tenant("other")
    stranger = sqlite_office.staff("stranger", Role.BATCH_OPERATOR, tenant="other")
    async with sqlite_office.client(stranger) as client:
        assert (await client.get("/v1/batch-layouts/our-wages")).status_code == 404
