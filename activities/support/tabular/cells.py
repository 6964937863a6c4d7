"""Cells that come as values, as text."""

from datetime import date, datetime, time
from typing import Any, Final

EXACT_BELOW: Final = 10**15  # a spreadsheet keeps fifteen digits


def cell_text(value: Any) -> tuple[str, str | None]:
    """A cell as text, and the rule that it breaks."""
    if value is None:
        return "", None
    if isinstance(value, str):
        return value, None
    if isinstance(value, bool):
        return ("1" if value else "0"), None
    if isinstance(value, datetime):
        return (value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")), None
    if isinstance(value, date):
        return value.isoformat(), None
    if isinstance(value, int | float):
        whole = isinstance(value, int) or value.is_integer()
        if abs(value) >= EXACT_BELOW:
            return str(int(value)) if whole else str(value), "number-lost-digits"
        return (str(int(value)) if whole else repr(value)), None
    return str(value), None
