"""Checks a direct debit file as it lies on disk: what a schema cannot say always, the schema where there is one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from lxml import etree

from activities.gateways.bank.amounts import NotAnAmountError, amount_minor, amount_text
from activities.gateways.bank.debit_reader import DebitFields, DebitReader
from activities.gateways.bank.fields import Broken, FieldRules
from activities.gateways.bank.profiles import BankProfile, Sequence
from activities.gateways.bank.rules import BankRule, Faults
from activities.gateways.bank.schema_check import schema_faults
from activities.gateways.bank.xml_stream import Element, Message, Reader, elements, identify
from models.errors import BankFileInvalid, BankFileUnreadable, FieldFault

BankDays = Callable[[date], bool]

_ROOT: Final = "/CstmrDrctDbtInitn"
_SHOWN: Final = 24  # of a number that the file states


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What a file holds, counted anew, and everything wrong with it; `beyond` counts faults that are not listed."""

    message_id: str
    count: int
    sum_minor: int
    faults: tuple[FieldFault, ...]
    beyond: int

    @property
    def ok(self) -> bool:
        """Whether the file may go out."""
        return not self.faults

    def require_ok(self) -> None:
        """Refuse a file that may not go out.

        Raises:
            BankFileInvalid: with the faults.
        """
        if self.faults:
            raise BankFileInvalid(detail=self.message_id, faults=self.faults)


def check_pain008(
    path: Path, *, profile: BankProfile, as_of: date, is_bank_day: BankDays, schema: Path | None = None
) -> CheckReport:
    """Check a file against the rules of its profile. All faults are reported, not the first alone.

    Args:
        path: the file.
        profile: of the bank that is to read it.
        as_of: the business date; no debit may be asked for an earlier one.
        is_bank_day: the calendar. It raises for a year that is not announced, and so does the check.
        schema: the XSD of the message, where it is at hand.
    """
    faults = Faults()
    try:
        message = identify(path)
        if message.name != profile.pain008:
            faults.add(BankRule.MESSAGE, "", expected=profile.pain008)
            return CheckReport(message_id="", count=0, sum_minor=0, faults=tuple(faults.found), beyond=0)
        check = _Check(message, profile=profile, as_of=as_of, is_bank_day=is_bank_day, faults=faults)
    except BankFileUnreadable as broken:
        return CheckReport(message_id="", count=0, sum_minor=0, faults=broken.faults, beyond=0)
    xsd = etree.XMLSchema(file=str(schema)) if schema is not None else None
    try:
        check.run(xsd)
    except BankFileUnreadable as broken:
        whole = all(fault.code == BankRule.SCHEMA for fault in broken.faults)
        faults.found.extend(schema_faults(path, schema=xsd) if whole and xsd is not None else broken.faults)
    if BankRule.XML not in {fault.code for fault in faults.found}:  # of a file that breaks off, totals say nothing
        check.finish()
    return CheckReport(
        message_id=check.message_id,
        count=check.count,
        sum_minor=check.sum_minor,
        faults=tuple(faults.found),
        beyond=faults.beyond,
    )


class _Check:
    """One pass over a file."""

    def __init__(
        self, message: Message, *, profile: BankProfile, as_of: date, is_bank_day: BankDays, faults: Faults
    ) -> None:
        self._message, self._profile, self._faults = message, profile, faults
        self._as_of, self._is_bank_day = as_of, is_bank_day
        self._rules = rules = FieldRules(profile)
        self._debit = reader = DebitReader(profile, namespace=message.namespace)
        space = message.namespace
        self._header = Reader(space, "MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty/Nm")
        self._batch = Reader(
            space,
            "PmtInfId",
            "NbOfTxs",
            "CtrlSum",
            "PmtTpInf/SeqTp",
            "ReqdColltnDt",
            "Cdtr/Nm",
            f"CdtrAcct/Id/{reader.account_path}",
            f"CdtrAgt/FinInstnId/{reader.bank_path}",
            "CdtrAgt/FinInstnId/Othr/Id",
        )
        self._plan: tuple[tuple[Callable[[DebitFields], Broken | None], str], ...] = (
            (lambda debit: rules.identifier(debit.instruction) if debit.instruction else None, "PmtId/InstrId"),
            (lambda debit: rules.identifier(debit.end_to_end), "PmtId/EndToEndId"),
            (lambda debit: self._unique(debit.end_to_end), "PmtId/EndToEndId"),
            (lambda debit: self._one_sequence(debit.sequence), "PmtTpInf/SeqTp"),
            (lambda debit: self._money(debit.amount, debit.currency), "InstdAmt"),
            (lambda debit: rules.identifier(debit.mandate), "DrctDbtTx/MndtRltdInf/MndtId"),
            (lambda debit: self._signing(debit.signed), "DrctDbtTx/MndtRltdInf/DtOfSgntr"),
            (lambda debit: rules.bank(debit.bank), "DbtrAgt/FinInstnId"),
            (lambda debit: rules.name(debit.name), "Dbtr/Nm"),
            (lambda debit: rules.account(debit.account), "DbtrAcct/Id"),
            (lambda debit: rules.text(debit.remittance) if debit.remittance else None, "RmtInf/Ustrd"),
        )
        self.message_id = ""
        self.count = self.sum_minor = 0
        self._stated = ("", "")
        self._batch_index = self._batch_count = self._batch_sum = 0
        self._batch_stated = ("", "")
        self._collected: date | None = None
        self._sequence = ""
        self._batch_ids: set[str] = set()
        self._debit_ids: set[str] = set()

    def run(self, schema: etree.XMLSchema | None) -> None:
        space = len(self._message.namespace) + 2
        for element in elements(self._message, "GrpHdr", "DrctDbtTxInf", "PmtInf", schema=schema):
            tag = element.tag[space:]
            if tag == "DrctDbtTxInf":
                self._on_debit(element)
            elif tag == "PmtInf":
                self._on_batch_end(element)
            else:
                self._on_header(element)

    def finish(self) -> None:
        if self._batch_index == 0:
            self._faults.add(BankRule.EMPTY, f"{_ROOT}/PmtInf")
        if self.count > self._profile.most_orders:
            self._faults.add(BankRule.TOO_LARGE, f"{_ROOT}/GrpHdr/NbOfTxs", limit=self._profile.most_orders)
        self._totals(self._stated, self.count, self.sum_minor, f"{_ROOT}/GrpHdr")

    def _on_header(self, element: Element) -> None:
        self.message_id, created, *stated, initiator = self._header.read(element)
        self._stated = (stated[0], stated[1])
        self._note(self._rules.identifier(self.message_id), f"{_ROOT}/GrpHdr/MsgId")
        self._note(self._rules.name(initiator), f"{_ROOT}/GrpHdr/InitgPty/Nm")
        try:
            datetime.fromisoformat(created)
        except ValueError:
            self._faults.add(BankRule.DATE, f"{_ROOT}/GrpHdr/CreDtTm")

    def _on_batch_start(self, parent: Element) -> None:
        batch_id, count, total, self._sequence, wanted, name, account, bank, no_bank = self._batch.read(parent)
        here = f"{_ROOT}/PmtInf/{self._batch_index}"
        self._batch_stated = (count, total)
        self._note(self._rules.identifier(batch_id), f"{here}/PmtInfId")
        if batch_id in self._batch_ids:
            self._faults.add(BankRule.DUPLICATE, f"{here}/PmtInfId")
        self._batch_ids.add(batch_id)
        self._note(self._rules.name(name), f"{here}/Cdtr/Nm")
        self._note(self._rules.account(account), f"{here}/CdtrAcct/Id/{self._debit.account_path}")
        self._note(self._rules.bank(bank or no_bank), f"{here}/CdtrAgt/FinInstnId/{self._debit.bank_path}")
        self._on_collection_date(wanted, f"{here}/ReqdColltnDt")
        if self._sequence:
            self._on_sequence(self._sequence, f"{here}/PmtTpInf/SeqTp")

    def _on_collection_date(self, wanted: str, pointer: str) -> None:
        self._collected = None
        try:
            self._collected = date.fromisoformat(wanted)
        except ValueError:
            self._faults.add(BankRule.DATE if wanted else BankRule.REQUIRED, pointer)
            return
        if self._collected < self._as_of:
            self._faults.add(BankRule.DATE_PAST, pointer)
        elif not self._is_bank_day(self._collected):
            self._faults.add(BankRule.BANK_DAY, pointer)

    def _on_sequence(self, sequence: str, pointer: str) -> None:
        known = {each.value for each in self._profile.sequences}
        if sequence not in known:
            self._faults.add(BankRule.SEQUENCE, pointer)

    def _on_debit(self, element: Element) -> None:
        if self._batch_count == 0 and (parent := element.getparent()) is not None:
            self._on_batch_start(parent)
        debit = self._debit.read(element)
        for rule, place in self._plan:
            broken = rule(debit)
            if broken is not None:
                here = f"{_ROOT}/PmtInf/{self._batch_index}/DrctDbtTxInf/{self._batch_count}"
                self._note(broken, f"{here}/{place}")
        self._batch_count += 1

    def _unique(self, end_to_end: str) -> Broken | None:
        if end_to_end in self._debit_ids:
            return Broken(BankRule.DUPLICATE)
        self._debit_ids.add(end_to_end)
        return None

    def _money(self, amount: str, currency: str) -> Broken | None:
        if currency != self._profile.currency:
            return Broken(BankRule.CURRENCY, {"expected": self._profile.currency})
        try:
            minor = amount_minor(amount, currency)
        except NotAnAmountError:
            return Broken(BankRule.AMOUNT)
        self._batch_sum += minor
        return None if minor else Broken(BankRule.AMOUNT)

    def _signing(self, signed: str) -> Broken | None:
        if not signed:
            return Broken(BankRule.REQUIRED)
        try:
            on = date.fromisoformat(signed)
        except ValueError:
            return Broken(BankRule.DATE)
        late = self._collected is not None and on > self._collected
        return Broken(BankRule.MANDATE_DATE) if late else None

    def _one_sequence(self, sequence: str) -> Broken | None:
        if not sequence:
            return None if self._sequence else Broken(BankRule.REQUIRED)
        if not self._sequence:  # named by each debit instead of the batch: the first one says what the batch is
            self._sequence = sequence
            known = sequence in {each.value for each in Sequence} and Sequence(sequence) in self._profile.sequences
            return None if known else Broken(BankRule.SEQUENCE)
        return None if sequence == self._sequence else Broken(BankRule.SEQUENCE_MIXED)

    def _on_batch_end(self, element: Element) -> None:
        here = f"{_ROOT}/PmtInf/{self._batch_index}"
        if self._batch_count == 0:
            self._on_batch_start(element)
            self._faults.add(BankRule.EMPTY, f"{here}/DrctDbtTxInf")
        self._totals(self._batch_stated, self._batch_count, self._batch_sum, here)
        self.count += self._batch_count
        self.sum_minor += self._batch_sum
        self._batch_index += 1
        self._batch_count = self._batch_sum = 0

    def _totals(self, stated: tuple[str, str], count: int, sum_minor: int, pointer: str) -> None:
        if stated[0] != str(count):
            self._faults.add(BankRule.COUNT, f"{pointer}/NbOfTxs", stated=stated[0][:_SHOWN], found=count)
        try:
            same = amount_minor(stated[1], self._profile.currency) == sum_minor
        except NotAnAmountError:
            same = False
        if not same:
            found = amount_text(sum_minor, self._profile.currency)
            self._faults.add(BankRule.SUM, f"{pointer}/CtrlSum", stated=stated[1][:_SHOWN], found=found)

    def _note(self, broken: Broken | None, pointer: str) -> None:
        if broken is not None:
            self._faults.add(broken.rule, pointer, **broken.params)
