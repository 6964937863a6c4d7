"""Blind indexes: a keyed digest by which an exact value is found without being stored.

The canonical form's number is part of what is digested: a changed rule gets a new number, so two forms never mix.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final

from compliance.vault.framing import framed, utf8
from compliance.vault.suites import SealingKey

CANONICAL_FORM: Final = 1
INDEX_BYTES: Final = 32
INDEX_BITS: Final = INDEX_BYTES * 8
FEWEST_BITS: Final = 4


class BlindField(StrEnum):
    """What can be found exactly. Each has a key of its own, so that equal values of two fields do not show."""

    ID_NUMBER = "id_number"  # 证件号码
    MOBILE = "mobile"  # 手机号码
    ACCOUNT = "account"  # 银行账号
    CUSTOMER_NO = "customer_no"  # 客户号


# What is digested is framed(domain, form, field, value); all but the value is worked out once.
_BEGIN: Final = {field: framed("casework.blind-index", CANONICAL_FORM, field.value) for field in BlindField}
_NOISE: Final = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff\-\u2010-\u2015\u2212().]+")
_ID_OF_15: Final = re.compile(r"\A[1-9][0-9]{14}\Z")
_CHINESE_MOBILE: Final = re.compile(r"\A(?:\+86|0086|86)?(1[3-9][0-9]{9})\Z")
_INTERNATIONAL: Final = re.compile(r"\A(?:\+|00)([1-9][0-9]{5,14})\Z")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"


def canonical(field: BlindField, value: str) -> str:
    """The one spelling of a value: NFKC, without blanks, hyphens, dots and brackets, then by field.

    ID numbers in capitals, the 15-digit form (第一代身份证) as the 18-digit one of the same card; mobiles in E.164,
    with +86 where a mainland number comes without a country code. A value of no known form is kept as it is.

    Raises:
        ValueError: nothing is left; the message does not repeat the value.
    """
    text = _plain(value)
    if not text:
        raise ValueError("an empty value cannot be indexed")
    match field:
        case BlindField.ID_NUMBER:
            return _canonical_id(text)
        case BlindField.MOBILE:
            return _canonical_mobile(text)
        case BlindField.ACCOUNT | BlindField.CUSTOMER_NO:
            return text


def blind_index(key: SealingKey, *, field: BlindField, value: str, bits: int = INDEX_BITS) -> bytes:
    """The same bytes for every spelling of one value, under a key of one tenant and one field.

    Args:
        key: the field's own key.
        field: what the value is.
        value: in any spelling.
        bits: 256 gives the whole token of 32 bytes. Fewer, where `compliance.vault.blind_plan` says how many, give a
            token that several values share; it is no prefix of the whole one, and its unused last bits are 0.

    Raises:
        ValueError: the value is empty, or no token has so many bits.
    """
    [token] = blind_indexes(key, field=field, values=[value], bits=bits)
    return token


def blind_indexes(key: SealingKey, *, field: BlindField, values: Iterable[str], bits: int = INDEX_BITS) -> list[bytes]:
    """As `blind_index` of each value, in their order.

    Raises:
        ValueError: as `blind_index`, of the first value that is empty.
    """
    if bits == INDEX_BITS:
        begin = _BEGIN[field]
    elif FEWEST_BITS <= bits < INDEX_BITS:
        begin = framed("casework.short-blind-index", CANONICAL_FORM, field.value, bits)
    else:
        raise ValueError(f"a blind index has {FEWEST_BITS} to {INDEX_BITS} bits")
    plain = [utf8(canonical(field, value)) for value in values]
    whole = key.macs([b"".join((begin, len(each).to_bytes(4), each)) for each in plain])
    return whole if bits == INDEX_BITS else [_cut(token, bits) for token in whole]


def _cut(whole: bytes, bits: int) -> bytes:
    length = -(-bits // 8)
    return (int.from_bytes(whole[:length]) >> (unused := length * 8 - bits) << unused).to_bytes(length)


def _plain(value: str) -> str:
    if value.isascii() and value.isalnum():  # nearly always: nothing to compose, nothing to take out
        return value.upper()
    # Letters that lose what stood between them may compose, and capitals may decompose: again, until nothing changes.
    for _ in range(8):
        text = _NOISE.sub("", unicodedata.normalize("NFKC", value)).upper()
        if text == value:
            break
        value = text
    return value


def _canonical_id(text: str) -> str:
    if not _ID_OF_15.match(text):
        return text
    try:
        date(1900 + int(text[6:8]), int(text[8:10]), int(text[10:12]))
    except ValueError:
        return text  # not a birth date, so no identity card
    body = f"{text[:6]}19{text[6:]}"
    return body + _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def _canonical_mobile(text: str) -> str:
    chinese = _CHINESE_MOBILE.match(text)
    if chinese is not None:
        return f"+86{chinese.group(1)}"
    international = _INTERNATIONAL.match(text)
    return f"+{international.group(1)}" if international is not None else text
