"""What customers receive on their phones, for those who play them: links and one-time codes out of text messages."""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

_LINK: Final = re.compile(r"([A-Za-z0-9_-]{40,300}\.[A-Za-z0-9_-]{43})")
_CODE: Final = re.compile(r"验证码 ?([0-9]{6})")
_POLL_SECONDS: Final = 0.05
_NATIONAL_DIGITS: Final = 11


class NothingCame(RuntimeError):
    """The customer waited, and no message came."""


class Phones(Protocol):
    """Where text messages can be read."""

    def texts(self, mobile: str) -> Iterable[str]:
        """What came to a mobile number, in the order of arrival."""


@dataclass(slots=True)
class SpoolPhones:
    """Messages of the embedded stack: one file each in the exchange directory."""

    folder: Path
    _read: set[str] = field(default_factory=set)
    _by_mobile: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def texts(self, mobile: str) -> list[str]:
        """What came to a mobile number, in the order of arrival."""
        for path in self.folder.glob("sms-*.json"):
            if path.name not in self._read:
                self._read.add(path.name)
                message = json.loads(path.read_bytes())
                self._by_mobile[_national(message["to"])].append((path.stat().st_mtime_ns, message["text"]))
        return [text for _, text in sorted(self._by_mobile[_national(mobile)])]


@dataclass(frozen=True, slots=True)
class ReceivedPhones:
    """Messages that a provider's stand-in keeps in memory (`deploy.demo.receivers`)."""

    messages: Mapping[str, dict[str, str]]

    def texts(self, mobile: str) -> list[str]:
        """What came to a mobile number, in the order of arrival."""
        wanted = _national(mobile)
        return [message["text"] for message in list(self.messages.values()) if _national(message["to"]) == wanted]


async def next_link(phones: Phones, mobile: str, *, tail: str, known: set[str], patience: float) -> str:
    """The token of a link that came about the case that ends in `tail`, and is not among those known.

    Raises:
        NothingCame: none came within `patience` seconds.
    """
    return await _next(phones, mobile, "link", _LINK, tail=tail, known=known, patience=patience)


async def next_code(phones: Phones, mobile: str, *, tail: str, known: set[str], patience: float) -> str:
    """A one-time code about the case that ends in `tail`, one that is not known.

    Raises:
        NothingCame: none came within `patience` seconds.
    """
    return await _next(phones, mobile, "code", _CODE, tail=tail, known=known, patience=patience)


async def _next(
    phones: Phones, mobile: str, what: str, pattern: re.Pattern[str], *, tail: str, known: set[str], patience: float
) -> str:
    deadline = time.monotonic() + patience
    while True:
        found = [match[1] for text in phones.texts(mobile) if tail in text and (match := pattern.search(text))]
        fresh = [one for one in found if one not in known]
        if fresh:
            known.add(fresh[-1])
            return fresh[-1]
        if time.monotonic() >= deadline:
            raise NothingCame(f"no {what} came about the case that ends in {tail}; {len(found)} before")
        await asyncio.sleep(_POLL_SECONDS)


def _national(number: str) -> str:
    return number[-_NATIONAL_DIGITS:]
