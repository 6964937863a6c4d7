"""The sums of a payroll (代发控制总数): the client's figures, the rows, the money in the funding account. Pure.

Besides, the most that may be held back from one wage as damages: 工资支付暂行规定 Art. 16 (WAGE-P16).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

COUNT: Final = "control-count"
TOTAL: Final = "control-total"
SHORT: Final = "funding-short"
ROW: Final = "row-amount"
CODES: Final = (COUNT, TOTAL, ROW, SHORT)
_PERCENT: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlTotal:
    """What the client says of a file: number of rows and their sum in minor units."""

    rows: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SumFault:
    """One figure that does not hold: `batch-sum.<code>` is the text; `rule` is who wants it."""

    code: str
    rule: str
    params: dict[str, str | int] = field(default_factory=dict)


def sum_faults(
    stated: ControlTotal, amounts_minor: Iterable[int], *, balance_minor: int | None, fee_minor: int = 0
) -> tuple[SumFault, ...]:
    """Everything that stands against a payroll's sums; nothing: it may go on.

    Args:
        stated: by the client, apart from the rows.
        amounts_minor: of the rows, each above zero.
        balance_minor: free in the funding account; None: nobody could tell, which is no cover.
        fee_minor: what the bank takes from the same account for the batch.
    """
    rows, found, empty = 0, 0, 0
    for amount in amounts_minor:
        rows, found, empty = rows + 1, found + amount, empty + (amount < 1)
    faults = []
    if rows != stated.rows:
        faults.append(SumFault(code=COUNT, rule="BATCH-SUM", params={"stated": stated.rows, "found": rows}))
    if found != stated.amount_minor:
        faults.append(SumFault(code=TOTAL, rule="BATCH-SUM", params={"stated": stated.amount_minor, "found": found}))
    if empty:
        faults.append(SumFault(code=ROW, rule="BATCH-SUM", params={"count": empty}))
    needed = max(found, stated.amount_minor) + fee_minor
    if balance_minor is None or balance_minor < needed:
        have = balance_minor or 0
        params: dict[str, str | int] = {"needed": needed, "found": have, "missing": needed - have}
        faults.append(SumFault(code=SHORT, rule="WAGE-27", params=params))
    return tuple(faults)


def most_damages_minor(*, gross_minor: int, other_deductions_minor: int, minimum_wage_minor: int, percent: int) -> int:
    """The most that may be held back from a month's wage as damages, rounded down.

    No more than `percent` of the wage, and what is paid out is never below the minimum wage of the place.

    Args:
        gross_minor: the month's wage.
        other_deductions_minor: tax, insurance and what else the law lets be deducted.
        minimum_wage_minor: of the place.
        percent: `compliance.rules.batches.wages.DAMAGES_PERCENT`.
    """
    room = gross_minor - other_deductions_minor - minimum_wage_minor
    return max(0, min(gross_minor * percent // _PERCENT, room))
