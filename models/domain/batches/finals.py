"""When nothing can change an order any more (终态). Pure.

A refused, returned, withdrawn or barred order is at its end. One whose money has moved is, once the term is over within
which the money may come back: so many bank days after the day of settlement, the last of them included.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from models.domain.aftercare.clocks import monday_to_friday
from models.domain.batches.states import FinalState, OrderState

_LONGEST: Final = 60  # days; a term of returns is counted in single days
AT_END: Final = {
    OrderState.REJECTED: FinalState.REJECTED,
    OrderState.RETURNED: FinalState.RETURNED,
    OrderState.WITHDRAWN: FinalState.WITHDRAWN,
    OrderState.BARRED: FinalState.BARRED,
}


def last_return_day(settled_on: date, return_days: int, *, is_bank_day: Callable[[date], bool]) -> date:
    """The last day on which the money may come back.

    Where nobody has announced the bank days of a year, Monday to Friday count: the term then ends on the known days at
    the earliest, and a late return is booked all the same.

    Raises:
        ValueError: the term is longer than any bank's.
    """
    day, left = settled_on, return_days
    for _ in range(_LONGEST):
        if left <= 0:
            return day
        day += timedelta(days=1)
        left -= _is_open(day, is_bank_day)
    raise ValueError(return_days)


def final_of(
    state: str, settled_on: date | None, *, today: date, return_days: int, is_bank_day: Callable[[date], bool]
) -> FinalState | None:
    """The end of an order in this state on a business date; None: it may still change."""
    known = OrderState(state)
    if known is OrderState.SETTLED and settled_on is not None:
        over = today > last_return_day(settled_on, return_days, is_bank_day=is_bank_day)
        return FinalState.SETTLED if over else None
    return AT_END.get(known)


def _is_open(day: date, is_bank_day: Callable[[date], bool]) -> bool:
    try:
        return is_bank_day(day)
    except LookupError:
        return monday_to_friday(day)
