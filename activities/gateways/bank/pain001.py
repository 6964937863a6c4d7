"""Writes credit transfer initiations (pain.001) as a stream, as `pain008` writes debits: one line for each transfer."""

from functools import partial
from pathlib import Path
from typing import Final

from lxml import etree

from activities.gateways.bank.amounts import amount_text
from activities.gateways.bank.document import (
    Element,
    Stated,
    WholeDocument,
    WrittenFile,
    account,
    agent,
    child,
    group_header,
    named,
)
from activities.gateways.bank.fields import NOT_PROVIDED
from activities.gateways.bank.profiles import BankProfile
from activities.gateways.bank.transfers import TransferBatch, TransferFile, TransferOrder

_CHARGES_SHARED: Final = "SLEV"  # as the service level says
_BIC: Final = "BICFI"


def write_pain001(file: TransferFile, *, profile: BankProfile, folder: Path) -> WrittenFile:
    """Write the file into `folder` under its own name, whole or not at all. The same values give the same bytes.

    Raises:
        BankFileInvalid: the transfers are not so many, or not of that sum, as stated; a value cannot stand in XML.
    """
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{profile.pain001}"
    opened = WholeDocument(namespace, "CstmrCdtTrfInitn", folder / file.file_name)
    with opened as document:
        document.write(
            group_header(
                file.message_id,
                created_at=file.created_at,
                count=file.count,
                total=amount_text(file.sum_minor, profile.currency),
                initiator=file.initiator,
            )
        )
        for index, batch in enumerate(file.batches):
            shapes: dict[tuple[bool, bool], _TransferShape] = {}
            with document.batch(_batch_header(batch, profile)):
                document.write_orders(
                    batch.transfers,
                    Stated(batch.batch_id, batch.count, batch.sum_minor, f"/batches/{index}", "transfers"),
                    fill=partial(_filled, shapes, profile),
                )
    return document.written(file.file_name, message_id=file.message_id, count=file.count, sum_minor=file.sum_minor)


def _filled(shapes: "dict[tuple[bool, bool], _TransferShape]", profile: BankProfile, order: TransferOrder) -> Element:
    key = (bool(order.creditor_bank), bool(order.remittance))
    shape = shapes.get(key) or shapes.setdefault(key, _TransferShape(profile, bank=key[0], remittance=key[1]))
    return shape.filled(order)


class _TransferShape:
    """The elements of one transfer, made once."""

    def __init__(self, profile: BankProfile, *, bank: bool, remittance: bool) -> None:
        self._root = root = etree.Element("CdtTrfTxInf")
        root.tail = "\n"
        ids = child(root, "PmtId")
        self._instruction = child(ids, "InstrId")
        self._end_to_end = child(ids, "EndToEndId")
        self._amount = child(root, "Amt", "InstdAmt")
        self._bank = agent(root, "CdtrAgt", NOT_PROVIDED, bic=_BIC, profile=profile, known=bank)
        self._name = child(root, "Cdtr", "Nm")
        self._account = account(root, "CdtrAcct", "", profile=profile)
        self._remittance = child(root, "RmtInf", "Ustrd") if remittance else None

    def filled(self, order: TransferOrder) -> Element:
        """The transfer's element, which the next call fills anew."""
        self._instruction.text = order.instruction_id
        self._end_to_end.text = order.end_to_end_id
        self._amount.text = amount_text(order.amount_minor, order.currency)
        self._amount.set("Ccy", order.currency)
        if order.creditor_bank:
            self._bank.text = order.creditor_bank
        self._name.text = order.creditor_name
        self._account.text = order.creditor_account
        if self._remittance is not None:
            self._remittance.text = order.remittance
        return self._root


def _batch_header(batch: TransferBatch, profile: BankProfile) -> list[Element]:
    batch_info, payer = etree.Element("PmtInf"), batch.payer
    with named("/batch"):
        child(batch_info, "PmtInfId").text = batch.batch_id
        child(batch_info, "PmtMtd").text = "TRF"
        child(batch_info, "BtchBookg").text = "true" if batch.batch_booking else "false"
        child(batch_info, "NbOfTxs").text = str(batch.count)
        child(batch_info, "CtrlSum").text = amount_text(batch.sum_minor, batch.currency)
        if profile.service_level or batch.purpose:
            kind = child(batch_info, "PmtTpInf")
            if profile.service_level:
                child(kind, "SvcLvl", "Cd").text = profile.service_level
            if batch.purpose:
                child(kind, "CtgyPurp", "Cd").text = batch.purpose
        child(batch_info, "ReqdExctnDt", "Dt").text = batch.requested_date.isoformat()
        child(batch_info, "Dbtr", "Nm").text = payer.name
        account(batch_info, "DbtrAcct", payer.account, profile=profile)
        child(batch_info[-1], "Ccy").text = batch.currency
        agent(batch_info, "DbtrAgt", payer.bank or NOT_PROVIDED, bic=_BIC, profile=profile, known=bool(payer.bank))
        child(batch_info, "ChrgBr").text = _CHARGES_SHARED
    return list(batch_info)
