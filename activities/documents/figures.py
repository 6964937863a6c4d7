"""Amounts and rates as contracts print them; integers and decimals in, text out."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿", "万亿")
_GROUP: Final = 10_000
_RATE_STEP: Final = Decimal("0.0001")  # a hundredth of a basis point: closer than any rule asks
_SHORTEST_FRACTION: Final = 2


def percent(rate: Decimal) -> str:
    """A fraction per year as a percentage with two to four digits: `Decimal("0.126825")` is `12.6825%`."""
    whole, _, fraction = str((rate * 100).quantize(_RATE_STEP, rounding=ROUND_HALF_UP)).partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(_SHORTEST_FRACTION, '0')}%"


def amount_in_words(amount_minor: int) -> str:
    """Yuan in the characters that cannot be altered (大写金额): `107205` is `壹仟零柒拾贰元零伍分`.

    Raises:
        ValueError: negative, or ten thousand billion yuan and more.
    """
    yuan, part = divmod(amount_minor, 100)
    if amount_minor < 0 or yuan >= _GROUP ** len(_GROUPS):
        raise ValueError("an amount in words lies between nothing and 9,999 万亿")
    tenths, hundredths = divmod(part, 10)
    words = f"{_whole(yuan)}元" if yuan else ""
    if not part:
        return f"{words or '零元'}整"
    if tenths:
        words += f"{_DIGITS[tenths]}角"
    elif words:
        words += _DIGITS[0]
    return f"{words}{_DIGITS[hundredths]}分" if hundredths else f"{words}整"


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, _GROUP)
        groups.append(group)
    words = ""
    gap = False  # one 零 stands for any run of zeros between digits
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if not group:
            gap = bool(words)
            continue
        if words and (gap or group < _GROUP // 10):
            words += _DIGITS[0]
        words += _four(group) + _GROUPS[place]
        gap = False
    return words


def _four(group: int) -> str:
    words, gap = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            words += (_DIGITS[0] if gap and words else "") + _DIGITS[digit] + _PLACES[place]
            gap = False
        else:
            gap = True
    return words
