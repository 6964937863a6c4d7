"""Checks a credit transfer file as it lies on disk: every fault with path and rule, and what it holds counted anew."""

from collections.abc import Sequence as Ordered
from datetime import date
from pathlib import Path
from typing import ClassVar

from activities.gateways.bank.fields import Broken
from activities.gateways.bank.initiation_checks import (
    BankDays,
    CheckReport,
    CheckRules,
    InitiationCheck,
    check_initiation,
)
from activities.gateways.bank.profiles import BankProfile
from activities.gateways.bank.rules import Faults
from activities.gateways.bank.xml_stream import Element, Message, Reader


def check_pain001(
    path: Path, *, profile: BankProfile, as_of: date, is_bank_day: BankDays, schema: Path | None = None
) -> CheckReport:
    """Check a credit transfer file; all faults are reported.

    Args:
        path: the file.
        profile: of the bank that is to read it.
        as_of: the business date; no transfer may be asked for an earlier one.
        is_bank_day: the calendar. It raises for a year that is not announced, and so does the check.
        schema: the XSD of the message, where it is at hand.
    """
    rules = CheckRules(profile, as_of, is_bank_day)
    return check_initiation(path, _TransferCheck, expected=profile.pain001, rules=rules, schema=schema)


class _TransferCheck(InitiationCheck):
    root: ClassVar[str] = "/CstmrCdtTrfInitn"
    item: ClassVar[str] = "CdtTrfTxInf"
    own: ClassVar[str] = "Dbtr"
    wanted: ClassVar[str] = "ReqdExctnDt/Dt"

    def __init__(self, message: Message, rules: CheckRules, faults: Faults) -> None:
        super().__init__(message, rules, faults)
        self._transfer = Reader(
            message.namespace,
            "PmtId/InstrId",
            "PmtId/EndToEndId",
            "Amt/InstdAmt",
            "Amt/InstdAmt/@Ccy",
            f"CdtrAgt/FinInstnId/{self._bank_path}",
            "CdtrAgt/FinInstnId/Othr/Id",
            "Cdtr/Nm",
            f"CdtrAcct/Id/{self._account_path}",
            "RmtInf/Ustrd",
        )

    def broken_in(self, element: Element) -> Ordered[tuple[Broken, str]]:
        instruction, end_to_end, amount, currency, bank, no_bank, name, account, remittance = self._transfer.read(
            element
        )
        fields = self._rules
        has_bank = bank or no_bank or element.find("{*}CdtrAgt") is not None  # the agent may be left out altogether
        found = (
            (fields.identifier(instruction) if instruction else None, "PmtId/InstrId"),
            (fields.identifier(end_to_end), "PmtId/EndToEndId"),
            (self.unique(end_to_end), "PmtId/EndToEndId"),
            (self.money(amount, currency), "Amt/InstdAmt"),
            (fields.bank(bank or no_bank) if has_bank else None, "CdtrAgt/FinInstnId"),
            (fields.name(name), "Cdtr/Nm"),
            (fields.account(account), "CdtrAcct/Id"),
            (fields.text(remittance) if remittance else None, "RmtInf/Ustrd"),
        )
        return [(broken, place) for broken, place in found if broken is not None]
