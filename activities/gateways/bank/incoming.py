"""Opens a file from the bank: read to its end once before anything of it is taken, so that no half file is booked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from activities.gateways.bank import camt054, pain002
from activities.gateways.bank.replies import ReplyItem
from activities.gateways.bank.rules import BankRule, Faults
from activities.gateways.bank.xml_stream import MOST_BYTES, Message, elements, identify, unreadable
from models.errors import FieldFault

# Told elsewhere as well: a debit that goes back stands in camt.054 too, a day report foretells the statement.
NEWS_ONLY: Final = frozenset({"pacs.004", "camt.052"})
# What repeats in those; each is let go of before the next.
_PARTS: Final = ("TxDtls", "Ntry", "TxInf")
_BODIES: Final = {
    "pain.002": "CstmrPmtStsRpt",
    "camt.053": "BkToCstmrStmt",
    "camt.054": "BkToCstmrDbtCdtNtfctn",
    "pacs.004": "PmtRtr",
    "camt.052": "BkToCstmrAcctRpt",
}


class Replies:
    """A file from the bank that is known to be complete. Iterating streams its sound items; it can be done again."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self._items: int | None = None
        self._faults: tuple[FieldFault, ...] = ()

    @property
    def kind(self) -> str:
        """`pain.002`, `camt.054`, `camt.053`, or one of `NEWS_ONLY`, which has no items."""
        return self.message.kind

    @property
    def items(self) -> int:
        """How many sound statements of the bank it holds; reads the file if that has not been done."""
        if self._items is None:
            for _ in self:
                pass
        return self._items or 0

    @property
    def faults(self) -> tuple[FieldFault, ...]:
        """What is wrong with single items, while the others can be taken; reads the file if need be."""
        _ = self.items
        return self._faults

    def __iter__(self) -> Iterator[ReplyItem]:
        items, faults = 0, Faults()
        for found in _read(self.message):
            if isinstance(found, ReplyItem):
                items += 1
                yield found
            else:
                faults.add(BankRule(found.code), found.pointer, **found.params)
        self._items, self._faults = items, tuple(faults.found)


def open_replies(path: Path, *, most_bytes: int = MOST_BYTES) -> Replies:
    """Read a file from the bank to its end, before anything of it is taken.

    Raises:
        BankFileUnreadable: it is no message that a bank sends us, it breaks off, or it is larger than the limit. One
            error for the whole file, which belongs into quarantine; nothing of it may be taken.
    """
    message = identify(path, most_bytes=most_bytes)
    if message.kind not in _BODIES:
        raise unreadable(BankRule.MESSAGE, expected=", ".join(sorted(_BODIES)))
    if message.body != _BODIES[message.kind]:
        raise unreadable(BankRule.MESSAGE, expected=_BODIES[message.kind])
    replies = Replies(message)
    if message.kind in NEWS_ONLY:
        for _ in elements(message, *_PARTS):
            pass
    else:
        _ = replies.items  # as it will be read, so that nothing can stop the reading half-way
    return replies


def _read(message: Message) -> Iterator[ReplyItem | FieldFault]:
    if message.kind == pain002.KIND:
        return pain002.read_pain002(message)
    if message.kind in camt054.KINDS:
        return camt054.read_camt(message)
    return iter(())
