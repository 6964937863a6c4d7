"""The named conventions. A name stands for one set of choices for ever: what must change gets a new name.

`docs/conventions.md` shows each with a worked row. Names beginning with `cn-` are what we offer; the others reproduce
the published tables of other systems, so that a book taken over from one of them keeps its amounts.
"""

from dataclasses import replace
from typing import Final

from models.domain.schedules.convention import (
    Basis,
    Convention,
    FirstPeriod,
    GraceInterest,
    Holiday,
    LevelRule,
    Method,
    MonthEnd,
    Remainder,
)
from models.domain.schedules.day_count import DayCount
from models.domain.schedules.rounding import Place, Rounding, RoundingMode

_HALF_UP: Final = Rounding()
_BANKERS: Final = Rounding(mode=RoundingMode.HALF_EVEN)
_WHOLE_LEVEL: Final = Rounding(mode=RoundingMode.HALF_EVEN, level_step_minor=100)
_WHOLE_UNITS_UP: Final = Rounding(step_minor=100, level_step_minor=100)
_WHOLE_UNITS: Final = Rounding(mode=RoundingMode.HALF_EVEN, step_minor=100, level_step_minor=100)

_CN_LEVEL: Final = Convention(name="cn-level")
_FINERACT: Final = Convention(
    name="fineract-progressive-360-30",
    day_count=DayCount.ACT_360,
    rounding=_BANKERS,
    corrections=3,
)
_CUMULATIVE: Final = replace(
    _FINERACT,
    name="fineract-cumulative-annuity",
    level_rule=LevelRule.FORMULA,
    corrections=0,
    grace_interest=GraceInterest.DEFERRED,
)
_OPENCBS: Final = Convention(
    name="opencbs-annuity",
    day_count=DayCount.ACT_364,
    rounding=_BANKERS,
    level_rule=LevelRule.RE_DERIVED,
    first_period=FirstPeriod.ADDED,
    holiday=Holiday.MOVE_DUE,
)
_FSHARP: Final = Convention(
    name="fsharp-actuarial-lower-last",
    day_count=DayCount.ACT_365F,
    basis=Basis.DAILY,
    level_rule=LevelRule.LAST_NOT_ABOVE,
)

_HOUSE: Final = (
    _CN_LEVEL,
    replace(_CN_LEVEL, name="cn-level-daily-360", day_count=DayCount.ACT_360, basis=Basis.DAILY),
    replace(_CN_LEVEL, name="cn-level-daily-365", day_count=DayCount.ACT_365F, basis=Basis.DAILY),
    replace(
        _CN_LEVEL,
        name="cn-card-level",
        month_end=MonthEnd.CARD_DUE_DAY,
        day_count=DayCount.ACT_365F,
        first_period=FirstPeriod.ADDED,
    ),
    replace(_CN_LEVEL, name="cn-equal-principal", method=Method.EQUAL_PRINCIPAL),
    replace(
        _CN_LEVEL,
        name="cn-equal-principal-daily-360",
        method=Method.EQUAL_PRINCIPAL,
        day_count=DayCount.ACT_360,
        basis=Basis.DAILY,
    ),
    replace(_CN_LEVEL, name="cn-flat", method=Method.FLAT),
    replace(_CN_LEVEL, name="cn-fee", method=Method.INTEREST_FREE),
    replace(_CN_LEVEL, name="cn-interest-only", method=Method.INTEREST_ONLY),
    replace(_CN_LEVEL, name="cn-bullet", method=Method.BULLET, day_count=DayCount.ACT_360, basis=Basis.DAILY),
    replace(_CN_LEVEL, name="cn-step-up", method=Method.STEPS),
    replace(_CN_LEVEL, name="cn-custom", method=Method.CUSTOM, day_count=DayCount.ACT_365F, basis=Basis.DAILY),
    replace(_CN_LEVEL, name="cn-pause", grace_interest=GraceInterest.WAIVED, grace_extends=True),
    replace(_CN_LEVEL, name="cn-principal-first", method=Method.CUSTOM, grace_interest=GraceInterest.SPREAD),
)
_PEERS: Final = (
    _FINERACT,
    replace(_FINERACT, name="fineract-progressive-360-30-roll", month_end=MonthEnd.FIRST_OF_NEXT),
    replace(_FINERACT, name="fineract-progressive-360-actual", basis=Basis.DAILY),
    replace(_FINERACT, name="fineract-progressive-364-actual", day_count=DayCount.ACT_364, basis=Basis.DAILY),
    replace(_FINERACT, name="fineract-progressive-365-actual", day_count=DayCount.ACT_365F, basis=Basis.DAILY),
    replace(_FINERACT, name="fineract-progressive-actual-actual", day_count=DayCount.ACT_ACT_LAST, basis=Basis.DAILY),
    replace(
        _FINERACT,
        name="fineract-progressive-actual-actual-roll",
        day_count=DayCount.ACT_ACT_LAST,
        basis=Basis.DAILY,
        month_end=MonthEnd.FIRST_OF_NEXT,
    ),
    _CUMULATIVE,
    replace(_CUMULATIVE, name="fineract-cumulative-annuity-whole-level", rounding=_WHOLE_LEVEL),
    replace(
        _CUMULATIVE,
        name="fineract-cumulative-annuity-daily-365-whole-level",
        rounding=_WHOLE_LEVEL,
        day_count=DayCount.ACT_365F,
        basis=Basis.DAILY,
    ),
    replace(_CUMULATIVE, name="fineract-cumulative-equal-principal", method=Method.EQUAL_PRINCIPAL),
    replace(_CUMULATIVE, name="fineract-cumulative-flat", method=Method.FLAT),
    replace(_CUMULATIVE, name="fineract-cumulative-flat-whole-level", method=Method.FLAT, rounding=_WHOLE_LEVEL),
    _OPENCBS,
    replace(_OPENCBS, name="opencbs-annuity-whole-units", rounding=_WHOLE_UNITS),
    replace(_OPENCBS, name="opencbs-annuity-whole-units-last", rounding=_WHOLE_UNITS_UP, level_rule=LevelRule.FORMULA),
    replace(_OPENCBS, name="opencbs-fixed-principal", method=Method.EQUAL_PRINCIPAL),
    replace(_OPENCBS, name="opencbs-fixed-principal-whole-units", method=Method.EQUAL_PRINCIPAL, rounding=_WHOLE_UNITS),
    replace(_OPENCBS, name="opencbs-exotic", method=Method.CUSTOM),
    replace(_OPENCBS, name="opencbs-exotic-whole-units", method=Method.CUSTOM, rounding=_WHOLE_UNITS),
    replace(_OPENCBS, name="opencbs-flat", method=Method.FLAT),
    _FSHARP,
    replace(_FSHARP, name="fsharp-actuarial-similar-last", level_rule=LevelRule.PROGRESSIVE),
    replace(_FSHARP, name="fsharp-actuarial-higher-last", level_rule=LevelRule.LAST_NOT_BELOW),
    replace(
        _FSHARP,
        name="fsharp-actuarial-interest-down",
        rounding=Rounding(mode=RoundingMode.DOWN, level_mode=RoundingMode.UP),
    ),
    Convention(
        name="frappe-monthly",
        day_count=DayCount.ACT_365F,
        basis=Basis.DAILY,
        rounding=Rounding(level_mode=RoundingMode.UP, level_step_minor=100),
        level_rule=LevelRule.FORMULA,
    ),
    Convention(
        name="curo-us-30-360", day_count=DayCount.THIRTY_360_US, basis=Basis.DAILY, remainder=Remainder.LAST_INTEREST
    ),
    Convention(name="textbook-annuity", rounding=_HALF_UP, level_rule=LevelRule.FORMULA),
    Convention(name="textbook-annuity-exact", rounding=Rounding(place=Place.TOTAL), level_rule=LevelRule.FORMULA),
    Convention(
        name="loan-schedule-js", day_count=DayCount.ACT_ACT_LAST, basis=Basis.DAILY, level_rule=LevelRule.FORMULA
    ),
)

CONVENTIONS: Final[dict[str, Convention]] = {one.name: one for one in (*_HOUSE, *_PEERS)}
