"""Rounding as data (舍入): which way, to what step, and where: in the rate factor, in each row, or only for show."""

from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from enum import StrEnum
from typing import Final

ARITHMETIC: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)
"""All arithmetic of schedules: 34 digits leave more than 20 behind the cent of the largest amount. Entered by
`decimal.localcontext(ARITHMETIC)`, so that a caller's context never changes an amount."""


class RoundingMode(StrEnum):
    """Which way; the ways of `decimal`."""

    HALF_UP = "half-up"  # 四舍五入
    HALF_EVEN = "half-even"  # 银行家舍入
    HALF_DOWN = "half-down"
    DOWN = "down"  # 舍去
    UP = "up"  # 进位


class Place(StrEnum):
    """Where amounts are rounded.

    ROW: interest and level of each row are rounded, and the next row starts from the rounded balance.
    TOTAL: the balance is carried exactly; rows are rounded for show only, and the last row's principal closes the sum.
    """

    ROW = "row"
    TOTAL = "total"


_MODES: Final = {
    RoundingMode.HALF_UP: ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: ROUND_HALF_EVEN,
    RoundingMode.HALF_DOWN: ROUND_HALF_DOWN,
    RoundingMode.DOWN: ROUND_FLOOR,
    RoundingMode.UP: ROUND_CEILING,
}
_DECIMAL_MODES: Final = {**_MODES, RoundingMode.DOWN: ROUND_DOWN}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounding:
    """How amounts become whole.

    Attributes:
        mode: of interest, fees and shares of principal.
        step_minor: amounts are multiples of it; 1 is the minor unit itself, 10 is 角, 100 is 元.
        place: see `Place`.
        factor_digits: significant digits of every rate factor; None keeps it as exact as the arithmetic is.
        level_mode: of the level amount of a row; None means `mode`.
        level_step_minor: the level is a multiple of it.
    """

    mode: RoundingMode = RoundingMode.HALF_UP
    step_minor: int = 1
    place: Place = Place.ROW
    factor_digits: int | None = None
    level_mode: RoundingMode | None = None
    level_step_minor: int = 1

    def amount(self, value: Decimal) -> int:
        """An amount in minor units, whole."""
        return whole(value, mode=self.mode, step_minor=self.step_minor)

    def level(self, value: Decimal) -> int:
        """The level amount of a row in minor units, whole."""
        return whole(value, mode=self.level_mode or self.mode, step_minor=self.level_step_minor)

    def factor(self, value: Decimal) -> Decimal:
        """A rate factor at the precision that the convention wants."""
        if self.factor_digits is None:
            return value
        return Context(prec=self.factor_digits, rounding=_DECIMAL_MODES[self.mode]).plus(value)


def whole(value: Decimal, *, mode: RoundingMode, step_minor: int = 1) -> int:
    """`value` as a whole multiple of `step_minor`. Amounts of schedules are never negative; DOWN is towards zero."""
    if step_minor == 1:
        return int(value.to_integral_value(rounding=_MODES[mode]))
    return int((value / step_minor).to_integral_value(rounding=_MODES[mode])) * step_minor
