"""The outermost layer: host names, request ids, security headers, the request's span. It covers unknown routes too."""

import re
from collections.abc import MutableSequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import ApiSettings
from api.problems import problem_response
from compliance.telemetry.requests import StartSpan
from models.errors import BadRequest

_HOST: Final = re.compile(r"\A(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?\Z")
_HSTS: Final = "max-age=63072000; includeSubDomains"
_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}
# A handler that serves a page sets its own; everything else is data about people and must not be kept or run.
_UNLESS_SET: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Edge:
    """Wraps the whole app; raises nothing."""

    def __init__(self, app: ASGIApp, *, settings: ApiSettings, start_span: StartSpan) -> None:
        """Wrap `app`."""
        self._app = app
        self._settings = settings
        self._start_span = start_span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        with self._start_span(scope["method"], headers.get("traceparent")) as span:
            scope.setdefault("state", {})["request_id"] = span.trace_id
            status = 500

            async def guarded_send(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    self._protect(message)
                await send(message)

            try:
                if self._is_ours(headers.get("host")) and _is_clean(scope):
                    await self._app(scope, receive, guarded_send)
                else:
                    await self._refuse(scope, receive, guarded_send)
            finally:
                span.finish(route=str(scope.get("path_template") or "unmatched"), status=status)

    def _is_ours(self, host: str | None) -> bool:
        match = _HOST.match(host or "")
        if match is None:
            return False
        allowed = self._settings.allowed_hosts
        return "*" in allowed or match.group(1).lower() in allowed

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        response = problem_response(request, BadRequest())
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)

    def _protect(self, message: Any) -> None:
        headers: MutableSequence[tuple[bytes, bytes]] = list(message.get("headers", ()))
        present = {name.lower() for name, _ in headers}
        wanted = dict(_ALWAYS)
        wanted.update({name: value for name, value in _UNLESS_SET.items() if name.encode() not in present})
        if self._settings.tls:
            wanted["strict-transport-security"] = _HSTS
        headers.extend((name.encode(), value.encode()) for name, value in wanted.items())
        message["headers"] = headers


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_clean(scope: Scope) -> bool:
    """No NUL and no broken UTF-8 in path and query: neither database takes them, and no honest client sends them."""
    try:
        query = unquote_to_bytes(scope["query_string"]).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(mark in text for text in (scope["path"], query) for mark in ("\x00", "�"))
