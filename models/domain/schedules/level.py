"""Level rows (等额本息): the annuity over the true rate factors of the periods, and the rules that round it.

With f_k the interest of period k per unit of balance, one unit paid after each of the periods i … n is worth, at the
start of period i, w_i = (1 + w_{i+1}) / (1 + f_i), w_{n+1} = 0; the level is the balance over w (the textbook annuity
P·f / (1 − (1 + f)^−n) where all f are equal).
"""

from collections.abc import Sequence
from decimal import Decimal

from models.domain.schedules.convention import Convention, LevelRule, Remainder
from models.domain.schedules.faults import ScheduleInvalid
from models.domain.schedules.rounding import Place
from models.domain.schedules.running import Line, run_down

_MOST_STEPS = 10_000


def worths(factors: Sequence[Decimal]) -> list[Decimal]:
    """What one unit in each row from i to the end is worth at the start of row i; one entry per row."""
    worth, result = Decimal(0), []
    for factor in reversed(factors):
        worth = (1 + worth) / (1 + factor)
        result.append(worth)
    return result[::-1]


def level_lines(
    principal_minor: int,
    *,
    factors: Sequence[Decimal],
    nominal_factors: Sequence[Decimal],
    grace_rows: int,
    convention: Convention,
) -> list[Line]:
    """Rows of one balance that are equal but for the last; in the first `grace_rows` only interest is due.

    Args:
        principal_minor: the balance.
        factors: true interest of each period per unit of balance.
        nominal_factors: what the annuity formula takes each period for.
        grace_rows: rows without principal, at the start.
        convention: level rule, corrections and rounding.

    Raises:
        ScheduleInvalid: no level with the wanted last row exists.
    """
    plan = _Plan(principal_minor, factors, grace_rows, convention)
    rule = convention.level_rule
    if rule is LevelRule.RE_DERIVED:
        return plan.re_derived()
    basis = nominal_factors if rule is LevelRule.FORMULA else factors
    exact = principal_minor / worths(basis)[grace_rows]
    if convention.rounding.place is Place.TOTAL:
        return plan.at(exact)
    level = convention.rounding.level(exact)
    if rule is LevelRule.PROGRESSIVE and convention.corrections:
        return plan.corrected(level)
    if rule in (LevelRule.LAST_NOT_ABOVE, LevelRule.LAST_NOT_BELOW):
        return plan.searched(level, below=rule is LevelRule.LAST_NOT_ABOVE)
    return plan.at(Decimal(level))


class _Plan:
    def __init__(self, principal: int, factors: Sequence[Decimal], grace: int, convention: Convention) -> None:
        self._principal = principal
        self._factors = factors
        self._grace = grace
        self._rounding = convention.rounding
        self._corrections = convention.corrections
        self._remainder = convention.remainder

    def at(self, level: Decimal) -> list[Line]:
        def payer(index: int, _left: Decimal, interest: Decimal) -> Decimal:
            return Decimal(0) if index < self._grace else level - interest

        lines = run_down(self._principal, factors=self._factors, payer=payer, rounding=self._rounding)
        if self._remainder is Remainder.LAST_INTEREST:
            last = lines[-1]
            last.interest_minor = max(self._rounding.level(level) - last.principal_minor, 0)
        return lines

    def re_derived(self) -> list[Line]:
        worth = worths(self._factors)

        def payer(index: int, left: Decimal, interest: Decimal) -> Decimal:
            if index < self._grace:
                return Decimal(0)
            level = left / worth[index]
            exact = self._rounding.place is Place.TOTAL
            return (level if exact else self._rounding.level(level)) - interest

        return run_down(self._principal, factors=self._factors, payer=payer, rounding=self._rounding)

    def corrected(self, level: int) -> list[Line]:
        """Move the level by the last row's difference over the rows, as long as the difference shrinks."""
        rows = len(self._factors) - self._grace
        lines = self.at(Decimal(level))
        for _ in range(self._corrections):
            gap = lines[-1].total_minor - level
            if abs(gap) <= rows // 2:
                break
            moved = level + self._rounding.level(Decimal(abs(gap)) / rows) * (1 if gap > 0 else -1)
            attempt = self.at(Decimal(moved))
            if moved == level or abs(attempt[-1].total_minor - moved) >= abs(gap):
                break
            level, lines = moved, attempt
        return lines

    def searched(self, level: int, *, below: bool) -> list[Line]:
        """The level nearest to the annuity whose last row lies on the wanted side; it falls as the level rises."""
        step = self._rounding.level_step_minor

        def fits(candidate: int) -> bool:
            last = self.at(Decimal(candidate))[-1].total_minor
            return last <= candidate if below else last >= candidate

        inward = -step if below else step
        for _ in range(_MOST_STEPS):
            if fits(level):
                break
            level -= inward
        else:
            raise ScheduleInvalid("/convention/levelRule", "quote-no-level")
        while fits(level + inward) and level + inward > 0:
            level += inward
        return self.at(Decimal(level))
