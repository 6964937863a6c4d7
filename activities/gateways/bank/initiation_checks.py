"""Checks a file of orders as it lies on disk: what a schema cannot say always, the schema where there is one.

One pass for both messages; `checks` and `transfer_checks` say what is particular to debits and to credit transfers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import ClassVar, Final

from lxml import etree

from activities.gateways.bank.amounts import NotAnAmountError, amount_minor, amount_text
from activities.gateways.bank.fields import Broken, FieldRules
from activities.gateways.bank.profiles import AccountScheme, AgentScheme, BankProfile
from activities.gateways.bank.rules import BankRule, Faults
from activities.gateways.bank.schema_check import schema_faults
from activities.gateways.bank.xml_stream import Element, Message, Reader, elements, identify
from models.errors import BankFileInvalid, BankFileUnreadable, FieldFault

BankDays = Callable[[date], bool]

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


@dataclass(frozen=True, slots=True)
class CheckRules:
    """What a file is held against: its bank's profile, the business date, and the calendar.

    Attributes:
        as_of: no order may be asked for an earlier date.
        is_bank_day: raises for a year that is not announced, and so does the check.
    """

    profile: BankProfile
    as_of: date
    is_bank_day: BankDays


def check_initiation(
    path: Path, kind: type["InitiationCheck"], *, expected: str, rules: "CheckRules", schema: Path | None
) -> CheckReport:
    """Check a file against the rules of its profile. All faults are reported, not the first alone.

    Args:
        path: the file.
        kind: what is particular to the message.
        expected: identifier of the message that the bank reads.
        rules: profile, date and calendar.
        schema: the XSD of the message, where it is at hand.
    """
    faults = Faults()
    try:
        message = identify(path)
        if message.name != expected:
            faults.add(BankRule.MESSAGE, "", expected=expected)
            return CheckReport(message_id="", count=0, sum_minor=0, faults=tuple(faults.found), beyond=0)
        check = kind(message, rules, faults)
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


class InitiationCheck(ABC):
    """One pass over a file. A subclass says how its message calls things, and what else holds for an order."""

    root: ClassVar[str]
    item: ClassVar[str]
    own: ClassVar[str]  # the party whose account we hold: Cdtr in debits, Dbtr in transfers
    wanted: ClassVar[str]  # where the requested date stands
    bic: str = "BICFI"

    def __init__(self, message: Message, rules: CheckRules, faults: Faults) -> None:
        """Prepare the readers of the message's version."""
        profile = rules.profile
        self._message, self._profile, self._faults = message, profile, faults
        self._as_of, self._is_bank_day = rules.as_of, rules.is_bank_day
        self._rules = FieldRules(profile)
        self._account_path = "IBAN" if profile.accounts is AccountScheme.IBAN else "Othr/Id"
        self._bank_path = self.bic if profile.agents is AgentScheme.BIC else "ClrSysMmbId/MmbId"
        space = message.namespace
        self._header = Reader(space, "MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty/Nm")
        self._batch = Reader(
            space,
            "PmtInfId",
            "NbOfTxs",
            "CtrlSum",
            "PmtTpInf/SeqTp",
            self.wanted,
            f"{self.own}/Nm",
            f"{self.own}Acct/Id/{self._account_path}",
            f"{self.own}Agt/FinInstnId/{self._bank_path}",
            f"{self.own}Agt/FinInstnId/Othr/Id",
        )
        self.message_id = ""
        self.count = self.sum_minor = 0
        self._stated = ("", "")
        self._batch_index = self._batch_count = self._batch_sum = 0
        self._batch_stated = ("", "")
        self._requested: date | None = None
        self._batch_ids: set[str] = set()
        self._order_ids: set[str] = set()

    @abstractmethod
    def broken_in(self, element: Element) -> Ordered[tuple[Broken, str]]:
        """Every rule that one order breaks, and where below it."""

    def on_sequence(self, sequence: str, pointer: str) -> None:  # noqa: B027 - transfers have none to judge
        """What the batch says of its sequence type; transfers have none."""

    def run(self, schema: etree.XMLSchema | None) -> None:
        space = len(self._message.namespace) + 2
        for element in elements(self._message, "GrpHdr", self.item, "PmtInf", schema=schema):
            tag = element.tag[space:]
            if tag == self.item:
                self._on_order(element)
            elif tag == "PmtInf":
                self._on_batch_end(element)
            else:
                self._on_header(element)

    def finish(self) -> None:
        if self._batch_index == 0:
            self._faults.add(BankRule.EMPTY, f"{self.root}/PmtInf")
        if self.count > self._profile.most_orders:
            self._faults.add(BankRule.TOO_LARGE, f"{self.root}/GrpHdr/NbOfTxs", limit=self._profile.most_orders)
        self._totals(self._stated, self.count, self.sum_minor, f"{self.root}/GrpHdr")

    def _on_header(self, element: Element) -> None:
        self.message_id, created, *stated, initiator = self._header.read(element)
        self._stated = (stated[0], stated[1])
        self._note(self._rules.identifier(self.message_id), f"{self.root}/GrpHdr/MsgId")
        self._note(self._rules.name(initiator), f"{self.root}/GrpHdr/InitgPty/Nm")
        try:
            datetime.fromisoformat(created)
        except ValueError:
            self._faults.add(BankRule.DATE, f"{self.root}/GrpHdr/CreDtTm")

    def _on_batch_start(self, parent: Element) -> None:
        batch_id, count, total, sequence, wanted, name, account, bank, no_bank = self._batch.read(parent)
        here = f"{self.root}/PmtInf/{self._batch_index}"
        self._batch_stated = (count, total)
        self._note(self._rules.identifier(batch_id), f"{here}/PmtInfId")
        if batch_id in self._batch_ids:
            self._faults.add(BankRule.DUPLICATE, f"{here}/PmtInfId")
        self._batch_ids.add(batch_id)
        self._note(self._rules.name(name), f"{here}/{self.own}/Nm")
        self._note(self._rules.account(account), f"{here}/{self.own}Acct/Id/{self._account_path}")
        self._note(self._rules.bank(bank or no_bank), f"{here}/{self.own}Agt/FinInstnId/{self._bank_path}")
        self._on_date(wanted, f"{here}/{self.wanted}")
        self.on_sequence(sequence, f"{here}/PmtTpInf/SeqTp")

    def _on_date(self, wanted: str, pointer: str) -> None:
        self._requested = None
        try:
            self._requested = date.fromisoformat(wanted)
        except ValueError:
            self._faults.add(BankRule.DATE if wanted else BankRule.REQUIRED, pointer)
            return
        if self._requested < self._as_of:
            self._faults.add(BankRule.DATE_PAST, pointer)
        elif not self._is_bank_day(self._requested):
            self._faults.add(BankRule.BANK_DAY, pointer)

    def _on_order(self, element: Element) -> None:
        if self._batch_count == 0 and (parent := element.getparent()) is not None:
            self._on_batch_start(parent)
        for broken, place in self.broken_in(element):
            here = f"{self.root}/PmtInf/{self._batch_index}/{self.item}/{self._batch_count}"
            self._note(broken, f"{here}/{place}")
        self._batch_count += 1

    def unique(self, end_to_end: str) -> Broken | None:
        if end_to_end in self._order_ids:
            return Broken(BankRule.DUPLICATE)
        self._order_ids.add(end_to_end)
        return None

    def money(self, amount: str, currency: str) -> Broken | None:
        if currency != self._profile.currency:
            return Broken(BankRule.CURRENCY, {"expected": self._profile.currency})
        try:
            minor = amount_minor(amount, currency)
        except NotAnAmountError:
            return Broken(BankRule.AMOUNT)
        self._batch_sum += minor
        return None if minor else Broken(BankRule.AMOUNT)

    def _on_batch_end(self, element: Element) -> None:
        here = f"{self.root}/PmtInf/{self._batch_index}"
        if self._batch_count == 0:
            self._on_batch_start(element)
            self._faults.add(BankRule.EMPTY, f"{here}/{self.item}")
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
