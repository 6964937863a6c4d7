"""The parts that every route shares: who may call, how failures look, headers, health, the document."""

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from litestar import get, post
from litestar.params import JSONBody
from pydantic import Field

from api.app import create_app
from api.bodies import Answer, Body
from api.deps import ApiSettings
from api.identity.authenticate import LOGGED_IN, required_permission, served_handlers
from api.problems import problem_types
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.errors import DatabaseBusy, UnsafeSetting
from models.tables.platform import OutboxEntry
from models.texts.render import LOCALES, has_text
from tests.support.api import SETTINGS, Office, open_office, raw_request
from tests.support.clock import FakeClock

PUBLIC = {
    ("/v1/public-notices/{text_id:str}", "GET"),
    ("/v1/gateway-receipts", "POST"),  # signed by the gateway
    ("/v1/transparency-reports/{job:str}", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
    ("/problems/{code:str}", "GET"),
    ("/v1/sessions", "POST"),
    ("/v1/sessions/refresh", "POST"),
}


def test_every_route_is_guarded_but_the_public_ones(sqlite_office: Office) -> None:
    public = set()
    for path, method, handler in served_handlers(sqlite_office.app):
        guard = required_permission(handler)
        if handler.opt.get("public") is True:
            public.add((path, method))
        assert (guard is None) == ((path, method) in public), f"{method} {path}"
    # A customer's link carries its own proof and no token.
    assert {route for route in public if not route[0].startswith("/v1/links/")} == PUBLIC


@pytest.mark.parametrize(
    "options",
    [{}, {"opt": {"public": True}, "guards": [LOGGED_IN]}, {"opt": {"public": "yes"}}],
    ids=["none", "both", "odd"],
)
def test_a_route_that_does_not_say_who_may_call_stops_the_start(sqlite_office: Office, options: dict[str, Any]) -> None:
    @get("/v1/open", sync_to_thread=False, **options)
    def open_route() -> str:
        return "hello"

    with pytest.raises(UnsafeSetting, match="/v1/open"):
        create_app(sqlite_office.deps, settings=SETTINGS, more_routes=[open_route])


def test_every_problem_and_every_fault_of_the_gate_has_a_text_in_each_language() -> None:
    keys = [f"problem.{code}.{part}" for code in problem_types() for part in ("title", "detail")]
    keys += [f"field.{code}" for code in GATE_CODES]
    assert [(locale, key) for key in keys for locale in LOCALES if not has_text(key, locale)] == []


GATE_CODES = [
    "byte-order-mark",
    "not-unicode",
    "nul",
    "too-deep",
    "duplicate-key",
    "not-json",
    "content-length",
    "header-twice",
    "body-not-allowed",
    "cursor",
    "invalid",
    "missing",
    "unknown-field",
    "wrong-type",
    "too-short",
    "too-long",
    "too-small",
    "too-large",
    "pattern",
    "not-one-of",
    "unknown-person",
    "password-common",
]


async def test_the_page_of_a_problem_describes_it_in_each_language(sqlite_office: Office) -> None:
    async with sqlite_office.client() as client:
        pages = {code: (await client.get(f"/problems/{code}")).json() for code in problem_types()}
        unknown = await client.get("/problems/no-such-type")
    for code, page in pages.items():
        assert (page["type"], page["code"]) == (f"/problems/{code}", code)
        assert page["title"]["en"] != page["title"]["zh-CN"]
        assert all(page["detail"].values())
    assert unknown.json()["code"] == "not-found"


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("en", "en"),
        ("zh-CN", "zh-CN"),
        (None, "zh-CN"),
        ("fr, en;q=0.5, zh;q=0.4", "en"),
        ("zh;q=0.9,en;q=0.1", "zh-CN"),
    ],
)
async def test_problems_speak_the_callers_language(sqlite_office: Office, accept: str | None, language: str) -> None:
    headers = [("host", "casework.test")] + ([("accept-language", accept)] if accept else [])
    answer = await raw_request(sqlite_office.app, "GET", "/v1/me", headers=headers)
    assert answer.status == 401
    assert answer.headers["content-language"] == language
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="casework"'


async def test_a_member_of_staff_is_answered_in_his_own_language_unless_he_asks(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)  # whose locale is English
    headers = [("host", "casework.test"), ("authorization", f"Bearer {sqlite_office.token(officer)}")]
    answer = await raw_request(sqlite_office.app, "GET", "/v1/staff", headers=headers)
    assert (answer.status, answer.headers["content-language"]) == (403, "en")
    assert answer.json()["params"] == {"permission": "staff:read"}


async def test_unknown_paths_and_methods_are_problems_with_the_same_headers(sqlite_office: Office) -> None:
    async with sqlite_office.client() as client:
        missing, wrong = await client.get("/v1/nothing"), await client.patch("/healthz")
        trace = await client.request("TRACE", "/v1/me")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert "GET" in wrong.headers["allow"]
    assert trace.status_code == 405
    for answer in (missing, wrong):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_hsts_is_sent_where_the_service_is_reached_over_tls(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    settings = ApiSettings(production=True, tls=True, allowed_hosts=frozenset({"casework.test"}))
    office = open_office(sqlite_database, vault, clock, tmp_path, settings=settings)
    async with office.client() as client:
        assert "max-age=63072000" in (await client.get("/healthz")).headers["strict-transport-security"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "casework.test.evil",
        "caseworkXtest",
        "casework.test:80:80",
        "",
        "casework.test\t",
        "a@casework.test",
        None,
    ],
)
async def test_a_host_that_is_not_ours_is_refused(sqlite_office: Office, host: str | None) -> None:
    headers = [] if host is None else [("host", host)]
    answer = await raw_request(sqlite_office.app, "GET", "/healthz", headers=headers)
    assert (answer.status, answer.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    "settings",
    [
        {"production": True, "tls": True, "allowed_hosts": frozenset({"*"})},
        {"production": True, "tls": False, "allowed_hosts": frozenset({"bank.example"})},
        {"production": False, "allowed_hosts": frozenset()},
    ],
)
def test_settings_that_expose_the_service_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UnsafeSetting):
        ApiSettings(**settings)


async def test_a_trace_that_the_caller_began_goes_on(sqlite_office: Office) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with sqlite_office.client() as client:
        told = await client.get("/v1/me", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        forged = await client.get("/v1/me", headers={"traceparent": "00-<script>-1-1"})
    assert told.json()["traceId"] == trace
    assert len(forged.json()["traceId"]) == 32


async def test_a_failure_inside_tells_only_its_trace(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @get("/v1/broken", opt={"public": True}, sync_to_thread=False)
    def broken() -> str:
        raise RuntimeError("card 6222020000000000 of Zhang San in /srv/secret.py")

    @get("/v1/busy", opt={"public": True}, sync_to_thread=False)
    def busy() -> str:
        raise DatabaseBusy(detail="lock on table subjects", params={"table": "subjects"})

    office = open_office(sqlite_database, vault, clock, tmp_path, more_routes=[broken, busy])
    async with office.client() as client:
        inside, waiting = await client.get("/v1/broken"), await client.get("/v1/busy")
    assert (inside.status_code, inside.json()["code"]) == (500, "internal")
    assert (waiting.status_code, waiting.json()["code"], waiting.headers["retry-after"]) == (503, "database-busy", "1")
    for text in (inside.text, waiting.text, caplog.text):
        assert not any(secret in text for secret in ("6222", "Zhang", "secret.py", "subjects"))
    assert set(inside.json()) == {"type", "title", "status", "detail", "code", "retryable", "traceId"}


class ShapeBody(Body):
    amount_minor: Annotated[int, Field(ge=1, le=100)]
    note: Annotated[str, Field(pattern=r"\A[a-z]{1,5}\Z")] = "a"


class ShapeAnswer(Answer):
    amount_minor: int


async def test_faults_point_at_fields_and_repeat_no_value(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    @post("/v1/shapes", opt={"public": True}, sync_to_thread=False)
    def shapes(data: JSONBody[ShapeBody]) -> ShapeAnswer:
        return ShapeAnswer(amount_minor=data.amount_minor)

    office = open_office(sqlite_database, vault, clock, tmp_path, more_routes=[shapes])
    async with office.client() as client:
        good = await client.post("/v1/shapes", json={"amountMinor": 7})
        bad = await client.post(
            "/v1/shapes", json={"amountMinor": 4711, "note": "canary-4711\n", "x/y~z": "canary-4711"}
        )
        snake = await client.post("/v1/shapes", json={"amount_minor": 7})
    assert good.json() == {"amountMinor": 7}
    assert bad.status_code == 422
    assert {(fault["pointer"], fault["code"]) for fault in bad.json()["errors"]} == {
        ("/amountMinor", "too-large"),
        ("/note", "pattern"),
        ("/?", "unknown-field"),
    }
    assert "4711" not in bad.text
    assert "100" in next(fault["detail"] for fault in bad.json()["errors"] if fault["code"] == "too-large")
    assert snake.status_code == 422


async def test_readiness_is_red_while_temporal_is_away_and_liveness_is_not(sqlite_office: Office) -> None:
    started = asyncio.get_running_loop().time()
    async with sqlite_office.client() as client:
        ready, alive = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, ready.json()) == (503, {"status": "red", "reasons": {"temporal": "unreachable"}})
    assert alive.status_code == 200
    assert asyncio.get_running_loop().time() - started < 3


async def test_readiness_names_what_is_red(sqlite_office: Office) -> None:
    class Healthy:
        class service_client:  # noqa: N801
            @staticmethod
            async def check_health(**_: Any) -> bool:
                return True

    sqlite_office.deps.temporal = Healthy()  # type: ignore[assignment]
    async with sqlite_office.client() as client:
        assert (await client.get("/readyz")).json() == {"status": "ok", "reasons": {}}
        now = sqlite_office.clock()
        with sqlite_office.deps.database.write() as session:
            session.add(
                OutboxEntry(
                    id="o1",
                    tenant="main",
                    kind="start",
                    business_key="k",
                    workflow_id="w",
                    next_try_at=now,
                    created_at=now,
                )
            )
        sqlite_office.clock.advance(seconds=61)
        assert (await client.get("/readyz")).json()["reasons"] == {"database": "outbox-late"}

    class Slow:
        class service_client:  # noqa: N801
            @staticmethod
            async def check_health(**_: Any) -> bool:
                await asyncio.Event().wait()
                return True

    sqlite_office.deps.temporal = Slow()  # type: ignore[assignment]
    async with sqlite_office.client() as client:
        assert (await client.get("/readyz")).json()["reasons"]["temporal"] == "timeout"


async def test_metrics_are_for_this_machine(sqlite_office: Office) -> None:
    async with sqlite_office.client(source="127.0.0.1") as client:
        near = await client.get("/metrics")
        proxied = await client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.9"})
    async with sqlite_office.client(source="192.0.2.1") as client:
        far = await client.get("/metrics")
    assert (near.status_code, far.status_code, proxied.status_code) == (200, 404, 404)
    assert near.headers["content-type"].startswith("text/plain")


async def test_the_document_is_for_staff_and_complete(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    async with sqlite_office.client() as client:
        assert (await client.get("/v1/openapi.json")).status_code == 401
        for path in ("/schema", "/schema/openapi.json", "/v1/schema", "/docs"):
            assert (await client.get(path)).status_code == 404
    async with sqlite_office.client(officer) as client:
        document = (await client.get("/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    served = {(path, method) for path, method, _ in served_handlers(sqlite_office.app)}
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    plain = {(re.sub(r":(str|int)}", "}", path), method) for path, method in served if path != "/v1/openapi.json"}
    assert described == plain
    identifiers = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(identifiers) == len(set(identifiers))
    confirm = document["paths"]["/v1/role-changes/{change_id}/confirmation"]["post"]
    assert confirm["x-required-permissions"] == ["roles:confirm"]
    assert "application/problem+json" in confirm["responses"]["default"]["content"]
    body = document["components"]["schemas"]["CreateStaffBody"]
    assert "initialPassword" in body["properties"]
    create = document["paths"]["/v1/staff"]["post"]
    assert {"in": "header", "name": "Idempotency-Key"}.items() <= create["parameters"][0].items()
