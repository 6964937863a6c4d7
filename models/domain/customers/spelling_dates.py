"""Dates as books write them (日期): ISO, compact, with dots or slashes, 年月日; and validity as cards print it."""

import re
from datetime import date
from functools import lru_cache
from typing import Final

from models.domain.customers.record import LONG_TERM

_SPELLINGS: Final = (
    re.compile(r"\A([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]00:00(?::00(?:\.0+)?)?)?\Z"),
    re.compile(r"\A([0-9]{4})([0-9]{2})([0-9]{2})\Z"),
    re.compile(r"\A([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T]0?0:00(?::00)?)?\Z"),
)
_RANGE: Final = re.compile(r"\A[0-9]{4}[-/.年]?[0-9]{1,2}[-/.月]?[0-9]{1,2}日?(?:-|--|~|至|到|—|–)(.+)\Z")
_LONG_TERM: Final = frozenset(
    {"长期", "長期", "永久", "长期有效", "永久有效", "LONG-TERM", "LONGTERM", "LONG", "PERMANENT"}
)
# What systems without a word for it store instead.
_LONG_TERM_DATES: Final = frozenset({date(9999, 12, 31), date(2999, 12, 31), date(2099, 12, 31), date(9999, 9, 9)})


@lru_cache(maxsize=65_536)
def read_date(text: str) -> date | None:
    """The day, or None: the order year, month, day is the only one that needs no guess."""
    for spelling in _SPELLINGS:
        match = spelling.match(text)
        if match is not None:
            try:
                return date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                return None
    return None


@lru_cache(maxsize=65_536)
def read_validity(text: str) -> str | None:
    """Until when a document is valid (有效期至): ISO date or `long-term`; of a range its end. None: unreadable."""
    if text.upper() in _LONG_TERM:
        return LONG_TERM
    day = read_date(text)
    if day is None:
        match = _RANGE.match(text.replace(" ", ""))
        return None if match is None else read_validity(match[1])
    return LONG_TERM if day in _LONG_TERM_DATES else day.isoformat()
