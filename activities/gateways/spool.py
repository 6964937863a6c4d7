"""A folder that stands for a provider: each message becomes one file, for the bank's own sender, or for whoever looks.

The folder belongs to the bank's exchange and lies outside the data directory: what is in it is in clear.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from activities.gateways.messages import Message, MessageGateway, Receipt
from models.errors import GatewayUnavailable

_ID: Final = re.compile(r"\A[0-9a-f]{32}\Z")
_OURS_ALONE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Spool(MessageGateway):
    """Writes `<channel>-<id>.json` whole or not at all; a message that has its file already is left alone."""

    folder: Path

    def send(self, message: Message) -> Receipt:
        """Write the message, durable when this returns.

        Raises:
            GatewayUnavailable: the folder cannot be written.
            ValueError: the id is none.
        """
        if _ID.match(message.id) is None:
            raise ValueError("the id of a message is 32 hex digits")
        name = f"{message.channel}-{message.id}.json"
        self.keep(name, _content(message))
        return Receipt(ref=name)

    def keep(self, name: str, content: bytes) -> None:
        """Have a file of this name and content, durable when this returns; one that is there is left alone.

        Raises:
            GatewayUnavailable: the folder cannot be written.
        """
        try:
            self._write(name, content)
        except OSError as error:
            raise GatewayUnavailable(detail=f"spool: {type(error).__name__}") from None

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.folder / name
        if target.exists():
            return
        # Of one message there is one try at a time; the process in the name is for the try of one that was killed.
        part = self.folder / f".{name}.{os.getpid()}"
        with open(part, "wb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _OURS_ALONE)


def _content(message: Message) -> bytes:
    told = {
        "id": message.id,
        "channel": message.channel.value,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "at": message.at.isoformat(timespec="seconds"),
    }
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()
