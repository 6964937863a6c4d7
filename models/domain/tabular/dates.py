"""Dates in a format that somebody has named, as `strftime` has it."""

from datetime import date, datetime
from functools import lru_cache
from typing import Final

_SAMPLE_DAY: Final = date(1999, 12, 31)


def is_date_format(text: str) -> bool:
    """Whether a day goes through the format and comes back: it holds year, month and day."""
    try:
        return datetime.strptime(_SAMPLE_DAY.strftime(text), text).date() == _SAMPLE_DAY  # noqa: DTZ007 - a day only
    except ValueError:
        return False


@lru_cache(maxsize=16_384)
def read_day(text: str, form: str) -> str | None:
    """The day as ISO, or None where the text is none of that format."""
    try:
        return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day only
    except ValueError:
        return None
