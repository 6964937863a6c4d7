"""Reads payment status reports (pain.002): what the bank accepts, and what it rejects before money moves."""

from collections.abc import Iterator
from typing import Final

from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus
from activities.gateways.bank.rules import BankRule
from activities.gateways.bank.xml_stream import Element, Message, Reader, elements, line_of
from models.errors import FieldFault

KIND: Final = "pain.002"

# ISO 20022 external codes of payment status. A status report never means money: that is the notification's to say.
_STATUSES: Final = {
    **dict.fromkeys(("ACTC", "ACCP", "ACSP", "ACWC", "ACSC", "ACCC", "ACFC"), ReplyStatus.ACCEPTED),
    **dict.fromkeys(("RCVD", "PDNG"), ReplyStatus.PENDING),
    **dict.fromkeys(("RJCT", "CANC"), ReplyStatus.REJECTED),
    "PART": ReplyStatus.PARTIAL,
}
_REASON: Final = ("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")


def read_pain002(message: Message) -> Iterator[ReplyItem | FieldFault]:
    """The items of a status report, streaming. An item that breaks a rule comes as a fault in its place.

    A batch follows its items. The file comes first; it and batches come only where they carry a status of their own.

    Raises:
        BankFileUnreadable: the file breaks off.
    """
    return _Report(message).items()


class _Report:
    def __init__(self, message: Message) -> None:
        space = message.namespace
        self._message = message
        self._header = Reader(space, "MsgId")
        self._group = Reader(space, "OrgnlMsgId", "GrpSts", *_REASON)
        self._batch = Reader(space, "OrgnlPmtInfId", "PmtInfSts", *_REASON)
        self._item = Reader(space, "OrgnlInstrId", "OrgnlEndToEndId", "TxSts", "AcctSvcrRef", *_REASON)
        self._reply_id = self._original = self._group_status = ""

    def items(self) -> Iterator[ReplyItem | FieldFault]:
        space = len(self._message.namespace) + 2
        batch_index = item_index = 0
        batch: list[str] | None = None
        for element in elements(self._message, "GrpHdr", "OrgnlGrpInfAndSts", "TxInfAndSts", "OrgnlPmtInfAndSts"):
            tag = element.tag[space:]
            if tag == "GrpHdr":
                (self._reply_id,) = self._header.read(element)
            elif tag == "OrgnlGrpInfAndSts":
                yield from self._on_group(element)
            elif tag == "TxInfAndSts":
                if batch is None and (parent := element.getparent()) is not None:
                    batch = self._batch.read(parent)
                yield self._on_item(element, batch or ["", "", "", ""], f"/{batch_index}/{item_index}")
                item_index += 1
            else:
                yield from self._on_batch(element, batch or self._batch.read(element), f"/{batch_index}")
                batch, item_index, batch_index = None, 0, batch_index + 1

    def _on_group(self, element: Element) -> Iterator[ReplyItem | FieldFault]:
        self._original, self._group_status, code, own_code = self._group.read(element)
        if self._group_status:
            status = _STATUSES.get(self._group_status)
            yield self._made(element, ReplyLevel.FILE, status, "/group", reason_code=code or own_code)

    def _on_batch(self, element: Element, values: list[str], pointer: str) -> Iterator[ReplyItem | FieldFault]:
        batch_id, status, code, own_code = values
        if status:
            known = _STATUSES.get(status)
            yield self._made(element, ReplyLevel.BATCH, known, pointer, batch_id=batch_id, reason_code=code or own_code)

    def _on_item(self, element: Element, batch: list[str], pointer: str) -> ReplyItem | FieldFault:
        instruction, end_to_end, status, reference, code, own_code = self._item.read(element)
        batch_id, batch_status, batch_code, batch_own_code = batch
        if not end_to_end and not instruction:
            return FieldFault(pointer=f"{pointer}/OrgnlEndToEndId", code=BankRule.REQUIRED, params=_line(element))
        return self._made(
            element,
            ReplyLevel.ITEM,
            _STATUSES.get(status or batch_status or self._group_status),
            pointer,
            batch_id=batch_id,
            instruction_id=instruction,
            end_to_end_id=end_to_end,
            entry_ref=reference,
            reason_code=code or own_code or ("" if status else batch_code or batch_own_code),
        )

    def _made(
        self, element: Element, level: ReplyLevel, status: ReplyStatus | None, pointer: str, **texts: str
    ) -> ReplyItem | FieldFault:
        if status is None or (status is ReplyStatus.PARTIAL and level is ReplyLevel.ITEM):
            return FieldFault(pointer=pointer, code=BankRule.STATUS, params=_line(element))
        if not self._original:
            return FieldFault(pointer="/group/OrgnlMsgId", code=BankRule.REQUIRED, params=_line(element))
        return ReplyItem(
            message=KIND,
            reply_id=self._reply_id,
            level=level,
            status=status,
            original_message_id=self._original,
            line=line_of(element),
            **{name: text or None for name, text in texts.items()},  # type: ignore[arg-type]
        )


def _line(element: Element) -> dict[str, str | int]:
    return {"line": line_of(element)}
