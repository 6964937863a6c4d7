"""Checks a direct debit file as it lies on disk: mandates and sequence types besides what holds for all orders."""

from collections.abc import Callable
from collections.abc import Sequence as Ordered
from datetime import date
from pathlib import Path
from typing import ClassVar

from activities.gateways.bank.debit_reader import DebitFields, DebitReader
from activities.gateways.bank.fields import Broken
from activities.gateways.bank.initiation_checks import (
    BankDays,
    CheckReport,
    CheckRules,
    InitiationCheck,
    check_initiation,
)
from activities.gateways.bank.profiles import BankProfile, Sequence
from activities.gateways.bank.rules import BankRule, Faults
from activities.gateways.bank.xml_stream import Element, Message


def check_pain008(
    path: Path, *, profile: BankProfile, as_of: date, is_bank_day: BankDays, schema: Path | None = None
) -> CheckReport:
    """Check a direct debit file; all faults are reported.

    Args:
        path: the file.
        profile: of the bank that is to read it.
        as_of: the business date; no debit may be asked for an earlier one.
        is_bank_day: the calendar. It raises for a year that is not announced, and so does the check.
        schema: the XSD of the message, where it is at hand.
    """
    rules = CheckRules(profile, as_of, is_bank_day)
    return check_initiation(path, _DebitCheck, expected=profile.pain008, rules=rules, schema=schema)


class _DebitCheck(InitiationCheck):
    root: ClassVar[str] = "/CstmrDrctDbtInitn"
    item: ClassVar[str] = "DrctDbtTxInf"
    own: ClassVar[str] = "Cdtr"
    wanted: ClassVar[str] = "ReqdColltnDt"

    def __init__(self, message: Message, rules: CheckRules, faults: Faults) -> None:
        self.bic = rules.profile.bic_element
        super().__init__(message, rules, faults)
        fields = self._rules
        self._debit = DebitReader(rules.profile, namespace=message.namespace)
        self._plan: tuple[tuple[Callable[[DebitFields], Broken | None], str], ...] = (
            (lambda debit: fields.identifier(debit.instruction) if debit.instruction else None, "PmtId/InstrId"),
            (lambda debit: fields.identifier(debit.end_to_end), "PmtId/EndToEndId"),
            (lambda debit: self.unique(debit.end_to_end), "PmtId/EndToEndId"),
            (lambda debit: self._one_sequence(debit.sequence), "PmtTpInf/SeqTp"),
            (lambda debit: self.money(debit.amount, debit.currency), "InstdAmt"),
            (lambda debit: fields.identifier(debit.mandate), "DrctDbtTx/MndtRltdInf/MndtId"),
            (lambda debit: self._signing(debit.signed), "DrctDbtTx/MndtRltdInf/DtOfSgntr"),
            (lambda debit: fields.bank(debit.bank), "DbtrAgt/FinInstnId"),
            (lambda debit: fields.name(debit.name), "Dbtr/Nm"),
            (lambda debit: fields.account(debit.account), "DbtrAcct/Id"),
            (lambda debit: fields.text(debit.remittance) if debit.remittance else None, "RmtInf/Ustrd"),
        )
        self._sequence = ""

    def broken_in(self, element: Element) -> Ordered[tuple[Broken, str]]:
        debit = self._debit.read(element)
        return [(broken, place) for rule, place in self._plan if (broken := rule(debit)) is not None]

    def on_sequence(self, sequence: str, pointer: str) -> None:
        self._sequence = sequence
        if sequence and sequence not in {each.value for each in self._profile.sequences}:
            self._faults.add(BankRule.SEQUENCE, pointer)

    def _signing(self, signed: str) -> Broken | None:
        if not signed:
            return Broken(BankRule.REQUIRED)
        try:
            on = date.fromisoformat(signed)
        except ValueError:
            return Broken(BankRule.DATE)
        late = self._requested is not None and on > self._requested
        return Broken(BankRule.MANDATE_DATE) if late else None

    def _one_sequence(self, sequence: str) -> Broken | None:
        if not sequence:
            return None if self._sequence else Broken(BankRule.REQUIRED)
        if not self._sequence:  # named by each debit instead of the batch: the first one says what the batch is
            self._sequence = sequence
            known = sequence in {each.value for each in Sequence} and Sequence(sequence) in self._profile.sequences
            return None if known else Broken(BankRule.SEQUENCE)
        return None if sequence == self._sequence else Broken(BankRule.SEQUENCE_MIXED)
