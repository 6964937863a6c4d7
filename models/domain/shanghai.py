"""The calendar of the mainland: which date an instant falls on there."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


def shanghai_date(at: datetime) -> date:
    """The date in Shanghai; the date of an act in the mainland is the one there."""
    return at.astimezone(SHANGHAI).date()
