"""Reads booked entries from notifications (camt.054) and day statements (camt.053), whose entries are the same.

Only this says that money has moved. A statement repeats what notifications told; `ReplyItem.key` is the same in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from activities.gateways.bank.amounts import NotAnAmountError, amount_minor, amount_text
from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus
from activities.gateways.bank.rules import BankRule
from activities.gateways.bank.xml_stream import Element, Message, Reader, elements, line_of
from models.errors import FieldFault

KINDS: Final = frozenset({"camt.054", "camt.053"})

_BOOKED: Final = "BOOK"
_NO_ID: Final = frozenset({"", "NOTPROVIDED"})
# Sub-families of the bank transaction code for money that goes back: unpaid or reversed debit, returned transfer.
_GOING_BACK: Final = frozenset({"UPDD", "PRDD", "RRTN", "RPCR"})
# Where a detail names its amount, the booked one first.
_AMOUNTS: Final = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")
# An IBAN, or a domestic number.
_DEBTOR_ACCOUNT: Final = ("RltdPties/DbtrAcct/Id/IBAN", "RltdPties/DbtrAcct/Id/Othr/Id")

_Found = ReplyItem | FieldFault


def read_camt(message: Message) -> Iterator[_Found]:
    """The items of the booked entries, streaming. An item that breaks a rule comes as a fault in its place.

    An entry with details gives one item for each; a batch booked as one sum gives one item for the batch, and an entry
    that names nothing gives one item without ids, which matches nothing and belongs into suspense (暂收).

    Raises:
        BankFileUnreadable: the file breaks off.
    """
    return _Entries(message).items()


@dataclass(slots=True)
class _Entry:
    """The entry whose details are being read: what they share, and what they have come to so far."""

    pointer: str
    base: ReplyItem
    returned: bool
    charged: bool
    details: int = 0
    found_minor: int = 0
    sound: bool = True
    # A detail without an amount: it is the entry's if it stays the only one.
    lone: ReplyItem | None = None


class _Entries:
    def __init__(self, message: Message) -> None:
        space = message.namespace
        self._message = message
        self._header = Reader(space, "MsgId")
        self._entry = Reader(
            space,
            "Amt",
            "Amt/@Ccy",
            "CdtDbtInd",
            "RvslInd",
            "Sts",
            "BookgDt",
            "ValDt",
            "AcctSvcrRef",
            "NtryRef",
            "BkTxCd/Domn/Fmly/SubFmlyCd",
            "Chrgs",
            "NtryDtls/Btch/MsgId",
            "NtryDtls/Btch/PmtInfId",
            "NtryDtls/Btch/NbOfTxs",
        )
        amounts = [f"{path}{part}" for path in _AMOUNTS for part in ("", "/@Ccy")]
        self._detail = Reader(
            space,
            "Refs/MsgId",
            "Refs/PmtInfId",
            "Refs/InstrId",
            "Refs/EndToEndId",
            "RtrInf/Rsn/Cd",
            "RtrInf/Rsn/Prtry",
            "CdtDbtInd",
            "BkTxCd/Domn/Fmly/SubFmlyCd",
            *_DEBTOR_ACCOUNT,
            *amounts,
        )
        self._reply_id = ""

    def items(self) -> Iterator[_Found]:
        space = len(self._message.namespace) + 2
        index = 0
        entry: _Entry | FieldFault | None = None
        for element in elements(self._message, "GrpHdr", "TxDtls", "Ntry"):
            tag = element.tag[space:]
            if tag == "GrpHdr":
                (self._reply_id,) = self._header.read(element)
                continue
            if entry is None:  # what the details share stands before them
                entry = self._opened(_entry_of(element, tag), index)
            if tag == "TxDtls":
                if isinstance(entry, _Entry):
                    yield from self._on_detail(element, entry)
                continue
            yield from [entry] if isinstance(entry, FieldFault) else self._closed(entry)
            entry, index = None, index + 1

    def _opened(self, element: Element, index: int) -> _Entry | FieldFault:
        values = self._entry.read(element)
        amount, currency, side, reversal, status, booked, valued, reference, own_reference = values[:9]
        sub_family, charges, message_id, batch_id, count = values[9:]
        pointer, line = f"/Ntry/{index}", line_of(element)
        try:
            total = amount_minor(amount, currency)
            booking_date, value_date = _day(booked), _day(valued or booked)
        except NotAnAmountError:
            return _fault(BankRule.AMOUNT, f"{pointer}/Amt", line)
        except ValueError:
            return _fault(BankRule.DATE, f"{pointer}/ValDt", line)
        if side not in {"CRDT", "DBIT"} or not status:
            return _fault(BankRule.STATUS, pointer, line)
        returned = reversal in {"true", "1"} or sub_family in _GOING_BACK
        base = ReplyItem(
            message=self._message.kind,
            reply_id=self._reply_id,
            level=ReplyLevel.BATCH if message_id or batch_id else ReplyLevel.ITEM,
            status=_moved(returned=returned) if status == _BOOKED else ReplyStatus.PENDING,
            original_message_id=message_id or None,
            batch_id=batch_id or None,
            amount_minor=total,
            currency=currency,
            credit=side == "CRDT",
            booking_date=booking_date,
            value_date=value_date,
            entry_ref=reference or own_reference or f"{self._reply_id}:{index}",
            count=int(count) if count.isdecimal() else None,
            line=line,
        )
        return _Entry(pointer=pointer, base=base, returned=returned, charged=bool(charges))

    def _on_detail(self, element: Element, entry: _Entry) -> Iterator[_Found]:
        message_id, batch_id, instruction, end_to_end, code, own_code, side, sub_family, iban, number, *amounts = (
            self._detail.read(element)
        )
        base, line = entry.base, line_of(element)
        here = f"{entry.pointer}/TxDtls/{entry.details}/Amt"
        item = replace(
            base,
            level=ReplyLevel.ITEM,
            original_message_id=message_id or base.original_message_id,
            batch_id=batch_id or base.batch_id,
            instruction_id=instruction or None,
            end_to_end_id=None if end_to_end in _NO_ID else end_to_end,
            reason_code=code or own_code or None,
            credit=side == "CRDT" if side else base.credit,
            account=iban or number or None,
            detail=entry.details,
            count=None,
            line=line,
        )
        if base.status is not ReplyStatus.PENDING:
            back = entry.returned or sub_family in _GOING_BACK or item.reason_code is not None
            item = replace(item, status=_moved(returned=back))
        entry.details += 1
        if entry.lone is not None:
            yield self._without_amount(entry)
        pairs = [(amounts[place], amounts[place + 1]) for place in range(0, len(amounts), 2) if amounts[place]]
        if not pairs:
            entry.lone = item
            if entry.details > 1:
                yield self._without_amount(entry)
            return
        try:
            minor = amount_minor(*pairs[0])
        except NotAnAmountError:
            entry.sound = False
            yield _fault(BankRule.AMOUNT, here, line)
            return
        if pairs[0][1] != base.currency:
            entry.sound = False
            params: dict[str, str | int] = {"line": line, "expected": base.currency or ""}
            yield FieldFault(pointer=here, code=BankRule.CURRENCY, params=params)
            return
        entry.found_minor += minor
        yield replace(item, amount_minor=minor)

    @staticmethod
    def _without_amount(entry: _Entry) -> FieldFault:
        lone, entry.lone, entry.sound = entry.lone, None, False
        detail, line = (lone.detail, lone.line) if lone is not None else (0, 0)
        return _fault(BankRule.AMOUNT, f"{entry.pointer}/TxDtls/{detail}/Amt", line)

    @staticmethod
    def _closed(entry: _Entry) -> Iterator[_Found]:
        total = entry.base.amount_minor or 0
        if entry.details == 0:
            yield entry.base
        elif entry.lone is not None:
            yield entry.lone
        # Where the bank keeps charges back, the entry is less than its details, and the items are what counts.
        elif entry.sound and not entry.charged and entry.found_minor != total:
            currency = entry.base.currency or ""
            params: dict[str, str | int] = {
                "line": entry.base.line,
                "stated": amount_text(total, currency),
                "found": amount_text(entry.found_minor, currency),
            }
            yield FieldFault(pointer=entry.pointer, code=BankRule.ENTRY_SUM, params=params)


def _entry_of(element: Element, tag: str) -> Element:
    while tag != "Ntry":
        parent = element.getparent()
        if parent is None:
            return element
        element, tag = parent, str(parent.tag).rpartition("}")[2]
    return element


def _moved(*, returned: bool) -> ReplyStatus:
    return ReplyStatus.RETURNED if returned else ReplyStatus.SETTLED


def _day(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def _fault(rule: BankRule, pointer: str, line: int) -> FieldFault:
    return FieldFault(pointer=pointer, code=rule, params={"line": line})
