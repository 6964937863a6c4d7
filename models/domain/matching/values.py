"""Numbers, mail addresses and dates as they are compared. What stands for "none" in a form is none."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from models.domain.identifiers import IdType, check_identity
from models.domain.matching.variants import unified
from models.domain.mobile import check_mobile
from models.domain.resident_id import canonical_legacy, check_character, check_resident_id
from models.domain.rule_broken import RuleBroken
from models.domain.spelling import compact

_EIGHTEEN: Final = re.compile(r"\A[0-9]{17}[0-9X]\Z")
_FIFTEEN: Final = re.compile(r"\A[0-9]{15}\Z")
_LONG: Final = 18
_ORDER: Final = 16  # odd for men, even for women
# Kinds whose numbers carry a check character, so that two correct ones that differ are two persons.
_CHECKED: Final = frozenset(
    {IdType.RESIDENT_ID, IdType.HK_MACAO_RESIDENCE, IdType.TAIWAN_RESIDENCE, IdType.FOREIGN_RESIDENT}
)
_FEWEST_ACCOUNT: Final = 6
_FEWEST_DISTINCT: Final = 3
_NO_MAIL: Final = frozenset(
    {"none", "null", "na", "nil", "no", "test", "unknown", "nomail", "noemail", "noreply", "admin", "info", "wu"}
)
_NO_MOBILE: Final = frozenset({"+8613800138000", "+8613912345678", "+8618888888888"})
_MAINLAND: Final = re.compile(r"\A\+861[3-9][0-9]{9}\Z")
_SEXES: Final = {"F": "F", "女": "F", "FEMALE": "F", "M": "M", "男": "M", "MALE": "M"}
_DATE: Final = re.compile(r"\A([0-9]{4})-?([0-9]{2})-?([0-9]{2})\Z")


class Identity(NamedTuple):
    """The number of a document.

    Attributes:
        valid: a possible number of its kind.
        checked: its check character was there and fits, so a difference is no slip of the pen.
        family: kinds with equal numbers for one person share it; numbers of two families say nothing of each other.
        born, sex: what a valid number with a birth date says.
    """

    number: str
    valid: bool
    checked: bool
    family: str
    born: str | None = None
    sex: str | None = None


def identity_of(id_type: str | None, raw: str | None, *, today: date) -> Identity | None:
    """A document's number, whatever was typed; None where there is none."""
    text = compact(raw or "")
    if not text or len(set(text)) < _FEWEST_DISTINCT:
        return None
    if id_type == IdType.RESIDENT_ID and len(text) == _LONG:  # nearly all there are, and the cheap way
        try:
            check_resident_id(text, today=today)
        except RuleBroken:
            pass
        else:
            return _resident(text, checked=True)
    number = canonical_legacy(text)
    kind = _kind(id_type, number)
    try:
        valid = check_identity(kind, number, today) == number if kind is not None else False
    except RuleBroken:
        valid = False
    has_shape = _EIGHTEEN.match(number) is not None
    if valid and has_shape and kind in _CHECKED:
        return _resident(number, checked=_FIFTEEN.match(text) is None)
    family = "checked" if kind in _CHECKED else kind.value if kind is not None else "unknown"
    return Identity(number, valid, False, family)  # noqa: FBT003


def _resident(number: str, *, checked: bool) -> Identity:
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return Identity(number, True, checked, "checked", born, "M" if number[_ORDER] in "13579" else "F")  # noqa: FBT003


def _kind(id_type: str | None, number: str) -> IdType | None:
    """The kind as it was said, unless the number can only be a resident's."""
    try:
        said = IdType(id_type or "")
    except ValueError:
        said = None
    if _EIGHTEEN.match(number) is None or said in _CHECKED - {IdType.RESIDENT_ID}:
        return said
    right = check_character(number[:17]) == number[17]
    if not right and said is not None:
        return said
    if number[:6] in {"810000", "820000"}:
        return IdType.HK_MACAO_RESIDENCE
    if number[:6] == "830000":
        return IdType.TAIWAN_RESIDENCE
    return IdType.FOREIGN_RESIDENT if number[0] == "9" else IdType.RESIDENT_ID


def mobile_of(raw: str) -> str:
    """In E.164, or the digits as they are; empty of a number that everybody types who has none."""
    try:
        number = raw if _MAINLAND.match(raw) else check_mobile(raw)
    except RuleBroken:
        text = compact(raw)
        number = "".join(mark for mark in text if mark.isdigit())
        return number if len(number) >= _FEWEST_ACCOUNT and len(set(number)) >= _FEWEST_DISTINCT else ""
    own = number[-9:]
    return "" if number in _NO_MOBILE or len(set(own)) < _FEWEST_DISTINCT else number


def email_of(raw: str) -> str:
    """In small letters, without a tag; empty of what is no address or stands for none."""
    text = "".join(unified(raw).split()).lower()
    local, at, domain = text.rpartition("@")
    local = local.partition("+")[0]
    return f"{local}@{domain}" if at and local and "." in domain and local not in _NO_MAIL else ""


def account_of(raw: str) -> str:
    """Letters and digits in capitals; empty of what is too short or too even to be a number of somebody."""
    text = compact(raw)
    text = text if text.isalnum() else "".join(mark for mark in text if mark.isalnum())
    return text if len(text) >= _FEWEST_ACCOUNT and len(set(text)) >= _FEWEST_DISTINCT else ""


@lru_cache(maxsize=65_536)
def day_of(raw: str) -> str:
    """An ISO date; empty of what is none, and of 1 January 1900, which forms fill in."""
    match = _DATE.match(raw.strip().replace("/", "-").replace(".", "-"))
    if match is None:
        return ""
    try:
        day = date(*map(int, match.groups()))
    except ValueError:
        return ""
    return "" if day == date(1900, 1, 1) else day.isoformat()


def sex_of(raw: str) -> str:
    """`F` or `M`; empty of anything else."""
    return _SEXES.get(raw.strip().upper(), "")
