"""Several balances paid by one amount a row: all interest first, the rest over the balances by what each still owes.

Used where the customer's amount is given and the shares of the balances follow: a fixed amount, or segments of amounts.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from models.domain.schedules.faults import ScheduleInvalid
from models.domain.schedules.request import MAX_ROWS
from models.domain.schedules.rounding import Rounding
from models.domain.schedules.running import Line

RowTotal = Callable[[int, Sequence[int]], int]
"""(row from 0, balances before it) -> what the row comes to."""


def run_jointly(
    principals: Sequence[int], *, factors: Sequence[Sequence[Decimal]], total: RowTotal, rounding: Rounding
) -> list[list[Line]]:
    """Rows of every balance, in the order of the balances; the last row pays what is left, whatever `total` says.

    Args:
        principals: the balances.
        factors: interest of each row per unit of balance, for each balance.
        total: what a row comes to; a row always pays its interest, even where that is more.
        rounding: how interest becomes whole.
    """
    left = list(principals)
    lines: list[list[Line]] = [[] for _ in principals]
    rows = len(factors[0])
    for index in range(rows):
        interests = [rounding.amount(rest * own[index]) for rest, own in zip(left, factors, strict=True)]
        owed = sum(left)
        wanted = owed if index == rows - 1 else total(index, left) - sum(interests)
        for at, paid in enumerate(_split(min(max(wanted, 0), owed), left)):
            lines[at].append(Line(paid, interests[at]))
            left[at] -= paid
    return lines


def rows_needed(principals: Sequence[int], *, factors: Sequence[Decimal], amount_minor: int, rounding: Rounding) -> int:
    """How many rows of this amount pay the balances off, the last one being smaller or equal.

    Args:
        principals: the balances.
        factors: interest of a whole period per unit of balance, for each balance.
        amount_minor: what a row comes to.
        rounding: how interest becomes whole.

    Raises:
        ScheduleInvalid: the amount does not bring the debt down within `MAX_ROWS`; names the least that would begin to.
    """
    left = list(principals)
    first = sum(rounding.amount(rest * factor) for rest, factor in zip(left, factors, strict=True))
    for row in range(1, MAX_ROWS + 1):
        interest = sum(rounding.amount(rest * factor) for rest, factor in zip(left, factors, strict=True))
        owed = sum(left)
        if owed + interest <= amount_minor:
            return row
        if amount_minor <= interest:
            raise ScheduleInvalid("/amountMinor", "quote-amount-below-interest", min=first + 1)
        left = [rest - paid for rest, paid in zip(left, _split(amount_minor - interest, left), strict=True)]
    raise ScheduleInvalid("/amountMinor", "quote-too-many-rows", max=MAX_ROWS)


def _split(amount: int, left: Sequence[int]) -> list[int]:
    """By what each owes; what does not divide goes to the first balances that still have room."""
    owed = sum(left)
    if not owed:
        return [0] * len(left)
    parts = [amount * rest // owed for rest in left]
    missing = amount - sum(parts)
    for at, rest in enumerate(left):
        more = min(missing, rest - parts[at])
        parts[at] += more
        missing -= more
    return parts
