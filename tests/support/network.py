"""No test reaches beyond this machine: a connection that leaves the loopback is refused where it is attempted.

Guards Python's own sockets (httpx, smtplib, asyncio). The clients of Temporal and PostgreSQL are native and not seen
here; the fixtures give them loopback addresses only.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OutsideConnectionRefused(AssertionError):
    """A test tried to leave this machine."""


def is_local(family: int, address: Any) -> bool:
    """Whether an address of a socket stays on this machine."""
    if family == socket.AF_UNIX:
        return True
    if family not in (socket.AF_INET, socket.AF_INET6):
        return False
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False  # a name would have to be looked up outside


@contextmanager
def only_local_sockets() -> Iterator[None]:
    """Refuse `connect`, `connect_ex`, `sendto` and look-ups of names that lead outside."""
    kept = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def guarded(name: str) -> Any:
        def call(self: socket.socket, *arguments: Any) -> Any:
            # sendto(data, address) or sendto(data, flags, address); the others take the address alone
            if not is_local(self.family, arguments[-1]):
                raise OutsideConnectionRefused(f"socket.{name} to {arguments[-1]!r}")
            return kept[name](self, *arguments)

        return call

    def guarded_look_up(host: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_local(socket.AF_INET, (name,)):
            raise OutsideConnectionRefused(f"look-up of {name!r}")
        return look_up(host, *arguments, **keywords)

    for name in kept:
        setattr(socket.socket, name, guarded(name))
    socket.getaddrinfo = guarded_look_up
    try:
        yield
    finally:
        socket.getaddrinfo = look_up
        for name in kept:
            delattr(socket.socket, name)  # ours covered a method inherited from the C class; it shows again
