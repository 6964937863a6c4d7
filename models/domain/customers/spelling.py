"""One record in its one spelling (规范化), field by field, with every rule that a field breaks.

A field that breaks a rule keeps what was read, tidied, so that a person sees it and corrects it. What is spelled is
spelled already: `spell_record` of its own result gives the same values. Pure, and fast: a book has a million rows.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from models.domain.customers.countries import country_code
from models.domain.customers.faults import Fault
from models.domain.customers.record import FIELDS, REQUIRED_FIELDS
from models.domain.customers.spelling_dates import read_date, read_validity
from models.domain.customers.spelling_texts import GARBLED, plain_text, spell_email, spell_name
from models.domain.customers.uscc import check_uscc
from models.domain.identifiers import IdType, check_identity
from models.domain.mobile import check_mobile
from models.domain.rule_broken import RuleBroken
from models.domain.spelling import compact

MOST_CHARACTERS: Final = 400  # of one field, after spelling
ABSENT: Final = frozenset({"", "-", "--", "—", "\\N", "NULL", "null", "None", "NaN", "nan", "#N/A", "/"})
_SEX: Final = {
    "M": "M", "F": "F", "男": "M", "女": "F", "1": "M", "2": "F", "MALE": "M", "FEMALE": "F", "男性": "M", "女性": "F",
    "01": "M", "02": "F", "先生": "M", "女士": "F",
}  # fmt: skip
_LANGUAGES: Final = {
    "zh-CN": "zh-CN", "ZHCN": "zh-CN", "ZH": "zh-CN", "ZHHANS": "zh-CN", "CN": "zh-CN", "中文": "zh-CN",
    "汉语": "zh-CN", "简体中文": "zh-CN", "en": "en", "EN": "en", "ENUS": "en", "ENGB": "en", "ENGLISH": "en",
    "英文": "en", "英语": "en",
}  # fmt: skip
ID_TYPE_NAMES: Final[dict[str, str]] = {
    **{each.value: each.value for each in IdType},
    **dict.fromkeys(
        (
            "身份证",
            "居民身份证",
            "二代身份证",
            "第二代身份证",
            "一代身份证",
            "中国居民身份证",
            "临时身份证",
            "ID",
            "IDCARD",
        ),
        IdType.RESIDENT_ID.value,
    ),
    **dict.fromkeys(("港澳居民居住证", "港澳居住证", "港澳台居民居住证(港澳)"), IdType.HK_MACAO_RESIDENCE.value),
    **dict.fromkeys(("台湾居民居住证", "台湾居住证", "港澳台居民居住证(台湾)"), IdType.TAIWAN_RESIDENCE.value),
    **dict.fromkeys(("港澳居民来往内地通行证", "港澳通行证", "回乡证", "港澳居民通行证"), IdType.HK_MACAO_PERMIT.value),
    **dict.fromkeys(("台湾居民来往大陆通行证", "台胞证", "台湾通行证"), IdType.TAIWAN_PERMIT.value),
    **dict.fromkeys(
        ("外国人永久居留身份证", "外国人永久居留证", "永久居留证", "外国人居留证"), IdType.FOREIGN_RESIDENT.value
    ),
    **dict.fromkeys(("护照", "外国护照", "中国护照", "PASSPORT"), IdType.PASSPORT.value),
}
_CUSTOMER_NO: Final = re.compile(r"\A[A-Z0-9](?:[A-Z0-9._/-]{0,62}[A-Z0-9])?\Z")
_ACCOUNT: Final = re.compile(r"\A[A-Z0-9]{8,34}\Z")
_CARD: Final = re.compile(r"\A(?:62[0-9]{14,17}|(?:4[0-9]|5[1-5]|35)[0-9]{14})\Z")
_POSTCODE: Final = re.compile(r"\A[0-9]{6}\Z")
_POSTCODE_ABROAD: Final = re.compile(r"\A[A-Z0-9]{3,10}\Z")
# `6.2220212345679E+18`: what is left of a long number that went through a spreadsheet.
_SCIENTIFIC: Final = re.compile(r"\A[+-]?[0-9](?:[.][0-9]+)?[Ee]\+?[0-9]{1,3}\Z")
_FORMULA: Final = re.compile(r"\A[=@\t\r]|\A[+-](?![0-9 ()-]+\Z)")
_SUSPICIOUS: Final = re.compile(
    r"(?:\A|\|)(?:[=@-]|\+(?!86))|[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]|锟斤|烫烫|屯屯|â€|Ã|[0-9][Ee]\+?[0-9]"
)
_ADDRESS_PLACE: Final = re.compile(r"[省市区县州旗镇乡村路街道巷弄号栋楼室里园]")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
MIN_ADDRESS: Final = 6
_LONG_NUMBERS: Final = frozenset({"customer_no", "id_number", "mobile", "account"})


class Spelled(NamedTuple):
    """A record as it is to be kept, and what is wrong with it."""

    values: dict[str, str]
    faults: list[Fault]

    def __repr__(self) -> str:
        return f"Spelled({len(self.values)} fields, {self.faults!r})"


def spell_record(values: Mapping[str, str | None], *, today: date) -> Spelled:
    """Spell every field of a record, and check it by itself; what two fields say of each other is `validity`'s.

    Args:
        values: by field; absent and empty are the same.
        today: no birth date lies behind it.

    Raises:
        ValueError: a field that a record does not have; its name is said.
    """
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for name, raw in values.items():
        if raw is None or raw in ABSENT:
            continue
        spell = _SPELL.get(name)
        if spell is None:
            if name != "id_number":
                raise ValueError(f"a customer's record has no field {name}")
            continue
        text, rule = spell(raw, today)
        if text:
            found[name] = text
            if rule is not None:
                faults.append(Fault(name, rule))
    number = values.get("id_number")
    if number is not None and number not in ABSENT:
        text, rule = _id_number(number, found.get("id_type"), today)
        if text:
            found["id_number"] = text
            if rule is not None:
                faults.append(Fault("id_number", rule))
    # One look at all of them together, since nearly no row has anything to find.
    if len(joined := "|".join(found.values())) > MOST_CHARACTERS or _SUSPICIOUS.search(joined) is not None:
        faults = _explained(found, faults)
    if not found.keys() >= REQUIRED_FIELDS:
        faults += [Fault(name, "missing") for name in FIELDS if name in REQUIRED_FIELDS and name not in found]
    return Spelled(found, faults)


def _explained(found: Mapping[str, str], faults: list[Fault]) -> list[Fault]:
    """What explains the other faults of a field stands in their place: a number that lost its digits is no bad ID."""
    why = {name: rule for name, text in found.items() if (rule := _why(name, text)) is not None}
    return [fault for fault in faults if fault.field not in why] + [Fault(name, rule) for name, rule in why.items()]


def _why(name: str, text: str) -> str | None:
    if len(text) > MOST_CHARACTERS:
        return "too-long"
    if "\x00" in text:
        return "nul-bytes"
    if GARBLED.search(text) is not None or (not text.isprintable() and _has_control(text)):
        return "garbled"
    if name in _LONG_NUMBERS and _SCIENTIFIC.match(text) is not None:
        return "number-lost-digits"
    return "formula" if name != "mobile" and _FORMULA.match(text) is not None else None


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


# Field by field -------------------------------------------------------------------------------------------------------

_Answer = tuple[str, str | None]


def _customer_no(raw: str, _today: date) -> _Answer:
    text = raw if raw.isascii() and raw.isalnum() else plain_text(raw)
    text = text.upper()
    return text, None if _CUSTOMER_NO.match(text) is not None else "customer-no"


def _name(raw: str, _today: date) -> _Answer:
    return spell_name(raw)


@lru_cache(maxsize=1_024)
def _known_id_type(raw: str) -> str | None:
    text = plain_text(raw)
    return ID_TYPE_NAMES.get(text) or ID_TYPE_NAMES.get(text.lower()) or ID_TYPE_NAMES.get(compact(text))


def _id_type(raw: str, _today: date) -> _Answer:
    known = _known_id_type(raw)
    return (plain_text(raw), "id-type-unknown") if known is None else (known, None)


def _id_number(raw: str, id_type: str | None, today: date) -> _Answer:
    text = compact(raw)
    if id_type is None or id_type not in _ID_TYPES:
        return text, None  # that its kind is missing or unknown is said already
    try:
        number = check_identity(_ID_TYPES[id_type], text, today)
    except RuleBroken as broken:
        return text, broken.code
    return number, None if len(number) == len(text) else "id-legacy"


_ID_TYPES: Final = {each.value: each for each in IdType}


def _mobile(raw: str, _today: date) -> _Answer:
    try:
        return check_mobile(raw), None
    except RuleBroken as broken:
        return compact(raw), broken.code


def _email(raw: str, _today: date) -> _Answer:
    text = spell_email(raw)
    return (plain_text(raw), "email") if text is None else (text, None)


def _account(raw: str, _today: date) -> _Answer:
    text = compact(raw)
    if _CARD.match(text) is not None:
        return text, None if _passes_luhn(text.encode()) else "card-luhn"
    if _ACCOUNT.match(text) is not None:
        return text, None
    return text, "account-length" if text.isascii() and text.isalnum() else "account-characters"


def _passes_luhn(digits: bytes) -> bool:
    """As `models.domain.bank_card`, without a list for each of a million numbers."""
    return (sum(digits.translate(_SINGLE)[-1::-2]) + sum(digits.translate(_DOUBLE)[-2::-2])) % 10 == 0


_SINGLE: Final = bytes(value - 48 if 48 <= value < 58 else 0 for value in range(256))  # noqa: PLR2004 - ASCII digits
_DOUBLE: Final = bytes(sum(divmod(2 * value, 10)) for value in _SINGLE)


def _id_valid_until(raw: str, _today: date) -> _Answer:
    text = read_validity(raw) or read_validity(plain_text(raw))
    return (plain_text(raw), "date-unreadable") if text is None else (text, None)


def _sex(raw: str, _today: date) -> _Answer:
    known = _SEX.get(raw) or _SEX.get(compact(raw))
    return (plain_text(raw), "sex-unknown") if known is None else (known, None)


def _birth_date(raw: str, today: date) -> _Answer:
    day = read_date(raw) or read_date(plain_text(raw))
    if day is None:
        return plain_text(raw), "date-unreadable"
    return day.isoformat(), "birth-date-future" if day > today else None


def _nationality(raw: str, _today: date) -> _Answer:
    code = country_code(raw)
    return (plain_text(raw), "nationality-unknown") if code is None else (code, None)


def _text(raw: str, _today: date) -> _Answer:
    return plain_text(raw), None


def _uscc(raw: str, _today: date) -> _Answer:
    try:
        return check_uscc(raw), None
    except RuleBroken as broken:
        return compact(raw), broken.code


def _address(raw: str, _today: date) -> _Answer:
    text = plain_text(raw)
    if len(text) < MIN_ADDRESS:
        return text, "address-short"
    if _HAN.search(text) is not None and _ADDRESS_PLACE.search(text) is None:
        return text, "address-coarse"
    return text, None


def _postcode(raw: str, _today: date) -> _Answer:
    text = compact(raw)
    if _POSTCODE.match(text) is not None:
        return text, "postcode" if text == "000000" else None
    has_letter = any(character.isalpha() for character in text)
    return text, None if has_letter and _POSTCODE_ABROAD.match(text) is not None else "postcode"


def _language(raw: str, _today: date) -> _Answer:
    known = _LANGUAGES.get(raw) or _LANGUAGES.get(compact(raw))
    return (plain_text(raw), "language-unknown") if known is None else (known, None)


_SPELL: Final[dict[str, Callable[[str, date], _Answer]]] = {
    "customer_no": _customer_no,
    "name": _name,
    "mobile": _mobile,
    "email": _email,
    "account": _account,
    "id_valid_until": _id_valid_until,
    "sex": _sex,
    "birth_date": _birth_date,
    "nationality": _nationality,
    "occupation": _text,
    "employer": _text,
    "employer_uscc": _uscc,
    "address": _address,
    "postcode": _postcode,
    "id_type": _id_type,
    "language": _language,
}
