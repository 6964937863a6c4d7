"""18-digit identity numbers of GB 11643 and the numbers modelled on it.

Citizens (居民身份证), people of Hong Kong, Macao and Taiwan with a residence permit (港澳台居民居住证, prefixes 810000,
820000 and 830000) and, since December 2023, foreign permanent residents (外国人永久居留身份证, first digit 9) share one
shape: six digits of place, eight of birth date, three of sequence, one ISO 7064 MOD 11-2 check character. The 15-digit
number of before 1999 lacks the century and the check character and is upgraded.
"""

import re
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Final

from models.domain.rule_broken import RuleBroken

# Province-level codes of GB/T 2260. 71 is Taiwan by origin, on cards of people who settled on the mainland.
_PROVINCE_NUMBERS: Final = (
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71,
)  # fmt: skip
PROVINCES: Final = frozenset(str(number) for number in _PROVINCE_NUMBERS)
HONG_KONG_PREFIX: Final = "810000"
MACAO_PREFIX: Final = "820000"
TAIWAN_PREFIX: Final = "830000"
FOREIGN_PREFIX: Final = "9"
MAX_AGE_YEARS: Final = 150

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"
# Weighted sums are taken over ASCII codes; this is what "0" adds in every place.
_ASCII_ZERO: Final = ord("0") * sum(_WEIGHTS)
_EIGHTEEN: Final = re.compile(r"\A[0-9]{17}[0-9X]\Z")
_FIFTEEN: Final = re.compile(r"\A[0-9]{15}\Z")


def check_character(body: str) -> str:
    """The 18th character for 17 ASCII digits (ISO 7064 MOD 11-2, GB 11643)."""
    return _CHECK_CHARACTERS[(sum(map(mul, body.encode(), _WEIGHTS)) - _ASCII_ZERO) % 11]


def upgrade_legacy(fifteen: str) -> str:
    """The 18-digit form of a 15-digit number: century 19, check character added.

    The sequences 996 to 999, once reserved for people born before 1900, are not treated apart: nobody is that old.
    """
    body = f"{fifteen[:6]}19{fifteen[6:]}"
    return body + check_character(body)


def canonical_legacy(text: str) -> str:
    """`text` itself, or its 18-digit form if it is fifteen digits."""
    return upgrade_legacy(text) if _FIFTEEN.match(text) else text


def check_resident_id(text: str, *, today: date) -> str:
    """A citizen's number in 18 digits; 15-digit ones are upgraded.

    Args:
        text: canonical spelling (ASCII, no spaces, capital X).
        today: the day on which the birth date may not lie in the future.

    Raises:
        RuleBroken: `id-length`, `id-region`, `id-type`, `id-birth-date` or `id-checksum`.
    """
    if _EIGHTEEN.match(text) is None:
        if _FIFTEEN.match(text) is None:
            raise RuleBroken("id-length", {"lengths": "18 / 15"})
        text = upgrade_legacy(text)
    if text[:2] not in PROVINCES:
        other = _type_of_prefix(text)
        raise RuleBroken("id-region") if other is None else RuleBroken("id-type", {"expected": other})
    return _check_date_and_character(text, today)


def check_hk_macao_residence(text: str, *, today: date) -> str:
    """The number of a residence permit for people of Hong Kong and Macao (港澳居民居住证).

    Raises:
        RuleBroken: as `check_resident_id`; a place other than 810000 and 820000 is `id-region` or `id-type`.
    """
    return _check_with_prefix(text, prefixes=(HONG_KONG_PREFIX, MACAO_PREFIX), today=today)


def check_taiwan_residence(text: str, *, today: date) -> str:
    """The number of a residence permit for people of Taiwan (台湾居民居住证).

    Raises:
        RuleBroken: as `check_resident_id`; a place other than 830000 is `id-region` or `id-type`.
    """
    return _check_with_prefix(text, prefixes=(TAIWAN_PREFIX,), today=today)


def check_foreign_resident_18(text: str, *, today: date) -> str:
    """The number of a foreign permanent resident's card in the form issued since 2023-12-01.

    9, two digits of the accepting province, three of nationality (ISO 3166-1 numeric), birth date, sequence, check
    character.

    Raises:
        RuleBroken: as `check_resident_id`.
    """
    if _EIGHTEEN.match(text) is None:
        raise RuleBroken("id-length", {"lengths": "18 / 15"})
    if text[0] != FOREIGN_PREFIX:
        other = _type_of_prefix(text)
        raise RuleBroken("id-region") if other is None else RuleBroken("id-type", {"expected": other})
    if text[1:3] not in PROVINCES or text[3:6] == "000":
        raise RuleBroken("id-region")
    return _check_date_and_character(text, today)


def _check_with_prefix(text: str, *, prefixes: tuple[str, ...], today: date) -> str:
    if _EIGHTEEN.match(text) is None:
        raise RuleBroken("id-length", {"lengths": "18"})
    if text[:6] not in prefixes:
        other = _type_of_prefix(text)
        raise RuleBroken("id-region") if other is None else RuleBroken("id-type", {"expected": other})
    return _check_date_and_character(text, today)


def _check_date_and_character(text: str, today: date) -> str:
    # The checksum comes first: one mistyped digit is the usual fault, wherever it stands.
    if _CHECK_CHARACTERS[(sum(map(mul, text[:17].encode(), _WEIGHTS)) - _ASCII_ZERO) % 11] != text[17]:
        raise RuleBroken("id-checksum")
    born = _calendar_day(text[6:14])
    if born is None or born > today or (today.year - born.year >= MAX_AGE_YEARS and _is_too_old(born, today)):
        raise RuleBroken("id-birth-date", {"maxAge": MAX_AGE_YEARS})
    return text


@lru_cache(maxsize=65_536)  # more days than 150 years have; a book names each of them many times
def _calendar_day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _is_too_old(born: date, today: date) -> bool:
    return (today.year - born.year, today.month, today.day) > (MAX_AGE_YEARS, born.month, born.day)


def _type_of_prefix(text: str) -> str | None:
    """The kind of document that numbers of this beginning stand on, by its `IdType` value."""
    if text[:6] in {HONG_KONG_PREFIX, MACAO_PREFIX}:
        return "hk-macao-residence"
    if text[:6] == TAIWAN_PREFIX:
        return "taiwan-residence"
    if text[0] == FOREIGN_PREFIX:
        return "foreign-resident"
    return "resident-id" if text[:2] in PROVINCES else None
