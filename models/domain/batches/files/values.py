"""One cell as the value that its field holds, with the rule it breaks; by the checks that all of Casework uses."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from models.domain.bank_card import check_bank_card
from models.domain.batches.files.amounts import read_amount
from models.domain.batches.files.layout import Layout, LayoutField
from models.domain.batches.files.rows import LineFault, Value
from models.domain.batches.files.words import FieldKind
from models.domain.customers.spelling import ABSENT, spell_record
from models.domain.customers.spelling_dates import read_date
from models.domain.mandates import BANK_CODE_PATTERN
from models.domain.rule_broken import RuleBroken
from models.domain.spelling import compact
from models.domain.spreadsheets import neutral
from models.domain.tabular.dates import read_day

_BANK: Final = re.compile(BANK_CODE_PATTERN)
_LIST_MARKS: Final = re.compile(r"[\s,;、，；]+")
_NUMBER: Final = re.compile(r"\A[0-9]{1,15}\Z")
# The field of a customer's record that is spelled and checked the same.
_AS_RECORD: Final = {
    FieldKind.REFERENCE: "customer_no",
    FieldKind.NAME: "name",
    FieldKind.ID_TYPE: "id_type",
    FieldKind.MOBILE: "mobile",
    FieldKind.ACCOUNT: "account",
    FieldKind.TEXT: "occupation",
}
_OWN_WORDS: Final = {"customer-no": "reference"}


class Read(NamedTuple):
    """What a cell gives: a value where it has one, and what it breaks."""

    value: Value | None
    fault: LineFault | None = None


Reader = Callable[[str, Mapping[str, Value], date], Read]
"""From text, the fields that were read before it, and the business date."""


def reader_of(name: str, layout: Layout) -> Reader:
    """The reader of a field."""
    field = layout.fields[name]
    match field.kind:
        case FieldKind.AMOUNT:
            return lambda text, _known, _today: _amount(name, field, layout, text)
        case FieldKind.DATE:
            return lambda text, _known, today: _date(name, field, text, today)
        case FieldKind.NUMBER:
            return lambda text, _known, _today: _number(name, field, text)
        case FieldKind.CODE | FieldKind.CODES:
            table = {**{code: code for code in field.codes or ()}, **(field.values or {})}
            read = _code if field.kind is FieldKind.CODE else _codes
            return lambda text, _known, _today: read(name, table, text)
        case FieldKind.CARD:
            return lambda text, _known, _today: _card(name, text)
        case FieldKind.BANK:
            return lambda text, _known, _today: _bank(name, text)
        case FieldKind.ID_NUMBER:
            return lambda text, known, today: _id_number(name, field, text, known, today)
        case _:
            return lambda text, _known, today: _as_record(name, field, text, today)


def is_absent(text: str) -> bool:
    """Whether a cell holds nothing, in the ways that systems write that."""
    return text in ABSENT or text.strip() in ABSENT


def _as_record(name: str, field: LayoutField, text: str, today: date) -> Read:
    own = _AS_RECORD[field.kind]
    given = (field.values or {}).get(text.strip(), text)
    spelled = spell_record({own: given}, today=today)
    rule = next((fault.rule for fault in spelled.faults if fault.field == own and fault.rule != "missing"), None)
    value = spelled.values.get(own)
    if rule is None and field.kind is FieldKind.TEXT and neutral(value or "") != value:
        rule = "formula"
    if rule is None and field.most is not None and len(value or "") > field.most:
        return Read(value, LineFault(name, "too-long", {"limit": field.most}))
    return Read(value, None if rule is None else LineFault(name, _OWN_WORDS.get(rule, rule)))


def _id_number(name: str, field: LayoutField, text: str, known: Mapping[str, Value], today: date) -> Read:
    kind = field.id_type.value if field.id_type is not None else known.get(field.id_type_field or "")
    spelled = spell_record({"id_type": str(kind or ""), "id_number": text}, today=today)
    rule = next((fault.rule for fault in spelled.faults if fault.field == "id_number"), None)
    return Read(spelled.values.get("id_number"), None if rule is None else LineFault(name, rule))


def _card(name: str, text: str) -> Read:
    try:
        return Read(check_bank_card(text))
    except RuleBroken as broken:
        return Read(None, LineFault(name, broken.code, dict(broken.params)))


def _bank(name: str, text: str) -> Read:
    number = compact(text)
    return Read(number, None if _BANK.match(number) is not None else LineFault(name, "bank-number"))


def _amount(name: str, field: LayoutField, layout: Layout, text: str) -> Read:
    minor, rule = read_amount(text, layout.file.amounts)
    if rule == "amount-zero" and field.least == 0:  # a figure beside the row's own amount, which may be nothing
        return Read(0)
    if minor is not None and field.least is not None and minor < field.least:
        return Read(minor, LineFault(name, "amount-too-small", {"limit": field.least}))
    if minor is not None and field.most is not None and minor > field.most:
        return Read(minor, LineFault(name, "amount-too-large", {"limit": field.most}))
    return Read(minor, None if rule is None else LineFault(name, rule))


def _number(name: str, field: LayoutField, text: str) -> Read:
    plain = text.strip()
    if _NUMBER.match(plain) is None:
        return Read(None, LineFault(name, "number-unreadable"))
    number = int(plain)
    if field.least is not None and number < field.least:
        return Read(number, LineFault(name, "number-too-small", {"limit": field.least}))
    if field.most is not None and number > field.most:
        return Read(number, LineFault(name, "number-too-large", {"limit": field.most}))
    return Read(number)


def _code(name: str, table: Mapping[str, str], text: str) -> Read:
    found = table.get(text.strip())
    return Read(found) if found is not None else Read(None, LineFault(name, "code-unknown"))


def _codes(name: str, table: Mapping[str, str], text: str) -> Read:
    """Several codes as words between spaces; a word that stands for none of them, such as 无, becomes nothing."""
    found = [table.get(word) for word in _LIST_MARKS.split(text.strip())]
    if any(each is None for each in found):
        return Read(None, LineFault(name, "code-unknown"))
    return Read(" ".join(dict.fromkeys(each for each in found if each)))


def _date(name: str, field: LayoutField, text: str, today: date) -> Read:
    day = _day(text.strip(), tuple(field.formats or ()))
    if day is None:
        return Read(None, LineFault(name, "date-unreadable"))
    if field.days_back is not None and day < today - timedelta(days=field.days_back):
        return Read(day, LineFault(name, "date-too-early", {"days": field.days_back}))
    if field.days_ahead is not None and day > today + timedelta(days=field.days_ahead):
        return Read(day, LineFault(name, "date-too-late", {"days": field.days_ahead}))
    return Read(day)


@lru_cache(maxsize=16_384)
def _day(text: str, formats: tuple[str, ...]) -> date | None:
    if not formats:
        return read_date(text)
    for form in formats:
        iso = read_day(text, form)
        # `strptime` reads 2026111 as the eleventh of January: only what is written the same again counts.
        if iso is not None and date.fromisoformat(iso).strftime(form) == text:
            return date.fromisoformat(iso)
    return None
