"""The other side of messages, for demo and tests: a provider of text messages over HTTP and a mail server, on loopback.

Both keep what they received in memory, once per id, and fail on demand.
"""

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOOPBACK: Final = "127.0.0.1"
_MOST_BYTES: Final = 64 * 1024


class Fault(StrEnum):
    """How the next message is met."""

    DOWN = "down"  # the connection is cut before anything is kept
    BUSY = "busy"  # try again: 503, or 451
    REJECTED = "rejected"  # for good: 422, or 550
    LOST_ANSWER = "lost-answer"  # kept, and the connection is cut instead of an answer
    SLOW = "slow"  # no answer until the receiver is told to go on, or stops


@dataclass(slots=True)
class Inbox:
    """What a receiver holds: one message per id, how often each came, and the faults to come."""

    messages: dict[str, dict[str, str]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    go_on: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail_next(self, *faults: Fault) -> None:
        """The next messages meet these faults, in order."""
        with self._lock:
            self.faults.extend(faults)

    def next_fault(self) -> Fault | None:
        """What the present message meets."""
        with self._lock:
            return self.faults.popleft() if self.faults else None

    def keep(self, message_id: str, message: dict[str, str]) -> bool:
        """Keep a message; False if one is kept under its id already."""
        with self._lock:
            self.times[message_id] = self.times.get(message_id, 0) + 1
            return self.messages.setdefault(message_id, message) is message

    def to(self, address: str) -> list[dict[str, str]]:
        """What an address has received, in order."""
        with self._lock:
            return [message for message in self.messages.values() if message["to"] == address]


class HookReceiver:
    """An HTTP server that takes `POST` of JSON with an `id`: text messages, or a CRM's hooks."""

    def __init__(self, *, token: str | None = None, port: int = 0) -> None:
        """Listen on loopback, on a free port unless one is named; `token` is the bearer that callers must know."""
        self.inbox = Inbox()
        handler = type("_Handler", (_HookHandler,), {"inbox": self.inbox, "token": token})
        self._server = ThreadingHTTPServer((LOOPBACK, port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="hooks", daemon=True)

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://{LOOPBACK}:{self._server.server_port}/messages"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.inbox.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _HookHandler(BaseHTTPRequestHandler):
    """One request of the receiver."""

    inbox: Inbox
    token: str | None

    def do_POST(self) -> None:
        """Take one message."""
        fault = self.inbox.next_fault()
        if fault is Fault.DOWN:
            self._cut()
            return
        if self.token is not None and self.headers.get("Authorization") != f"Bearer {self.token}":
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        if fault in _STATUS_OF_FAULT:
            self._answer(_STATUS_OF_FAULT[fault])
            return
        message = self._message()
        if message is None:
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        if fault is Fault.SLOW:
            self.inbox.go_on.wait()
        is_new = self.inbox.keep(message["id"], message)
        if fault is Fault.LOST_ANSWER:
            self._cut()
            return
        self._answer(HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK, {"ref": f"r-{message['id'][:8]}"})

    def _message(self) -> dict[str, str] | None:
        size = int(self.headers.get("Content-Length", "0"))
        if not 0 < size <= _MOST_BYTES:
            return None
        try:
            told = json.loads(self.rfile.read(size))
        except ValueError:
            return None
        wanted = isinstance(told, dict) and isinstance(told.get("id"), str)
        return told if wanted else None

    def _answer(self, status: HTTPStatus, body: dict[str, str] | None = None) -> None:
        content = json.dumps(body or {}).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the caller has gone, as it may after waiting in vain
            self._cut()
        self.close_connection = True

    def _cut(self) -> None:
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing: what is received is in memory only."""


_STATUS_OF_FAULT: Final[dict[Fault | None, HTTPStatus]] = {
    Fault.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    Fault.REJECTED: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class MailReceiver:
    """A mail server; `user` and `password` are what callers must log in with, if they are given."""

    def __init__(self, *, user: str | None = None, password: str | None = None, port: int = 0, **tls: Any) -> None:
        """Listen on loopback; `tls` goes to the server: `tls_context` for STARTTLS, `ssl_context` for TLS at once."""
        self.inbox = Inbox()
        if user is not None:
            tls["authenticator"] = _only(user, password or "")
            tls["auth_required"] = True
        self._socket = socket.create_server((LOOPBACK, port))
        self.port: int = self._socket.getsockname()[1]
        self._controller = _OnSocket(
            _MailHandler(self.inbox), hostname=LOOPBACK, port=self.port, listening=self._socket, **tls
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.inbox.go_on.set()
        self._controller.stop()


class _OnSocket(Controller):
    """A controller on a socket that is bound already: the library's own looks for itself on port 0 and finds nobody."""

    def __init__(self, handler: object, *, listening: socket.socket, **options: Any) -> None:
        super().__init__(handler, **options)
        self._listening = listening

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


@dataclass(slots=True)
class _MailHandler:
    """What the mail server asks as a mail comes in."""

    inbox: Inbox
    _met: Fault | None = None

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the address, or meet a fault."""
        self._met = self.inbox.next_fault()
        if self._met is Fault.DOWN:
            _cut(server)
        if self._met is Fault.BUSY:
            return "451 try again"
        if self._met is Fault.REJECTED:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail under its Message-ID."""
        content = envelope.original_content or b""
        mail = message_from_bytes(content, _class=EmailMessage, policy=SMTP_POLICY)
        message = {
            "id": str(mail["Message-ID"]),
            "to": ", ".join(envelope.rcpt_tos),
            "from": str(envelope.mail_from),
            "subject": str(mail["Subject"]),
            "text": str(mail.get_content()),
            "headers": "\n".join(mail.keys()),
        }
        if self._met is Fault.SLOW:
            await server.loop.run_in_executor(None, self.inbox.go_on.wait)
        self.inbox.keep(message["id"], message)
        if self._met is Fault.LOST_ANSWER:
            _cut(server)
        return "250 kept"


def _cut(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


def _only(user: str, password: str) -> Callable[..., AuthResult]:
    wanted = LoginPassword(login=user.encode(), password=password.encode())

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object) -> AuthResult:
        return AuthResult(success=given == wanted)

    return check
