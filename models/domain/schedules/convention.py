"""A convention (计息约定): every choice that decides an amount or a date of a schedule, as data with a name."""

from dataclasses import dataclass, field
from enum import StrEnum

from models.domain.schedules.day_count import DayCount
from models.domain.schedules.rounding import Rounding


class Method(StrEnum):
    """How the debt goes down."""

    LEVEL = "level"  # 等额本息
    EQUAL_PRINCIPAL = "equal-principal"  # 等额本金
    FLAT = "flat"  # 等本等息: interest on the original principal throughout
    INTEREST_FREE = "interest-free"  # 免息分期: equal principal, no interest; cost is the fee (手续费)
    INTEREST_ONLY = "interest-only"  # 按期付息到期还本
    BULLET = "bullet"  # 到期一次还本付息: one row
    STEPS = "steps"  # 阶梯还款: segments of equal rows
    CUSTOM = "custom"  # 协商还款: principal of each row as agreed, interest is worked out


class Basis(StrEnum):
    """What a row's interest is reckoned by."""

    PER_PERIOD = "per-period"  # a month is a twelfth of a year, however many days it has
    DAILY = "daily"  # by the days of the period, as the day count says


class LevelRule(StrEnum):
    """How the level amount of a row is found.

    FORMULA: the annuity formula with the nominal rate of a period, whatever days the periods have.
    PROGRESSIVE: the annuity of the true rate factor of every period; `corrections` tries to bring the last row nearer.
    RE_DERIVED: worked out anew before each row from what is left.
    LAST_NOT_ABOVE: the smallest level with which the last row is not above the others.
    LAST_NOT_BELOW: the largest level with which the last row is not below the others.
    """

    FORMULA = "formula"
    PROGRESSIVE = "progressive"
    RE_DERIVED = "re-derived"
    LAST_NOT_ABOVE = "last-not-above"
    LAST_NOT_BELOW = "last-not-below"


class Remainder(StrEnum):
    """Where what rounding leaves over goes: always to the last row; the number of rows never changes through rounding.

    LAST_ROW: the last row pays what is left with its full interest, so that its total differs by some cents.
    LAST_INTEREST: of level rows, the last has the same total as the others; its interest takes the difference.
    """

    LAST_ROW = "last-row"
    LAST_INTEREST = "last-interest"


class FirstPeriod(StrEnum):
    """What becomes of the days before the first whole period, where the first due date is farther away than one.

    COUNTED: the first period is simply longer; its interest stands in the first row.
    OWN_ROW: their interest is due in a row of its own, at the start of the first whole period.
    ADDED: their interest is added to the first row.
    SPREAD: their interest is spread evenly over all rows.
    WAIVED: no interest for these days.
    """

    COUNTED = "counted"
    OWN_ROW = "own-row"
    ADDED = "added"
    SPREAD = "spread"
    WAIVED = "waived"


class MonthEnd(StrEnum):
    """Where a monthly due date goes in a month that lacks its day.

    CLAMP: to the last day of the month; the day of the first date (seed) is kept for later months.
    LAST_DAY: as CLAMP, and a seed on the last day of its month stands for the last day of every month.
    FIRST_OF_NEXT: to the first day of the month after.
    CARD_DUE_DAY: all dates fall on the card's due day (还款日), clamped; the request names it.
    """

    CLAMP = "clamp"
    LAST_DAY = "last-day"
    FIRST_OF_NEXT = "first-of-next"
    CARD_DUE_DAY = "card-due-day"


class Holiday(StrEnum):
    """What moves when a date is no working day: nothing, the debit order only, or the due date itself."""

    NONE = "none"
    MOVE_DEBIT = "move-debit"
    MOVE_DUE = "move-due"


class Shift(StrEnum):
    """Which working day a date moves to."""

    NEXT = "next"
    PREVIOUS = "previous"


class GraceInterest(StrEnum):
    """What becomes of the interest of rows that ask for none.

    WAIVED: it is not charged (停息). DEFERRED: added to the first row after. SPREAD: spread evenly over the rows after.
    """

    WAIVED = "waived"
    DEFERRED = "deferred"
    SPREAD = "spread"


@dataclass(frozen=True, kw_only=True, slots=True)
class Convention:
    """How a schedule is worked out. Two schedules of the same request and convention are the same, byte for byte.

    Attributes:
        corrections: passes in which the level may be moved to bring the last row nearer to the others (PROGRESSIVE
            only); a pass is kept only if it does.
        interest_follows: with MOVE_DUE and daily interest: whether interest runs to the moved date.
        grace_extends: whether rows of grace lengthen the plan; otherwise its last date stays.
    """

    name: str
    method: Method = Method.LEVEL
    day_count: DayCount = DayCount.THIRTY_360_EU
    basis: Basis = Basis.PER_PERIOD
    rounding: Rounding = field(default_factory=Rounding)
    level_rule: LevelRule = LevelRule.PROGRESSIVE
    corrections: int = 0
    remainder: Remainder = Remainder.LAST_ROW
    first_period: FirstPeriod = FirstPeriod.COUNTED
    month_end: MonthEnd = MonthEnd.CLAMP
    holiday: Holiday = Holiday.NONE
    shift: Shift = Shift.NEXT
    interest_follows: bool = False
    grace_interest: GraceInterest = GraceInterest.WAIVED
    grace_extends: bool = False
