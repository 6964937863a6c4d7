"""Receipts that come by file: delivery reports of mail (RFC 3464) in a Maildir, and receipts in a spool folder.

The bank's mail server delivers what comes back to the sender's address into the Maildir; its SMS provider and the post
put receipts into the folder. Both lie in the exchange, outside the data directory: what is in them is in clear, and is
deleted once it is on record. What is no report (an answer from an absent reader, RFC 3834) is moved aside unread.
"""

import json
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message
from pathlib import Path
from typing import Final

import structlog

from compliance.transfers.notice_receipts import DeliveryReceipt, Receipts, Taken
from compliance.transfers.receipt_spelling import receipt_of
from models.domain.transfers.notice_course import Event

log = structlog.get_logger(__name__)
_MESSAGE_ID: Final = re.compile(r"<([0-9a-f]{32})@[^<>\s]+>")
_STATUS: Final = re.compile(r"\A\s*([245]\.\d{1,3}\.\d{1,3})")
_EVENT_OF_ACTION: Final = {"failed": Event.BOUNCED, "delivered": Event.DELIVERED}
_MOST_BYTES: Final = 1024 * 1024
_MOST_AT_ONCE: Final = 500


def report_of(mail: Message) -> DeliveryReceipt | None:
    """What a mail says of one of ours; None if it is no report about one, or only tells of a delay (RFC 3464)."""
    if mail.get_content_type() != "multipart/report" or mail.get_param("report-type") != "delivery-status":
        return None
    status = _part(mail, "message/delivery-status")
    message = _ours(mail)
    if status is None or message is None:
        return None
    for block in status.get_payload() if isinstance(status.get_payload(), list) else []:
        if not isinstance(block, Message) or "Action" not in block:
            continue
        event = _EVENT_OF_ACTION.get(str(block["Action"]).strip().lower())
        if event is not None:
            code = _STATUS.match(str(block.get("Status", "")))
            return DeliveryReceipt(message=message, event=event, reason=code[1] if code is not None else None)
    return None


def _ours(mail: Message) -> str | None:
    """The id under which the mail went out that came back: in the copy of its headers, or of it all."""
    for kind in ("text/rfc822-headers", "message/rfc822"):
        part = _part(mail, kind)
        if part is None:
            continue
        payload = part.get_payload()
        first = payload[0] if isinstance(payload, list) and payload else None
        text = first.get("Message-ID", "") if isinstance(first, Message) else str(payload)
        found = _MESSAGE_ID.search(str(text))
        if found is not None:
            return found[1]
    return None


def _part(mail: Message, kind: str) -> Message | None:
    return next((part for part in mail.walk() if part.get_content_type() == kind), None)


@dataclass(frozen=True, slots=True)
class MaildirReports:
    """A Maildir of what came back."""

    folder: Path

    def take_in(self, receipts: Receipts) -> dict[Taken, int]:
        """Take in every report; a mail that is none goes to the folder `.other`, for people."""
        counts = dict.fromkeys(Taken, 0)
        if not self.folder.is_dir():
            return counts
        box = mailbox.Maildir(self.folder, create=False)
        reports: dict[str, DeliveryReceipt] = {}
        for key in sorted(box.keys())[:_MOST_AT_ONCE]:
            report = self._read(box, key)
            if report is not None:
                reports[key] = report
                continue
            counts[Taken.UNKNOWN] += 1
            box.add_folder("other").add(box.get_message(key))
            box.discard(key)
        for key, taken in zip(reports, receipts.take_all(list(reports.values()), actor="mail-system"), strict=True):
            counts[taken] += 1
            box.discard(key)
        return counts

    @staticmethod
    def _read(box: mailbox.Maildir, key: str) -> DeliveryReceipt | None:
        try:
            return report_of(box.get_message(key))
        except (MessageError, UnicodeError, LookupError) as error:
            log.warning("mail-report.unreadable", error_type=type(error).__name__)  # its words may quote an address
            return None


@dataclass(frozen=True, slots=True)
class FolderReceipts:
    """A folder of `*.json`: `{"id", "state": "delivered" | "bounced", "reason"?, "register"?}`, one receipt each."""

    folder: Path

    def take_in(self, receipts: Receipts) -> dict[Taken, int]:
        """Take in every receipt; one that cannot be read is renamed to `*.bad`, for people."""
        counts = dict.fromkeys(Taken, 0)
        found: dict[Path, DeliveryReceipt] = {}
        for path in self._files():
            receipt = _receipt_in(path)
            if receipt is not None:
                found[path] = receipt
                continue
            counts[Taken.UNKNOWN] += 1
            path.rename(path.with_suffix(".bad"))
        for path, taken in zip(found, receipts.take_all(list(found.values()), actor="provider"), strict=True):
            counts[taken] += 1
            path.unlink()
        return counts

    def _files(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from sorted(self.folder.glob("*.json"))[:_MOST_AT_ONCE]


def _receipt_in(path: Path) -> DeliveryReceipt | None:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return receipt_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
