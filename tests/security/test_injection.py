"""S15: two hundred hostile strings through fields, paths, queries and headers: no line too many, and no SQL error.

Every line that the process logs is one JSON object, whatever the strings hold; the database never stumbles over one.
"""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog
from _pytest.logging import LogCaptureHandler
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from compliance.telemetry.logs import configure_logging
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from tests.api.aftercare.care_desk import open_care_desk
from tests.support.api import Office, raw_request
from tests.support.applications import CASES, FakeDispatcher, application, open_desk
from tests.support.clock import FakeClock

pytestmark = pytest.mark.long  # thousands of tries; says little more each time

_SEEDS = (
    "\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\x1b[2J", "\x1b[31mred\x1b[0m",
    "%n%n%s%x", "%(message)s", "{0}{request}", "${jndi:ldap://x/a}", '"}\n{"level":"critical","event":"owned"}',
    "', 'x'); DROP TABLE audit_events; --", "' OR '1'='1", '" OR 1=1 --', "1; DELETE FROM audit_leaves", "\\'; --",
    "%' UNION SELECT password_hash FROM staff --", "_%_%", "'||(SELECT 1)||'", "\u202eevil", "\u2066x\u2069", "\ufeff",
    "\ud7ff", "\U0001f600", "𠮷野家", "A" * 5_000, "../../etc/passwd", "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0", '{"$ne":null}', "[]", "null", "\\u0000", "\\n", "-1e309", "0x1F", "١٢٣", "ﬀ", "İ",
)  # fmt: skip


def hostile() -> list[str]:
    """Two hundred: each seed alone, then two or three of them together."""
    dice, made = Random(15), [*_SEEDS]
    while len(made) < 200:
        made.append("".join(dice.choice(_SEEDS)[:60] for _ in range(dice.randint(2, 3))))
    return made


@pytest.fixture
def office(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream=stream, level="DEBUG")
    yield stream
    # What pytest put there for this phase is its own to take away.
    root.handlers[:] = [*kept, *(each for each in root.handlers if isinstance(each, LogCaptureHandler))]
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


async def test_two_hundred_hostile_strings_go_through_every_door(office: Office, log: io.StringIO) -> None:
    desk = await open_care_desk(office)
    auditor = office.staff("auditor", Role.AUDITOR, branch="*")
    tokens = {"officer": office.token(desk.officer), "auditor": office.token(auditor)}
    errors: list[str] = []
    event.listen(
        office.deps.database.engine,
        "handle_error",
        lambda context: errors.append(type(context.original_exception).__name__),
    )
    lines_before, requests, statuses = _lines(log), 0, set()
    strings = hostile()
    assert len(strings) == 200
    for number, string in enumerate(strings):
        for method, path, query, headers, body in _doors(string, desk.case, number):
            token = tokens["auditor" if path.startswith("/v1/audit") else "officer"]
            sent = [("host", "casework.test"), ("authorization", f"Bearer {token}"), *headers]
            if body is not None:
                raw = json.dumps(body).encode("utf-8", "surrogatepass")
                sent += [("content-type", "application/json"), ("content-length", str(len(raw)))]
            else:
                raw = b""
            answer = await raw_request(office.app, method, path, headers=sent, body=raw, query=query)
            statuses.add(answer.status)
            requests += 1
            if answer.status >= 500:
                pytest.fail(f"{answer.status} for {string!r} at {method} {path}: {answer.body!r}")
            if answer.body and "json" in answer.headers.get("content-type", ""):
                answer.json()
    assert requests >= 2_000
    assert {200, 422} <= statuses
    assert errors == []
    raw_log = log.getvalue()
    written = raw_log.splitlines()  # splits at every line end that Unicode knows
    assert len(written) == raw_log.count("\n"), "no line end inside a line"
    for line in written:
        assert isinstance(json.loads(line), dict)
    assert not any(record.get("event") == "owned" for record in map(json.loads, written))
    assert len(written) - len(lines_before) <= requests
    _all_is_there(office.deps.database)


async def test_teeth_an_error_of_the_database_would_be_seen(office: Office) -> None:
    errors: list[str] = []
    event.listen(office.deps.database.engine, "handle_error", lambda context: errors.append("seen"))
    with pytest.raises(DBAPIError), office.deps.database.read() as session:
        session.execute(text("SELECT * FROM audit_events WHERE id = 'it's'"))
    assert errors == ["seen"]


def _lines(log: io.StringIO) -> list[str]:
    return log.getvalue().splitlines()


def _doors(
    string: str, case: str, number: int
) -> Iterator[tuple[str, str, bytes, list[tuple[str, str]], dict[str, Any] | None]]:
    """Every way in that takes a string of the caller's."""
    from urllib.parse import quote

    key = ("idempotency-key", f"s15-{number}")
    quoted = quote(string.encode("utf-8", "surrogatepass"), safe="")
    header = string.encode("utf-8", "surrogatepass").decode("latin-1")
    yield "POST", "/v1/tickets", b"", [key], {"caseToken": case, "kind": "question", "text": string}
    yield "POST", CASES, b"", [key], application(applicant__name=string, hardship__note=string)
    yield "POST", "/v1/subjects/search", b"", [], {"mobile": string}
    yield "POST", "/v1/subjects/search", b"", [], {"idNumber": string}
    yield "POST", "/v1/customers/search", b"", [], {"idNumber": string}
    yield "POST", "/v1/customers/search", b"", [], {"customerNo": string, "origin": string, "after": string}
    yield "GET", f"/v1/customers/{string}", b"", [], None
    yield "POST", "/v1/tasks/search", b"", [], {"filter": {"text": string}, "after": string}
    yield "POST", f"{CASES}/search", b"", [], {"filter": {"branch": [string], "stage": [string]}}
    yield "POST", "/v1/sessions", b"", [], {"login": string, "tenant": string, "password": string}
    yield "GET", f"{CASES}/{string}", b"", [], None
    yield "GET", f"/v1/subjects/{string}", b"", [], None
    for name in ("case", "subject", "task", "action", "actor", "from", "after"):
        yield "GET", "/v1/audit/events", f"{name}={quoted}".encode(), [], None
    yield "GET", f"/v1/audit/events/{string}", b"", [], None
    yield "GET", f"/v1/audit/cases/{string}", b"", [], None
    yield "GET", "/v1/tickets", b"", [("accept-language", header), ("x-request-id", header)], None
    yield "GET", "/v1/tickets", b"", [("traceparent", header), ("user-agent", header), ("referer", header)], None
    yield (
        "POST",
        "/v1/tickets",
        b"",
        [("idempotency-key", header)],
        {"caseToken": case, "kind": "question", "text": "a"},
    )


def _all_is_there(database: Database) -> None:
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM audit_events")).scalar_one() > 0
        assert session.execute(text("SELECT count(*) FROM staff")).scalar_one() == 3
