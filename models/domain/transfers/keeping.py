"""How long what a job leaves behind is kept (保存期限): its sealed backups, its rows, what was said about it. Pure.

A backup of a job is a last resort, so its term is short and part of the plan. Rows, corrections and words are proof of
what was done, and are kept like any application (`models.domain.privacy.retention`, rule `application`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

KEEP_DAYS: Final = 90
MOST_KEEP_DAYS: Final = 3_660
OF_ROWS: Final = "application"  # models.domain.privacy.retention.RULES


def keep_days(plan: Mapping[str, Any]) -> int:
    """For how many days after the end of a job its backups are kept (`backup.keep_days` of the plan).

    Raises:
        ValueError: the plan says something that is no number of days.
    """
    named = plan.get("backup")
    told = named.get("keep_days", KEEP_DAYS) if isinstance(named, Mapping) else KEEP_DAYS
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= MOST_KEEP_DAYS:
        raise ValueError(f"backup.keep_days is 0 to {MOST_KEEP_DAYS} days")
    return told


def backups_until(plan: Mapping[str, Any], ended_at: datetime) -> datetime:
    """From when on the backups of a job that ended then are deleted."""
    return ended_at + timedelta(days=keep_days(plan))
