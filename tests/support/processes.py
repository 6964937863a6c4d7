"""What runs on this machine and what it listens on, from /proc; and waiting with a deadline."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(condition: Callable[[], object], *, seconds: float) -> None:
    """Poll until it holds.

    Raises:
        AssertionError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.02)


def alive_with(text: str) -> list[int]:
    """Processes (not zombies, not ourselves) whose command line or environment's data directory holds `text`."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            line = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text.encode() in line and state != "Z":
            found.append(int(folder.name))
    return found


def listeners_of(pids: list[int]) -> set[tuple[str, int]]:
    """Address and port of every TCP socket on which these processes listen."""
    inodes = set()
    for pid in pids:
        try:
            links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        inodes |= {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.add((_readable(address, family), int(port, 16)))
    return found


def _readable(address: str, family: socket.AddressFamily) -> str:
    raw = bytes.fromhex(address)
    words = [raw[place : place + 4][::-1] for place in range(0, len(raw), 4)]  # the kernel prints host order
    return socket.inet_ntop(family, b"".join(words))
