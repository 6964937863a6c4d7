"""Corporate clients of payroll over HTTP: masked, funded once under each reference, ordered for by whom they name."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from models.domain.roles import Role
from models.tables.batch_clients import BatchClient
from models.tables.staff import Staff
from tests.support.api import Office

CLIENT = {"code": "qingchuan", "name": "北京晴川印刷有限公司", "agreementFrom": "2026-01-01", "agreedDay": 15}
ACCOUNT = {"number": "1100234567890123"}
PAYMENT = {"amountMinor": 500_000, "reference": "E2E-1", "valueDate": "2026-03-10"}


@pytest.fixture
def operator(sqlite_office: Office) -> Staff:
    return sqlite_office.staff("operator", Role.BATCH_OPERATOR)


@pytest.fixture
def approver(sqlite_office: Office) -> Staff:
    return sqlite_office.staff("approver", Role.BATCH_APPROVER)


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any], key: str = "k") -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": key})


async def _funded(office: Office, operator: Staff) -> tuple[str, str]:
    async with office.client(operator) as client:
        made = (await _post(client, "/v1/batch-clients", CLIENT)).json()["id"]
        account = (await _post(client, f"/v1/batch-clients/{made}/accounts", ACCOUNT)).json()["id"]
    return made, account


async def test_a_client_is_kept_once_and_told_masked(sqlite_office: Office, operator: Staff) -> None:
    async with sqlite_office.client(operator) as client:
        first, again = (
            await _post(client, "/v1/batch-clients", CLIENT),
            await _post(client, "/v1/batch-clients", CLIENT),
        )
        assert (first.status_code, again.json()) == (201, first.json())
        assert (await _post(client, "/v1/batch-clients", CLIENT, "other")).status_code == 409  # the code is taken
        wrong = await _post(client, "/v1/batch-clients", CLIENT | {"code": "b", "agreedDay": 32}, "third")
        assert wrong.json()["errors"][0]["pointer"] == "/agreedDay"
        path = f"/v1/batch-clients/{first.json()['id']}"
        special = await _post(client, f"{path}/accounts", ACCOUNT | {"accountKind": "wage-special"})
        assert special.json()["errors"][0]["pointer"] == "/accountKind"
        account = await _post(client, f"{path}/accounts", ACCOUNT, "a")
        assert account.status_code == 201
        told = (await client.get(path)).text + (await client.get("/v1/batch-clients")).text + account.text
    assert CLIENT["name"] not in told
    assert ACCOUNT["number"] not in told
    assert account.json()["numberMasked"].endswith("0123")
    with sqlite_office.deps.database.read() as session:
        kept = session.get_one(BatchClient, first.json()["id"])
    assert str(CLIENT["name"]).encode() not in kept.name_cell


async def test_money_counts_once_and_is_recorded_by_whoever_confirms(
    sqlite_office: Office, operator: Staff, approver: Staff
) -> None:
    made, account = await _funded(sqlite_office, operator)
    path = f"/v1/batch-clients/{made}/accounts/{account}/payments"
    async with sqlite_office.client(operator) as client:
        assert (await _post(client, path, PAYMENT)).status_code == 403
    async with sqlite_office.client(approver) as client:
        paid, again = await _post(client, path, PAYMENT), await _post(client, path, PAYMENT)
        assert (paid.status_code, paid.json()["balanceMinor"], again.json()["balanceMinor"]) == (201, 500_000, 500_000)
        twice = await _post(client, path, PAYMENT, "another")
        assert (twice.status_code, twice.json()["type"].rpartition("/")[2]) == (409, "conflict")
    stale = sqlite_office.token(approver, auth_age=timedelta(hours=2))
    async with sqlite_office.client(token=stale) as client:
        assert (await _post(client, path, PAYMENT | {"reference": "E2E-2"}, "late")).status_code == 401


async def test_where_a_maker_is_named_nobody_else_orders(
    sqlite_office: Office, operator: Staff, approver: Staff
) -> None:
    made, account = await _funded(sqlite_office, operator)
    other = sqlite_office.staff("other", Role.BATCH_OPERATOR)
    wish = {"kind": "payroll", "client": made, "fundingAccount": account, "businessDate": "2026-03-10"}
    async with sqlite_office.client(approver) as client:
        path = f"/v1/batch-clients/{made}/users"
        named = await client.post(path, json={"staffId": operator.id, "part": "maker"})
        assert [(each["staffId"], each["part"]) for each in named.json()["users"]] == [(operator.id, "maker")]
        both = await client.post(path, json={"staffId": operator.id, "part": "checker"})
        assert both.json()["type"].endswith("four-eyes-violation")
        assert (await client.post(path, json={"staffId": approver.id, "part": "checker"})).status_code == 422
    async with sqlite_office.client(other) as client:
        assert (await _post(client, "/v1/batches", wish)).status_code == 404
    async with sqlite_office.client(operator) as client:
        begun = await _post(client, "/v1/batches", wish)
        assert (begun.status_code, begun.json()["client"], begun.json()["awaitsFile"]) == (201, made, True)
    async with sqlite_office.client(approver) as client:
        assert (await client.delete(f"{path}/{operator.id}")).status_code == 204
        assert (await client.delete(f"{path}/{operator.id}")).status_code == 204
        assert (await client.get(f"/v1/batch-clients/{made}")).json()["users"] == []


async def test_another_institution_finds_nothing(sqlite_office: Office, operator: Staff) -> None:
    made, account = await _funded(sqlite_office, operator)
    sqlite_office.tenant("other")
    stranger = sqlite_office.staff("stranger", Role.BATCH_OPERATOR, Role.BATCH_APPROVER, tenant="other")
    async with sqlite_office.client(stranger) as client:
        assert (await client.get("/v1/batch-clients")).json()["items"] == []
        assert (await client.get(f"/v1/batch-clients/{made}")).status_code == 404
        assert (await _post(client, f"/v1/batch-clients/{made}/accounts", ACCOUNT)).status_code == 404
        assert (
            await _post(client, f"/v1/batch-clients/{made}/accounts/{account}/payments", PAYMENT)
        ).status_code == 404
        wish = {"kind": "payroll", "client": made, "fundingAccount": account, "businessDate": "2026-03-10"}
        assert (await _post(client, "/v1/batches", wish)).status_code == 404
