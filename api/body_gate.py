"""What may come in as a body, judged on its bytes before anything parses it.

JSON routes: `application/json` or `application/merge-patch+json`, at most 64 KiB, UTF-8 without BOM and NUL, at most
32 levels deep, no member twice, nothing after the value. Document routes (`opt={"multipart": True}`):
`multipart/form-data`, streamed through under a running total of 10 MiB, or of what the route names (`opt={"most_bytes":
…}`; its `request_max_body_size` says the same). Lenient parsers downstream then cannot disagree
about what was sent.
"""

import json
import re
from typing import Any, Final, NoReturn

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Receive, Scope, Send

from models.errors import BadRequest, BodyTooLarge, FieldFault, MediaTypeUnsupported

MAX_JSON_BYTES: Final = 64 * 1024
MAX_MULTIPART_BYTES: Final = 10 * 1024 * 1024
MAX_DEPTH: Final = 32
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
_BOM: Final = b"\xef\xbb\xbf"
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_OPENING: Final = frozenset(b"[{")


class BodyGate:
    """ASGI middleware; runs after authentication, so that strangers cannot make it read."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next ASGI app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that has been checked, or raise a problem."""
        assert scope["type"] == ScopeType.HTTP, "there are no websockets here"
        headers = _body_headers(scope)
        if scope["route_handler"].opt.get("multipart") is True:
            _check_media(headers, frozenset({"multipart/form-data"}))
            most = scope["route_handler"].opt.get("most_bytes", MAX_MULTIPART_BYTES)
            await self._app(scope, _counted(receive, limit=most), send)
            return
        declared = headers.get("content-length", "0")
        if declared == "0" and "transfer-encoding" not in headers and scope["method"] not in _WITH_BODY:
            await self._app(scope, receive, send)
            return
        if not (declared.isascii() and declared.isdigit()):
            _refuse("content-length")
        if len(declared) > len(str(MAX_JSON_BYTES)) or int(declared) > MAX_JSON_BYTES:
            raise BodyTooLarge(params={"limit": MAX_JSON_BYTES})
        body = await _read(receive, limit=MAX_JSON_BYTES)
        if body:
            if scope["method"] not in _WITH_BODY:
                _refuse("body-not-allowed")
            _check_media(headers, _JSON_TYPES)
            check_json(body)
        await self._app(scope, _replayed(body, receive), send)


def check_json(body: bytes) -> None:
    """Refuse JSON that two parsers could read differently, or that one could choke on.

    Raises:
        BadRequest: with a fault whose code names the rule.
    """
    if body.startswith(_BOM):
        _refuse("byte-order-mark")
    if b"\x00" in body:
        _refuse("nul")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("not-unicode")
    if _depth(body) > MAX_DEPTH:
        _refuse("too-deep")
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # also: an integer of more digits than Python will read
        _refuse("not-json")
    if "\\u" in text and not _is_storable(value):
        _refuse("nul")


def _depth(body: bytes) -> int:
    deepest = level = 0
    for match in _BRACKET.finditer(_STRING.sub(b"", body)):
        level += 1 if match.group()[0] in _OPENING else -1
        deepest = max(deepest, level)
        if deepest > MAX_DEPTH:
            break
    return deepest


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        _refuse("duplicate-key")
    return result


def _no_constant(_name: str) -> NoReturn:
    _refuse("not-json")  # NaN and Infinity are Python's, not JSON's


def _is_storable(value: Any) -> bool:
    """No NUL and no half of a surrogate pair, which JSON can spell and no database takes."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, dict):
        return all(_is_storable(name) and _is_storable(member) for name, member in value.items())
    if isinstance(value, list):
        return all(_is_storable(member) for member in value)
    return True


def _body_headers(scope: HTTPScope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in ("content-type", "content-length", "transfer-encoding", "content-encoding"):
            if name in found:
                _refuse("header-twice")
            found[name] = raw_value.decode("latin-1").strip()
    return found


def _check_media(headers: dict[str, str], allowed: frozenset[str]) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeUnsupported
    kind, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    if kind not in allowed:
        raise MediaTypeUnsupported
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise MediaTypeUnsupported


async def _read(receive: Receive, *, limit: int) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            _refuse("not-json")
        chunk: bytes = message.get("body", b"")
        total += len(chunk)
        if total > limit:
            raise BodyTooLarge(params={"limit": limit})
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> HTTPReceiveMessage:
        nonlocal sent
        if sent:
            return await receive()  # type: ignore[return-value]  # waits for the disconnect
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _counted(receive: Receive, *, limit: int) -> Receive:
    total = 0

    async def count() -> Any:
        nonlocal total
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            if total > limit:
                raise BodyTooLarge(params={"limit": limit})
        return message

    return count


def _refuse(rule: str) -> NoReturn:
    raise BadRequest(faults=(FieldFault(pointer="", code=rule),))
