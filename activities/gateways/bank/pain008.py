"""Writes direct debit initiations (pain.008) as a stream: memory does not grow with the number of debits.

Each debit is one line of the file. The elements of a debit are made once and filled anew for every debit, which is
several times faster than making them again.
"""

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
from activities.gateways.bank.orders import DebitBatch, DebitFile, DebitOrder
from activities.gateways.bank.profiles import BankProfile

_CHARGES_SHARED: Final = "SLEV"  # as the service level says


def write_pain008(file: DebitFile, *, profile: BankProfile, folder: Path) -> WrittenFile:
    """Write the file into `folder` under its own name, whole or not at all. The same values give the same bytes.

    Raises:
        BankFileInvalid: the debits are not so many, or not of that sum, as stated; a value cannot stand in XML.
    """
    opened = WholeDocument(profile.namespace, "CstmrDrctDbtInitn", folder / file.file_name)
    with opened as document:
        document.write(_group_header(file, profile))
        for index, batch in enumerate(file.batches):
            shapes: dict[tuple[bool, bool], _DebitShape] = {}
            with document.batch(_batch_header(batch, profile)):
                document.write_orders(
                    batch.debits,
                    Stated(batch.batch_id, batch.count, batch.sum_minor, f"/batches/{index}", "debits"),
                    fill=partial(_filled, shapes, profile),
                )
    return document.written(file.file_name, message_id=file.message_id, count=file.count, sum_minor=file.sum_minor)


def _filled(shapes: "dict[tuple[bool, bool], _DebitShape]", profile: BankProfile, order: DebitOrder) -> Element:
    key = (bool(order.debtor_bank), bool(order.remittance))
    shape = shapes.get(key) or shapes.setdefault(key, _DebitShape(profile, bank=key[0], remittance=key[1]))
    return shape.filled(order)


class _DebitShape:
    """The elements of one debit, made once."""

    def __init__(self, profile: BankProfile, *, bank: bool, remittance: bool) -> None:
        self._root = root = etree.Element("DrctDbtTxInf")
        root.tail = "\n"
        ids = child(root, "PmtId")
        self._instruction = child(ids, "InstrId")
        self._end_to_end = child(ids, "EndToEndId")
        self._amount = child(root, "InstdAmt")
        mandate = child(root, "DrctDbtTx", "MndtRltdInf")
        self._mandate = child(mandate, "MndtId")
        self._signed = child(mandate, "DtOfSgntr")
        self._bank = agent(root, "DbtrAgt", NOT_PROVIDED, bic=profile.bic_element, profile=profile, known=bank)
        self._name = child(root, "Dbtr", "Nm")
        self._account = account(root, "DbtrAcct", "", profile=profile)
        self._remittance = child(root, "RmtInf", "Ustrd") if remittance else None

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
    return group_header(
        file.message_id,
        created_at=file.created_at,
        count=file.count,
        total=amount_text(file.sum_minor, profile.currency),
        initiator=file.initiator,
    )


def _batch_header(batch: DebitBatch, profile: BankProfile) -> list[Element]:
    # Written apart from their parent, since the debits that follow inside it are not in memory.
    batch_info = etree.Element("PmtInf")
    creditor = batch.creditor
    with named("/batch"):
        child(batch_info, "PmtInfId").text = batch.batch_id
        child(batch_info, "PmtMtd").text = "DD"
        child(batch_info, "BtchBookg").text = "true" if batch.batch_booking else "false"
        child(batch_info, "NbOfTxs").text = str(batch.count)
        child(batch_info, "CtrlSum").text = amount_text(batch.sum_minor, batch.currency)
        kind = child(batch_info, "PmtTpInf")
        if profile.service_level:
            child(kind, "SvcLvl", "Cd").text = profile.service_level
        if profile.local_instrument:
            child(kind, "LclInstrm", "Cd").text = profile.local_instrument
        child(kind, "SeqTp").text = batch.sequence.value
        child(batch_info, "ReqdColltnDt").text = batch.requested_date.isoformat()
        child(batch_info, "Cdtr", "Nm").text = creditor.name
        account(batch_info, "CdtrAcct", creditor.account, profile=profile)
        child(batch_info[-1], "Ccy").text = batch.currency
        agent(
            batch_info,
            "CdtrAgt",
            creditor.bank or NOT_PROVIDED,
            bic=profile.bic_element,
            profile=profile,
            known=bool(creditor.bank),
        )
        child(batch_info, "ChrgBr").text = _CHARGES_SHARED
        if creditor.scheme_id:
            scheme = child(batch_info, "CdtrSchmeId", "Id", "PrvtId", "Othr")
            child(scheme, "Id").text = creditor.scheme_id
            if profile.scheme:
                child(scheme, "SchmeNm", "Prtry").text = profile.scheme
    return list(batch_info)
