"""Writes direct debit initiations (pain.008) as a stream: memory does not grow with the number of debits.

Each debit is one line of the file. The elements of a debit are made once and filled anew for every debit, which is
several times faster than making them again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lxml import etree

from activities.gateways.bank.amounts import amount_text
from activities.gateways.bank.fields import NOT_PROVIDED
from activities.gateways.bank.orders import DebitBatch, DebitFile, DebitOrder
from activities.gateways.bank.profiles import AccountScheme, AgentScheme, BankProfile
from activities.gateways.bank.rules import BankRule
from activities.gateways.bank.whole_file import whole_file
from models.errors import BankFileInvalid, FieldFault

_CHARGES_SHARED: Final = "SLEV"  # as the service level says

Element = etree._Element  # noqa: SLF001 - lxml gives its element type no public name


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenFile:
    """A file as it lies on disk. `digest` is SHA-256 in hexadecimal; `sum_minor` is in minor units."""

    path: Path
    name: str
    message_id: str
    digest: str
    size_bytes: int
    count: int
    sum_minor: int


def write_pain008(file: DebitFile, *, profile: BankProfile, folder: Path) -> WrittenFile:
    """Write the file into `folder` under its own name, whole or not at all. The same values give the same bytes.

    Raises:
        BankFileInvalid: the debits are not so many, or not of that sum, as stated; a value cannot stand in XML.
    """
    target = folder / file.file_name
    with whole_file(target) as sink, etree.xmlfile(sink, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("Document", nsmap={None: profile.namespace}), xml.element("CstmrDrctDbtInitn"):
            xml.write(_group_header(file, profile), "\n")
            for index, batch in enumerate(file.batches):
                with xml.element("PmtInf"):
                    for part in _batch_header(batch, profile):
                        xml.write(part)
                    xml.write("\n")
                    _write_debits(xml, batch, profile=profile, pointer=f"/batches/{index}")
                xml.write("\n")
    return WrittenFile(
        path=target,
        name=file.file_name,
        message_id=file.message_id,
        digest=sink.digest,
        size_bytes=sink.size_bytes,
        count=file.count,
        sum_minor=file.sum_minor,
    )


def _write_debits(xml: Any, batch: DebitBatch, *, profile: BankProfile, pointer: str) -> None:
    shapes: dict[tuple[bool, bool], _DebitShape] = {}
    count = sum_minor = 0
    for order in batch.debits:
        key = (bool(order.debtor_bank), bool(order.remittance))
        shape = shapes.get(key) or shapes.setdefault(key, _DebitShape(profile, bank=key[0], remittance=key[1]))
        try:
            xml.write(shape.filled(order), with_tail=True)
        except ValueError:
            raise _unwritable(f"{pointer}/debits/{count}") from None
        count += 1
        sum_minor += order.amount_minor
    faults = [
        FieldFault(pointer=f"{pointer}/{name}", code=rule, params={"stated": stated, "found": found})
        for name, rule, stated, found in (
            ("count", BankRule.COUNT, batch.count, count),
            ("sumMinor", BankRule.SUM, batch.sum_minor, sum_minor),
        )
        if stated != found
    ]
    if faults:
        raise BankFileInvalid(detail=batch.batch_id, faults=tuple(faults))


def _unwritable(pointer: str) -> BankFileInvalid:
    # The library refuses control characters, our amounts refuse what is no amount; neither message may show the value.
    return BankFileInvalid(detail=pointer, faults=(FieldFault(pointer=pointer, code=BankRule.CHARSET),))


@contextmanager
def _named(pointer: str) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise _unwritable(pointer) from None


class _DebitShape:
    """The elements of one debit, made once."""

    def __init__(self, profile: BankProfile, *, bank: bool, remittance: bool) -> None:
        self._root = root = etree.Element("DrctDbtTxInf")
        root.tail = "\n"
        ids = _child(root, "PmtId")
        self._instruction = _child(ids, "InstrId")
        self._end_to_end = _child(ids, "EndToEndId")
        self._amount = _child(root, "InstdAmt")
        mandate = _child(root, "DrctDbtTx", "MndtRltdInf")
        self._mandate = _child(mandate, "MndtId")
        self._signed = _child(mandate, "DtOfSgntr")
        self._bank = _agent(root, "DbtrAgt", NOT_PROVIDED, profile=profile, known=bank)
        self._name = _child(root, "Dbtr", "Nm")
        self._account = _account(root, "DbtrAcct", "", profile=profile)
        self._remittance = _child(root, "RmtInf", "Ustrd") if remittance else None

    def filled(self, order: DebitOrder) -> Element:
        """The debit's element, which the next call fills anew."""
        self._instruction.text = order.instruction_id
        self._end_to_end.text = order.end_to_end_id
        self._amount.text = amount_text(order.amount_minor, order.currency)
        self._amount.set("Ccy", order.currency)
        self._mandate.text = order.mandate_id
        self._signed.text = order.mandate_signed.isoformat()
        if order.debtor_bank:
            self._bank.text = order.debtor_bank
        self._name.text = order.debtor_name
        self._account.text = order.debtor_account
        if self._remittance is not None:
            self._remittance.text = order.remittance
        return self._root


def _group_header(file: DebitFile, profile: BankProfile) -> Element:
    header = etree.Element("GrpHdr")
    with _named("/header"):
        _child(header, "MsgId").text = file.message_id
        _child(header, "CreDtTm").text = file.created_at.isoformat(timespec="seconds")
        _child(header, "NbOfTxs").text = str(file.count)
        _child(header, "CtrlSum").text = amount_text(file.sum_minor, profile.currency)
        _child(header, "InitgPty", "Nm").text = file.initiator
    return header


def _batch_header(batch: DebitBatch, profile: BankProfile) -> list[Element]:
    # Written apart from their parent, since the debits that follow inside it are not in memory.
    batch_info = etree.Element("PmtInf")
    creditor = batch.creditor
    with _named("/batch"):
        _child(batch_info, "PmtInfId").text = batch.batch_id
        _child(batch_info, "PmtMtd").text = "DD"
        _child(batch_info, "BtchBookg").text = "true" if batch.batch_booking else "false"
        _child(batch_info, "NbOfTxs").text = str(batch.count)
        _child(batch_info, "CtrlSum").text = amount_text(batch.sum_minor, batch.currency)
        kind = _child(batch_info, "PmtTpInf")
        if profile.service_level:
            _child(kind, "SvcLvl", "Cd").text = profile.service_level
        if profile.local_instrument:
            _child(kind, "LclInstrm", "Cd").text = profile.local_instrument
        _child(kind, "SeqTp").text = batch.sequence.value
        _child(batch_info, "ReqdColltnDt").text = batch.requested_date.isoformat()
        _child(batch_info, "Cdtr", "Nm").text = creditor.name
        _account(batch_info, "CdtrAcct", creditor.account, profile=profile)
        _child(batch_info[-1], "Ccy").text = batch.currency
        _agent(batch_info, "CdtrAgt", creditor.bank or NOT_PROVIDED, profile=profile, known=bool(creditor.bank))
        _child(batch_info, "ChrgBr").text = _CHARGES_SHARED
        if creditor.scheme_id:
            scheme = _child(batch_info, "CdtrSchmeId", "Id", "PrvtId", "Othr")
            _child(scheme, "Id").text = creditor.scheme_id
            if profile.scheme:
                _child(scheme, "SchmeNm", "Prtry").text = profile.scheme
    return list(batch_info)


def _child(parent: Element, *path: str) -> Element:
    for tag in path:
        parent = etree.SubElement(parent, tag)
    return parent


def _account(parent: Element, tag: str, number: str, *, profile: BankProfile) -> Element:
    ident = _child(parent, tag, "Id")
    place = _child(ident, "IBAN") if profile.accounts is AccountScheme.IBAN else _child(ident, "Othr", "Id")
    place.text = number
    return place


def _agent(parent: Element, tag: str, code: str, *, profile: BankProfile, known: bool) -> Element:
    institution = _child(parent, tag, "FinInstnId")
    if not known:
        place = _child(institution, "Othr", "Id")
    elif profile.agents is AgentScheme.BIC:
        place = _child(institution, profile.bic_element)
    else:
        member = _child(institution, "ClrSysMmbId")
        _child(member, "ClrSysId", "Cd").text = profile.clearing_system
        place = _child(member, "MmbId")
    place.text = code
    return place
