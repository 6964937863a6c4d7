"""Addresses (地址) as they are compared: numerals, names of units and of provinces in one spelling.

Small on purpose: an address never decides alone (docs/matching.md), so a directory of places is not worth its weight.
"""

import re
from functools import lru_cache
from typing import Final

from models.domain.matching.variants import unified

_DIGITS: Final = {"〇": 0, "两": 2} | {mark: value for value, mark in enumerate("零一二三四五六七八九")}
_UNITS: Final = "号栋幢座室房层楼单元弄巷门户组队排期区"
_NUMERAL: Final = re.compile(rf"[零〇一二两三四五六七八九十百]+(?=[{_UNITS}])")
_NOISE: Final = re.compile(r"[^0-9A-Z\u3400-\u9fff]+")
_CLEAN: Final = re.compile(r"[0-9A-Z\u3400-\u9fff]+")
# Characters without one of which there is nothing to look for, what is looked for, and the word for it.
_SAME: Final = (
    (frozenset("楼幢座"), re.compile(r"(?:号楼|幢|座|栋楼)"), "栋"),
    (frozenset("房室"), re.compile(r"(?:房间|房|号室)"), "室"),
    (frozenset("楼"), re.compile(r"(?<=\d)楼"), "层"),
    (frozenset("院门"), re.compile(r"(?<=\d)(?:院|门牌)"), "号"),
)
_BETWEEN_WORDS: Final = re.compile(r"-(?!\d)|(?<!\d)-")
_NUMERALS: Final = frozenset("零〇一二两三四五六七八九十百")
_OF_STATE: Final = re.compile(r"(?:特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|自治州|自治县|地区|省|市)")
_WORDS_BEFORE_NUMBER: Final = re.compile(r"([\u3400-\u9fff]+)(?=\d)")
_ROAD: Final = re.compile(r"(?:大道|大街|胡同|路|街|道|巷|弄|村|里|苑|园)+$")
_NUMBERS: Final = re.compile(r"\d+")
_LATIN: Final = re.compile(r"[A-Z]+")
_KEPT: Final = 2  # characters of the road's own name


def _numeral(match: re.Match[str]) -> str:
    """Chinese numerals up to 999 as digits; digit by digit where they stand so (五〇二)."""
    text = match.group()
    if not re.search("[十百]", text):
        return "".join(str(_DIGITS[mark]) for mark in text)
    total, last = 0, 0
    for mark in text:
        if mark == "百":
            total, last = total + (last or 1) * 100, 0
        elif mark == "十":
            total, last = total + (last or 1) * 10, 0
        else:
            last = _DIGITS[mark]
    return str(total + last)


@lru_cache(maxsize=32_768)
def canonical_address(raw: str) -> str:
    """One spelling of an address, without the words that only say what kind of place a name is."""
    text = unified(raw).upper()
    held = set(text)
    if not held.isdisjoint(_NUMERALS):
        text = _NUMERAL.sub(_numeral, text)
    if _CLEAN.fullmatch(text) is None:
        text = _NOISE.sub("-", text).strip("-")
    for marks, pattern, word in _SAME:
        if not held.isdisjoint(marks):
            text = pattern.sub(word, text)
    text = _OF_STATE.sub("", text)
    return _BETWEEN_WORDS.sub("", text) if "-" in text else text


@lru_cache(maxsize=32_768)
def address_core(canonical: str) -> str:
    """What is left of an address whoever writes it: the end of the road's name, and the numbers in order.

    Empty where there is no number: a village alone would hold half a county together.
    """
    numbers = _NUMBERS.findall(canonical)
    if not numbers:
        return ""
    found = _WORDS_BEFORE_NUMBER.search(canonical)
    road = _ROAD.sub("", found.group(1))[-_KEPT:] if found else "".join(_LATIN.findall(canonical))
    return f"{road}|{'.'.join(number.lstrip('0') or '0' for number in numbers)}"
