"""Is the process alive, can it do its work, and how is it doing: for supervisors and Prometheus, not for people."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from temporalio.service import RPCError

from api.bodies import Answer
from api.deps import ApiDeps, ApiSettings, Deps
from api.in_thread import in_thread
from compliance.telemetry.metrics import CONTENT_TYPE
from models.errors import CaseworkError, NotFound
from models.queries.platform import oldest_waiting_since

_BUDGET_S: Final = 1.0
_FORWARDING: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Health(Answer):
    """Whether the process can do its work; each reason is the code of what cannot be reached or is late."""

    status: str
    reasons: dict[str, str]


@get("/healthz", opt={"public": True}, sync_to_thread=False, operation_id="GetLiveness", tags=["Operations"])
def healthz() -> Health:
    """The process is alive."""
    return Health(status="ok", reasons={})


@get("/readyz", opt={"public": True}, operation_id="GetReadiness", tags=["Operations"])
async def readyz(deps: Deps, state: State) -> Response[Health]:
    """Everything a decision needs is within reach: database, key store, Temporal, and a short outbox."""
    settings: ApiSettings = state.api_settings
    checks: dict[str, Callable[[], Awaitable[str | None]]] = {
        "database": lambda: in_thread(_database, deps, settings.outbox_red_after),
        "keys": lambda: in_thread(_keys, deps),
        "temporal": lambda: _temporal(deps),
    }
    answers = await asyncio.gather(*(_within_budget(check) for check in checks.values()))
    reasons = {name: reason for name, reason in zip(checks, answers, strict=True) if reason is not None}
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return Response(Health(status="red" if reasons else "ok", reasons=reasons), status_code=status)


@get("/metrics", opt={"public": True}, sync_to_thread=True, operation_id="GetMetrics", tags=["Operations"])
def metrics(request: Request[Any, Any, Any], deps: Deps) -> Response[bytes]:
    """Prometheus, for a scraper on this machine only.

    Raises:
        NotFound: the caller is elsewhere, or speaks through a proxy.
    """
    if not _is_local(request):
        raise NotFound
    return Response(deps.metrics.render(), media_type=CONTENT_TYPE)


async def _within_budget(check: Callable[[], Awaitable[str | None]]) -> str | None:
    try:
        async with asyncio.timeout(_BUDGET_S):
            return await check()
    except TimeoutError:
        return "timeout"
    except CaseworkError as error:
        return error.code
    except Exception:  # noqa: BLE001 - whatever keeps it from answering, the answer is that it does not
        return "unreachable"


def _database(deps: ApiDeps, outbox_red_after: timedelta) -> str | None:
    with deps.database.read() as session:
        since = oldest_waiting_since(session)
    return "outbox-late" if since is not None and deps.clock() - since > outbox_red_after else None


def _keys(deps: ApiDeps) -> str | None:
    deps.vault.token_keys()  # reads the key store and opens a key with the key-encryption key, past every cache
    return None


async def _temporal(deps: ApiDeps) -> str | None:
    try:
        healthy = await deps.temporal.service_client.check_health(timeout=timedelta(seconds=_BUDGET_S))
    except RPCError as error:
        return f"rpc-{error.status.name.lower()}"
    return None if healthy else "unhealthy"


def _is_local(request: Request[Any, Any, Any]) -> bool:
    client = request.scope.get("client")
    if client is None or any(name in request.headers for name in _FORWARDING):
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
