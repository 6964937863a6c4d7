"""Providers of the demo: what came in is told back as delivered or bounced, of text messages by push, of mails by file.

A share of all text messages does not arrive, and a share of all mails comes back: every channel is used.
"""

import json
import re
import secrets
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from compliance.transfers.receipt_signatures import sign
from deploy.demo.receivers import LOOPBACK, HookReceiver, Inbox, MailReceiver

_SMS_LOST: Final = 6  # one in so many
_MAIL_LOST: Final = 9
_SECRET: Final = "CASEWORK_RECEIPTS_SECRET"  # noqa: S105 - the name of a setting
_PATH: Final = "/v1/gateway-receipts"
_PUSHED_AT_ONCE: Final = 200
_LINK: Final = re.compile(r"([A-Za-z0-9_-]{40,300}\.[A-Za-z0-9_-]{43})")
_ID: Final = re.compile(r"([0-9a-f]{32})")


@dataclass(slots=True)
class Providers:
    """Both receivers, and the folder in which receipts are put.

    Attributes:
        folder: taken in by the installation, and emptied by it.
        address: of the installation, to which the SMS provider pushes its receipts; None puts them into the folder.
        seen: receipts by channel and state.
    """

    sms: Inbox
    mail: Inbox
    folder: Path
    settings: Mapping[str, str]
    address: str | None = None
    seen: Counter[str] = field(default_factory=Counter)
    _told: set[str] = field(default_factory=set)
    _arrived: list[str] = field(default_factory=list)

    def tell(self) -> int:
        """A receipt for every message that came since the last time; returns how many."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made, pushed = 0, list[dict[str, str]]()
        for channel, inbox, lost in (("sms", self.sms, _SMS_LOST), ("email", self.mail, _MAIL_LOST)):
            for message_id, message in [each for each in list(inbox.messages.items()) if each[0] not in self._told]:
                self._told.add(message_id)
                # The same messages are lost each time, whatever the order in which they come.
                state = "bounced" if zlib.crc32(message_id.encode()) % lost == 0 else "delivered"
                if channel == "sms" and self.address is not None:
                    pushed.append({"id": _name(message_id), "state": state})
                elif channel == "sms" or state == "bounced":  # a mail server is silent about what it delivered
                    self._write(message_id, state)
                if state == "delivered":
                    self._arrived.append(message["text"])
                self.seen[f"{channel}-{state}"] += 1
                made += 1
        self._push(pushed)
        return made

    def _push(self, receipts: list[dict[str, str]]) -> None:
        """As a provider does: signed, some hundreds at once. What is not taken is put into the folder after all."""
        for first in range(0, len(receipts), _PUSHED_AT_ONCE):
            part = receipts[first : first + _PUSHED_AT_ONCE]
            body = json.dumps({"receipts": part}).encode()
            signed = sign(self.settings[_SECRET], body, at=datetime.now(UTC))
            headers = {"Content-Type": "application/json", **signed}
            try:
                httpx.post(f"{self.address}{_PATH}", content=body, headers=headers, timeout=60).raise_for_status()
                self.seen["sms-pushed"] += len(part)
            except httpx.HTTPError:
                for each in part:
                    self._write(each["id"], each["state"])

    def links(self) -> Iterator[str]:
        """The customers' links, as they stand in what has arrived."""
        for text in self._arrived:
            found = _LINK.search(text)
            if found is not None:
                yield found[1]

    def _write(self, message_id: str, state: str) -> None:
        name = _name(message_id)
        unfinished = self.folder / f".{name}.part"
        unfinished.write_text(json.dumps({"id": name, "state": state}), encoding="utf-8")
        unfinished.replace(self.folder / f"{name}.json")


def _name(message_id: str) -> str:
    found = _ID.search(message_id)
    return found[1] if found is not None else message_id


@contextmanager
def providers(exchange: Path) -> Iterator[Providers]:
    """Both receivers on loopback, and the settings by which an installation finds them."""
    with HookReceiver() as sms, MailReceiver() as mail:
        settings = {
            "CASEWORK_SMS_URL": sms.url,
            _SECRET: secrets.token_hex(32),
            "CASEWORK_SMTP_HOST": LOOPBACK,
            "CASEWORK_SMTP_PORT": str(mail.port),
            "CASEWORK_SMTP_TLS": "none",
            "CASEWORK_MAIL_FROM": "service@bank.example",
        }
        yield Providers(sms.inbox, mail.inbox, exchange / "receipts", settings)
