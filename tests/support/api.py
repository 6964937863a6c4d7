"""The HTTP edge over a database of the test, without a server and without Temporal; and staff who log in to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from litestar import Litestar
from temporalio.client import Client

from api.app import create_app
from api.deps import ApiDeps, ApiSettings
from api.identity.issuer import AUDIENCE, ISSUER, Issuer, local_issuer
from api.identity.passwords import hash_password
from api.identity.tokens import sign_token
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Dispatcher
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.tokens import new_token
from models.operations.assessments import model_assessment
from models.operations.staff import NewStaff, seed_staff
from models.tables.staff import Staff
from models.tables.tenants import Tenant
from tests.support.clock import FakeClock
from tests.support.shared_app import shared_app

PASSWORD: Final = "correct horse battery staple"
_HASHED: list[str] = []  # one hash for all accounts of all tests: argon2 is slow on purpose
SETTINGS: Final = ApiSettings(production=False, allowed_hosts=frozenset({"casework.test"}))


class NoTemporal:
    """Stands where Temporal's client stands in tests that never get to it."""

    @property
    def service_client(self) -> Any:
        raise ConnectionRefusedError

    def list_workflows(self, *_: object, **__: object) -> Any:
        raise ConnectionRefusedError


@dataclass(kw_only=True)
class Office:
    """An app with its staff."""

    app: Litestar
    deps: ApiDeps
    clock: FakeClock

    @property
    def issuer(self) -> Issuer:
        assert self.deps.issuer is not None
        return self.deps.issuer

    def tenant(self, code: str) -> None:
        """Add an institution."""
        add_tenant(self.deps.database, self.deps.vault, code, now=self.clock())

    def staff(
        self,
        login: str,
        *roles: Role,
        tenant: str = "main",
        person_id: str | None = None,
        authority_amount_minor: int = 0,
        authority_concession_bps: int = 0,
        branch: str = "hq",
    ) -> Staff:
        """Add an account with roles; its password is `PASSWORD`."""
        if not _HASHED:
            _HASHED.append(hash_password(PASSWORD))
        new = NewStaff(
            tenant=tenant,
            login=login,
            name=f"Staff {login}",
            branch=branch,
            locale="en",
            person_id=person_id,
            password_hash=_HASHED[0],
        )
        with unit_of_work(self.deps.database, _deed(tenant, "staff.seeded", self.clock())) as unit:
            return seed_staff(
                unit.session,
                new,
                roles=frozenset(roles),
                authority_amount_minor=authority_amount_minor,
                authority_concession_bps=authority_concession_bps,
                now=self.clock(),
            )

    def token(self, staff: Staff, *, age: timedelta = timedelta(), auth_age: timedelta | None = None) -> str:
        """An access token as the issuer would sign it, without the cost of a password."""
        at = self.clock() - age
        return sign_token(
            key=self.issuer.key,
            issuer=ISSUER,
            audience=AUDIENCE,
            subject=staff.id,
            jti=f"{new_token('ses')}.{new_token('at')[3:]}",
            issued_at=at,
            auth_time=at if auth_age is None else self.clock() - auth_age,
        )

    def client(
        self, staff: Staff | None = None, *, token: str | None = None, source: str = "192.0.2.1"
    ) -> httpx.AsyncClient:
        """An HTTP client, logged in as `staff` or with `token`, if given; in English."""
        headers = {"Accept-Language": "en"}
        if staff is not None or token is not None:
            headers["Authorization"] = f"Bearer {token or self.token(staff)}"  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=self.app, client=(source, 4711), raise_app_exceptions=True)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://casework.test", headers=headers)


def open_office(
    database: Database,
    vault: Vault,
    clock: FakeClock,
    files_root: Path,
    *,
    temporal: Client | None = None,
    dispatcher: Dispatcher | None = None,
    settings: ApiSettings = SETTINGS,
    more_routes: Sequence[Any] = (),
    opened: bool = False,
) -> Office:
    """An app with tenant `main` and nobody in it; `opened`: the stores have it already."""
    client: Any = temporal or NoTemporal()
    issuer, verifier = local_issuer(database=database, vault=vault, clock=clock)
    deps = ApiDeps(
        database=database,
        vault=vault,
        temporal=client,
        dispatcher=dispatcher
        or Dispatcher(
            client=client, cases_queue="cases", task_timeout=timedelta(seconds=5), rpc_timeout=timedelta(seconds=2)
        ),
        clock=clock,
        verifier=verifier,
        issuer=issuer,
        files_root=files_root,
    )
    if more_routes:
        app = create_app(deps, settings=settings, more_routes=more_routes)
    else:
        app, deps = shared_app(deps, settings=settings)
    office = Office(app=app, deps=deps, clock=clock)
    if not opened:
        office.tenant("main")
    return office


def add_tenant(database: Database, vault: Vault, code: str, *, now: datetime) -> None:
    """An institution with its assessment of what it does with personal data."""
    vault.ensure_tenant(code)
    with unit_of_work(database, _deed(code, "tenant.created", now)) as unit:
        unit.session.add(Tenant(code=code, name=code, created_at=now))
        unit.session.flush()
        unit.session.add(model_assessment(code, approved_on=date(2026, 1, 5), now=now))


def _deed(tenant: str, action: str, at: datetime) -> Deed:
    return Deed(tenant=tenant, action=action, target=tenant, actor="operator", at=at)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What an ASGI app sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def raw_request(
    app: Any,
    method: str,
    path: str,
    *,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    query: bytes = b"",
    source: str = "192.0.2.1",
) -> RawAnswer:
    """Send bytes straight into an ASGI app: what no well-behaved client would let through."""
    sent = False
    status, answer_headers, chunks = 0, {}, []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers],
        "client": (source, 4711),
        "server": ("casework.test", 80),
    }

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            answer_headers.update({name.decode().lower(): value.decode() for name, value in message["headers"]})
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(scope, receive, send)
    return RawAnswer(status, answer_headers, b"".join(chunks))
