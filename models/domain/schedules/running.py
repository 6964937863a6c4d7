"""A balance run down row by row: interest on what is left, principal as a rule says, the remainder in the last row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.domain.schedules.rounding import Place, Rounding

Payer = Callable[[int, Decimal, Decimal], Decimal]
"""(row from 0, balance before it, its interest) -> principal wanted; rounded already where rows are rounded."""


@dataclass(slots=True)
class Line:
    """One row of one balance, in minor units."""

    principal_minor: int
    interest_minor: int

    @property
    def total_minor(self) -> int:
        """Both."""
        return self.principal_minor + self.interest_minor


def run_down(principal_minor: int, *, factors: Sequence[Decimal], payer: Payer, rounding: Rounding) -> list[Line]:
    """Rows of a balance. A row pays all its interest; its principal lies between nothing and what is left.

    Args:
        principal_minor: the balance.
        factors: interest of each row per unit of balance.
        payer: the principal that the method wants of a row.
        rounding: where amounts become whole.
    """
    if rounding.place is Place.TOTAL:
        return _for_show(principal_minor, factors=factors, payer=payer, rounding=rounding)
    left = principal_minor
    lines = []
    last = len(factors) - 1
    for index, factor in enumerate(factors):
        interest = rounding.amount(left * factor)
        wanted = left if index == last else int(payer(index, Decimal(left), Decimal(interest)))
        paid = min(max(wanted, 0), left)
        lines.append(Line(paid, interest))
        left -= paid
    return lines


def _for_show(principal_minor: int, *, factors: Sequence[Decimal], payer: Payer, rounding: Rounding) -> list[Line]:
    exact, left = Decimal(principal_minor), principal_minor
    lines = []
    last = len(factors) - 1
    for index, factor in enumerate(factors):
        interest = exact * factor
        paid = min(max(payer(index, exact, interest), Decimal(0)), exact)
        shown = left if index == last else min(rounding.amount(paid), left)
        lines.append(Line(shown, rounding.amount(interest)))
        exact -= paid
        left -= shown
    return lines


def shares(total_minor: int, *, rows: int, rounding: Rounding) -> list[int]:
    """An amount in equal shares; the last takes the remainder, and none is negative."""
    return filled(total_minor, share=rounding.amount(Decimal(total_minor) / rows), rows=rows)


def filled(total_minor: int, *, share: int, rows: int) -> list[int]:
    """Shares of this size as long as something is left; the last takes the remainder."""
    left = total_minor
    result = []
    for _ in range(rows - 1):
        part = min(max(share, 0), left)
        result.append(part)
        left -= part
    return [*result, left]
