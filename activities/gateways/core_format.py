"""The daily files of the card core, read line by line and written: journal and balances (docs/core-exchange.md).

Each begins with a header, numbers its data lines from 1, and ends with a trailer of control totals. Reading stops at
the first thing that is wrong and names line, field and rule; what a line holds is never repeated.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import BinaryIO, Final

from activities.gateways.core import CardBalances
from models.domain.bank_card import MAX_DIGITS, MIN_DIGITS
from models.domain.core_journal import JournalFile, JournalLine, control_totals
from models.domain.rule_words import DueDiligence
from models.errors import CoreFileUnreadable, FieldFault

VERSION: Final = "1"
BALANCES_VERSION: Final = "2"  # adds age and due diligence to an extract; one of the first version leaves both unsaid
JOURNAL: Final = "casework-core-journal"
BALANCES: Final = "casework-core-balances"
MAX_LINE_BYTES: Final = 256
MAX_LINES: Final = 2_000_000

_HEADER: Final = ("format", "version", "tenant", "businessDate", "currency")
_JOURNAL_FIELDS: Final = {VERSION: ("number", "reference", "account", "side", "amount")}
_JOURNAL_TOTALS: Final = ("count", "debitSum", "creditSum")
_BALANCE_KINDS: Final = ("purchases", "cash", "fees", "interest", "runningInstallments")
_BALANCE_FIELDS: Final = {
    VERSION: ("number", "card", *_BALANCE_KINDS),
    BALANCES_VERSION: ("number", "card", *_BALANCE_KINDS, "daysPastDue", "dueDiligence"),
}
_BALANCE_TOTALS: Final = ("count", "sum")

_CURRENCY: Final = re.compile(r"\A[A-Z]{3}\Z")
_REFERENCE: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}\Z")
# An account of the ledger has a name or a short number; what could be a card's is refused, as totals are kept in clear.
_ACCOUNT: Final = re.compile(rf"\A(?![0-9]{{{MIN_DIGITS},{MAX_DIGITS}}}\Z)[A-Za-z0-9][A-Za-z0-9._-]{{0,31}}\Z")
_SIDE: Final = re.compile(r"\A[DC]\Z")
_CARD: Final = re.compile(rf"\A[0-9]{{{MIN_DIGITS},{MAX_DIGITS}}}\Z")
_ABOVE_ZERO: Final = re.compile(r"\A[1-9][0-9]{0,14}\Z")
_ANY_AMOUNT: Final = re.compile(r"\A(?:0|-?[1-9][0-9]{0,14})\Z")
_WHOLE: Final = re.compile(r"\A(?:0|[1-9][0-9]{0,17})\Z")
_DAYS: Final = re.compile(r"\A(?:0|[1-9][0-9]{0,4})\Z")
_STANDING: Final = re.compile(rf"\A(?:{'|'.join(DueDiligence)})\Z")
_SIGNED_SUM: Final = re.compile(r"\A(?:0|-?[1-9][0-9]{0,17})\Z")


class CoreRule(StrEnum):
    """What a file of the core can break, as codes; the words for each stand under `field.<code>` in the texts."""

    CHARSET = "core-charset"  # other than printable ASCII
    TOO_LARGE = "core-too-large"  # limit: bytes of a line, or lines
    RECORD = "core-record"  # neither H, D nor T where one of them belongs; expected
    FIELDS = "core-fields"  # expected, found
    FORM = "core-form"  # the value is not written as this field is
    EXPECTED = "core-expected"  # another value belongs here
    NUMBER = "core-number"  # expected, the next line number
    DUPLICATE = "core-duplicate"
    TRAILER = "core-trailer"  # missing: the file breaks off, or is followed by more
    TOTAL = "core-total"  # stated, found


@dataclass(frozen=True, slots=True)
class _Line:
    """One line, split into named values."""

    no: int
    values: dict[str, str]

    def text(self, field: str, form: re.Pattern[str]) -> str:
        """The value of a field in its form."""
        value = self.values[field]
        if form.match(value) is None:
            raise unreadable(self.no, field, CoreRule.FORM)
        return value

    def number(self, field: str, form: re.Pattern[str]) -> int:
        """A whole number in its form."""
        return int(self.text(field, form))

    def require(self, field: str, wanted: str) -> None:
        """What belongs here is known beforehand."""
        if self.values[field] != wanted:
            raise unreadable(self.no, field, CoreRule.EXPECTED, expected=wanted)


def unreadable(line: int, field: str, rule: CoreRule, **params: str | int) -> CoreFileUnreadable:
    """The refusal of a file, by the place and the rule that it breaks."""
    fault = FieldFault(pointer=f"/{line}/{field}", code=rule.value, params={"line": line, **params})
    return CoreFileUnreadable(
        detail=f"line {line}, {field}: {rule.value}",
        params={"line": line, "field": field, "rule": rule.value},
        faults=(fault,),
    )


class _Frame:
    """Header, numbered data lines and trailer of one file."""

    def __init__(self, file: BinaryIO, *, fields: Mapping[str, tuple[str, ...]], totals: tuple[str, ...]) -> None:
        """Begin; `fields` of a data line by version of the format."""
        self._lines = _numbered(file)
        self._fields, self._totals = fields, totals
        self.version = VERSION
        self.trailer: _Line | None = None

    def header(self, *, kind: str, tenant: str, business_date: date) -> str:
        """Check the first line against what was asked for; returns the currency."""
        no, record, values = next(self._lines, (1, "", []))
        if record != "H":
            raise unreadable(no, "record", CoreRule.RECORD, expected="H")
        line = _named(no, values, _HEADER)
        line.require("format", kind)
        self.version = line.values["version"]
        if self.version not in self._fields:
            raise unreadable(no, "version", CoreRule.EXPECTED, expected=", ".join(self._fields))
        for field, value in (("tenant", tenant), ("businessDate", business_date.isoformat())):
            line.require(field, value)
        return line.text("currency", _CURRENCY)

    def data(self) -> Iterator[_Line]:
        """The data lines; when they are through, `trailer` is there."""
        no = 1
        for expected, (no, record, values) in enumerate(self._lines, start=1):
            if record == "T":
                self.trailer = _named(no, values, self._totals)
                behind = next(self._lines, None)
                if behind is not None:
                    raise unreadable(behind[0], "record", CoreRule.TRAILER)
                return
            if record != "D":
                raise unreadable(no, "record", CoreRule.RECORD, expected="D, T")
            line = _named(no, values, self._fields[self.version])
            if line.values["number"] != str(expected):
                raise unreadable(no, "number", CoreRule.NUMBER, expected=expected)
            yield line
        raise unreadable(no + 1, "record", CoreRule.TRAILER)

    def check_totals(self, **found: int) -> None:
        """Compare each control total with what was counted."""
        assert self.trailer is not None  # `data` has been read to its end
        for field, value in found.items():
            stated = self.trailer.number(field, _SIGNED_SUM if field == "sum" else _WHOLE)
            if stated != value:
                raise unreadable(self.trailer.no, field, CoreRule.TOTAL, stated=stated, found=value)


def _numbered(file: BinaryIO) -> Iterator[tuple[int, str, list[str]]]:
    """Line number in the file, record type, values."""
    for no, raw in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES + 1), b""), start=1):
        if len(raw) > MAX_LINE_BYTES:
            raise unreadable(no, "line", CoreRule.TOO_LARGE, limit=MAX_LINE_BYTES)
        if no > MAX_LINES:
            raise unreadable(no, "line", CoreRule.TOO_LARGE, limit=MAX_LINES)
        text = raw.decode("latin-1").rstrip("\r\n")
        if not (text.isascii() and text.isprintable()):
            raise unreadable(no, "line", CoreRule.CHARSET)
        record, *values = text.split(",")
        yield no, record, values


def _named(no: int, values: list[str], fields: tuple[str, ...]) -> _Line:
    if len(values) != len(fields):
        raise unreadable(no, "record", CoreRule.FIELDS, expected=len(fields), found=len(values))
    return _Line(no, dict(zip(fields, values, strict=True)))


def read_journal(file: BinaryIO, *, tenant: str, business_date: date) -> JournalFile:
    """The journal in `file`, its control totals checked.

    Raises:
        CoreFileUnreadable: it is not this tenant's journal of this date in full; `params` name line, field and rule.
    """
    frame = _Frame(file, fields=_JOURNAL_FIELDS, totals=_JOURNAL_TOTALS)
    currency = frame.header(kind=JOURNAL, tenant=tenant, business_date=business_date)
    lines: list[JournalLine] = []
    seen: set[str] = set()
    for line in frame.data():
        amount_minor = line.number("amount", _ABOVE_ZERO)
        entry = JournalLine(
            reference=line.text("reference", _REFERENCE),
            account=line.text("account", _ACCOUNT),
            amount_minor=amount_minor if line.text("side", _SIDE) == "D" else -amount_minor,
        )
        if entry.reference in seen:
            raise unreadable(line.no, "reference", CoreRule.DUPLICATE)
        seen.add(entry.reference)
        lines.append(entry)
    control = control_totals(lines)
    frame.check_totals(count=control.count, debitSum=control.debit_minor, creditSum=control.credit_minor)
    return JournalFile(
        tenant=tenant, business_date=business_date, currency=currency, lines=tuple(lines), control=control
    )


def read_balances(file: BinaryIO, *, tenant: str, business_date: date, card_number: str) -> CardBalances | None:
    """What stands on one card in the extract of a date, None if the card is not in it. The whole file is checked.

    Raises:
        CoreFileUnreadable: it is not this tenant's extract of this date in full.
    """
    frame = _Frame(file, fields=_BALANCE_FIELDS, totals=_BALANCE_TOTALS)
    currency = frame.header(kind=BALANCES, tenant=tenant, business_date=business_date)
    found, count, total = None, 0, 0
    for line in frame.data():
        amounts = [line.number(kind, _ANY_AMOUNT) for kind in _BALANCE_KINDS]
        days, standing = _standing(line) if frame.version != VERSION else (None, None)
        count, total = count + 1, total + sum(amounts)
        if line.text("card", _CARD) != card_number:
            continue
        if found is not None:
            raise unreadable(line.no, "card", CoreRule.DUPLICATE)
        found = CardBalances(currency, *amounts, days_past_due=days, due_diligence=standing)
    frame.check_totals(count=count, sum=total)
    return found


def _standing(line: _Line) -> tuple[int, DueDiligence]:
    """Age of the debt, and how the due diligence on the holder stands."""
    return line.number("daysPastDue", _DAYS), DueDiligence(line.text("dueDiligence", _STANDING))


def journal_text(journal: JournalFile) -> Iterator[str]:
    """The lines of a journal's file, each with its end: what a core that speaks this format writes."""
    yield f"H,{JOURNAL},{VERSION},{journal.tenant},{journal.business_date.isoformat()},{journal.currency}\n"
    for no, line in enumerate(journal.lines, start=1):
        side = "D" if line.amount_minor > 0 else "C"
        yield f"D,{no},{line.reference},{line.account},{side},{abs(line.amount_minor)}\n"
    yield f"T,{journal.control.count},{journal.control.debit_minor},{journal.control.credit_minor}\n"


def balances_text(
    cards: Iterable[tuple[str, CardBalances]], *, tenant: str, business_date: date, currency: str
) -> Iterator[str]:
    """The lines of an extract of balances by card number, in the newest version.

    Raises:
        ValueError: of a card it is not known how old its debt is, or how the due diligence stands.
    """
    yield f"H,{BALANCES},{BALANCES_VERSION},{tenant},{business_date.isoformat()},{currency}\n"
    count, total = 0, 0
    for count, (number, balances) in enumerate(cards, start=1):
        total += balances.total_minor
        if balances.days_past_due is None or balances.due_diligence is None:
            raise ValueError("the second version says age and due diligence of every card")
        amounts = ",".join(str(amount) for amount in balances.amounts)
        yield f"D,{count},{number},{amounts},{balances.days_past_due},{balances.due_diligence}\n"
    yield f"T,{count},{total}\n"
