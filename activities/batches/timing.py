"""When orders of a run may be made: before the cut-off (截止时间) of a bank day of the business date."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from models.domain.shanghai import SHANGHAI

_MIDNIGHT: Final = time(0)


def due_in_s(now: datetime, *, on: date, cut_off: time, is_bank_day: Callable[[date], bool]) -> int | None:
    """In how many seconds it is worth looking again; None: now is the time.

    Behind the cut-off, and on a day that is none of the bank's, nothing happens before the next day in Shanghai.
    Where nobody knows the calendar of the year, every day is one: nothing is held up by guess.

    Args:
        now: an instant.
        on: the tenant's business date.
        cut_off: time of day in Shanghai.
        is_bank_day: `LookupError` for a year that nobody has announced.
    """
    here = now.astimezone(SHANGHAI)
    try:
        is_open = is_bank_day(on)
    except LookupError:
        is_open = True
    if is_open and here.time() < cut_off:
        return None
    tomorrow = datetime.combine(here.date() + timedelta(days=1), _MIDNIGHT, tzinfo=SHANGHAI)
    return max(1, int((tomorrow - here).total_seconds()))
