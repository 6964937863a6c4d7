"""S2: mutations of requests, sent into the ASGI app itself: whatever comes, the answer is not a 5xx."""

import random
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from api.app import create_app
from api.body_gate import BodyGate
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from tests.support.api import SETTINGS, Office, open_office, raw_request
from tests.support.clock import FakeClock

SEED = 20261123
MUTATIONS = 4_000
MANY_MUTATIONS = 20_000
TEETH = 3_000

BODIES = (
    b'{"tenant":"main","login":"nobody","password":"x"}',
    b'{"refreshToken":"rt_abc"}',
    b'{"shownHash":"' + b"0" * 64 + b'"}',
    b'{"roles":["approver"],"authorityAmountMinor":5,"staffVersion":1}',
    b'{"login":"lin","name":"Lin","branch":"hq"}',
)
PATHS = (
    "/v1/sessions/refresh",
    "/v1/sessions/refresh",
    "/v1/role-changes/rch_" + "0" * 26 + "/rejection",
    "/v1/role-changes/x/confirmation",
    "/v1/staff/stf_" + "0" * 26 + "/role-changes",
    "/v1/staff",
    "/v1/staff/stf_" + "0" * 26,
    "/v1/me",
    "/problems/internal",
    "/v1/openapi.json",
)
SPLICES = (
    b"[" * 2000,
    b'{"a":' * 1500,
    b"\xff\xfe",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"1e999",
    b"-0",
    b"9" * 5000,
    b"NaN",
    b'"',
    b"\\",
    b"{",
    b"}",
    b",",
    b"null",
    b"true",
    b"1.5",
    b"\xf0\x9f\x98\x80",
    b'{"a":1,"a":2}',
    b"/*",
    b"\r\n",
    b" " * 70_000,
)
HEADER_VALUES = (
    "",
    "*",
    '"v1"',
    'W/"v1"',
    "\x00",
    "a" * 5000,
    "\xff\xfe",
    "application/json; charset=",
    "multipart/form-data; boundary=",
    "-1",
    "1e9",
    "%00",
    "q=,;",
    "en;q=zz",
)
HEADER_NAMES = (
    "content-type",
    "content-length",
    "accept-language",
    "if-match",
    "idempotency-key",
    "traceparent",
    "transfer-encoding",
    "content-encoding",
    "cookie",
    "accept",
    "range",
    "expect",
    "x-forwarded-for",
)


class Mutator:
    """The same requests for the same seed."""

    def __init__(self, seed: int, token: str) -> None:
        self._dice = random.Random(seed)
        self._token = token

    def request(self) -> dict[str, Any]:
        dice = self._dice
        headers = [
            ("host", "casework.test"),
            ("authorization", f"Bearer {self._token}"),
            ("content-type", "application/json"),
        ]
        if dice.random() < 0.4:
            headers.append(("idempotency-key", f"k{dice.random()}"))
        body = self._body(dice.choice(BODIES))
        if dice.random() < 0.25:
            headers = [pair for pair in headers if pair[0] != "content-type" or dice.random() < 0.5]
            headers.append((dice.choice(HEADER_NAMES), dice.choice(HEADER_VALUES)))
        method = dice.choices(("POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"), (66, 16, 6, 6, 3, 2, 1))[0]
        if method == "GET" and dice.random() < 0.8:
            body = b""
        if not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(body))))
        return {
            "method": method,
            "path": self._path(dice.choice(PATHS)),
            "query": dice.choice(
                (
                    b"",
                    b"",
                    b"limit=5",
                    b"after=%00",
                    b"after=" + b"A" * 700,
                    b"limit=%ff",
                    b"after=WyJzdGFmZiIsICIiXQ",
                    b"limit=1&limit=2",
                    b"%",
                )
            ),
            "headers": headers,
            "body": body,
        }

    def _body(self, body: bytes) -> bytes:
        dice = self._dice
        raw = bytearray(body)
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            at = dice.randrange(len(raw) + 1)
            match dice.randrange(4):
                case 0:
                    raw[at:at] = dice.choice(SPLICES)
                case 1:
                    del raw[at : at + dice.randrange(1, 8)]
                case 2 if raw:
                    raw[min(at, len(raw) - 1)] = dice.randrange(256)
                case _:
                    raw[at : at + dice.randrange(6)] = dice.randbytes(dice.randrange(6))
        return bytes(raw)

    def _path(self, path: str) -> str:
        dice = self._dice
        if dice.random() < 0.85:
            return path
        at = dice.randrange(1, len(path) + 1)
        return (
            path[:at]
            + dice.choice(("\x00", "/", "//", "..", "%", "\ud7ff", "é", "'", "{", ";", "�", "a" * 3000, "\n"))
            + path[at:]
        )


async def shoot(app: Any, mutator: Mutator, times: int) -> dict[int, int]:
    """Statuses and how often."""
    found: dict[int, int] = {}
    for _ in range(times):
        try:
            status = (await raw_request(app, **mutator.request())).status
        except Exception:  # noqa: BLE001
            status = 599  # what escapes the app is a 500 of the server around it
        found[status] = found.get(status, 0) + 1
    return found


@pytest.fixture
def bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_office(sqlite_database, vault, clock, tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutations", [MUTATIONS, pytest.param(MANY_MUTATIONS, marks=pytest.mark.long)])
async def test_no_mutation_makes_the_app_fail(bank: Office, mutations: int) -> None:
    admin = bank.staff("admin", Role.STAFF_ADMIN)
    found = await shoot(bank.app, Mutator(SEED, bank.token(admin)), mutations)
    assert sum(found.values()) == mutations
    assert {status: times for status, times in found.items() if status >= 500} == {}
    assert {200, 400, 404, 405, 413, 415, 422} <= set(found), (
        "the mutations must reach the handlers as well as the gate"
    )


async def test_without_the_gate_the_same_mutations_do_harm(bank: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth: an app that trusts its parsers fails."""

    async def open_gate(self: BodyGate, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    monkeypatch.setattr(BodyGate, "__call__", open_gate)
    monkeypatch.setattr("api.edge._is_clean", lambda _scope: True)
    admin = bank.staff("admin", Role.STAFF_ADMIN)
    naked: Litestar = create_app(bank.deps, settings=SETTINGS)
    mutator = Mutator(SEED, bank.token(admin))
    for _ in range(TEETH):
        if max(await shoot(naked, mutator, 1)) >= 500:
            return
    pytest.fail("the gate keeps nothing out")
