"""S19: a thousand errors: no trace, no SQL, no path, no version and nothing that was sent leaves in them."""

import re
from pathlib import Path
from typing import Any

import pytest
from litestar import get

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.errors import CannotOpen, CaseworkError, KeysUnavailable
from tests.security.test_fuzz import Mutator
from tests.support.api import Office, open_office, raw_request
from tests.support.clock import FakeClock

CANARY = "canary7f3a"
LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|line \d+|SELECT |INSERT |UPDATE |sqlite|psycopg|sqlalchemy|pydantic|msgspec|litestar|"
    r"/site-packages/|/home/|/usr/|" + re.escape(str(Path(__file__).parents[2])) + r"|"
    r"0x[0-9a-f]{6,}|Exception|Error:|<class|\d+\.\d+\.\d+|" + CANARY,
    re.IGNORECASE,
)
MEMBERS = {"type", "title", "status", "detail", "code", "retryable", "traceId", "params", "errors"}


def secret_failures() -> list[Any]:
    made = []
    for number, error in enumerate(
        (
            ValueError(CANARY),
            RuntimeError(f"SELECT {CANARY}"),
            KeyError(CANARY),
            OSError(2, CANARY, f"/home/{CANARY}"),
            RecursionError(CANARY),
            UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
            CaseworkError(detail=CANARY, params={"x": CANARY}),
            CannotOpen(detail=CANARY, params={"cell": CANARY}),
            KeysUnavailable(detail=CANARY),
            TimeoutError(CANARY),
            AssertionError(CANARY),
        )
    ):
        made.append(
            get(f"/v1/failures/{number}", opt={"public": True}, sync_to_thread=False, name=f"f{number}")(_raiser(error))
        )
    return made


def _raiser(error: Exception) -> Any:
    def fail() -> str:
        raise error

    return fail


@pytest.fixture
def bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_office(sqlite_database, vault, clock, tmp_path, more_routes=secret_failures())


async def test_a_thousand_errors_tell_nothing(bank: Office) -> None:
    token = bank.token(bank.staff("admin", Role.STAFF_ADMIN))
    requests: list[dict[str, Any]] = [
        {"method": "GET", "path": f"/v1/failures/{number}", "headers": [("host", "casework.test")]}
        for number in range(11)
    ]
    mutator = Mutator(19, token)
    requests += [mutator.request() for _ in range(1_400)]
    for field in ("login", "tenant", "password", CANARY):
        body = f'{{"{field}":"{CANARY}","amountMinor":"{CANARY}"}}'.encode()
        headers = [("host", "casework.test"), ("content-type", "application/json"), ("content-length", str(len(body)))]
        requests.append({"method": "POST", "path": "/v1/sessions", "headers": headers, "body": body})
    for path, query in ((f"/v1/staff/{CANARY}", b""), ("/v1/staff", f"limit={CANARY}".encode()), (f"/{CANARY}", b"")):
        requests.append(
            {
                "method": "GET",
                "path": path,
                "query": query,
                "headers": [("host", "casework.test"), ("authorization", f"Bearer {token}")],
            }
        )
    errors = 0
    for request in requests:
        answer = await raw_request(bank.app, **request)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store" or answer.status == 200
        assert "content-security-policy" in answer.headers
        assert "server" not in answer.headers
        if answer.status < 400:
            continue
        errors += 1
        text = answer.body.decode()
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) <= MEMBERS
        found = LEAKS.search(text)
        assert found is None, (request["path"], found.group(), text)
    assert errors >= 1_000
