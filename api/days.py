"""Days that a request may name: terms are worked out around them, and the ends of time have no day behind them."""

from datetime import date
from typing import Final

from models.errors import FieldFault, FormInvalid

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2199, 12, 31)


def check_day(pointer: str, day: date, *, earliest: date = EARLIEST, latest: date = LATEST) -> None:
    """Raises `FormInvalid` at `pointer` for a day that lies outside; both ends are allowed."""
    if not earliest <= day <= latest:
        params: dict[str, str | int] = {"from": earliest.isoformat(), "to": latest.isoformat()}
        raise FormInvalid(faults=(FieldFault(pointer=pointer, code="value-date", params=params),))
