"""The rate at which a series of flows is worth nothing today: a bracket first, then Newton steps kept inside it.

Everything is solved for the force `x = ln(1 + i)` of one period, since every `x` is a lawful rate and the present value
is then a sum of exponentials; by Descartes' rule for such sums, one change of sign means exactly one rate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import Final

WORKING_DIGITS: Final = 40
"""Digits carried while solving; answers are good to about thirty."""
_TOLERANCE: Final = Decimal("1e-17")  # a Newton step doubles the digits: after one this small, some 34 are right
_STEPS: Final = 400
_WIDEST: Final = 12  # brackets grow to |x| = 2 ** 12 periods of natural growth, beyond any loan
_SCAN: Final = tuple(Decimal("1e-5") * Decimal("1.35") ** k for k in range(44))  # 0.001 % to 4 e-folds a period
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_TWO: Final = Decimal(2)

_Valuation = Callable[[Decimal], tuple[Decimal, Decimal]]


class NoRateReason(StrEnum):
    """Why flows have no rate."""

    ONE_SIDED = "one-sided"  # nothing is received, or nothing is paid, or both on one day
    NO_ROOT = "no-root"  # no rate makes the two sides equal
    SEVERAL_ROOTS = "several-roots"  # more than one does, so none can be shown as the rate


class NoRate(ValueError):
    """The flows have no rate that could be shown; `reason` says why."""

    def __init__(self, reason: NoRateReason) -> None:
        """Keep the reason; no amounts, since errors go to logs."""
        super().__init__(f"no rate: {reason}")
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One flow in time.

    Attributes:
        amount: signed, any unit.
        whole: whole periods from the first flow.
        stub: part of a period after them, compounded like them (European rule).
        odd: part of a period after them on which interest is simple (rule of Regulation Z).
    """

    amount: Decimal
    whole: int
    stub: Decimal = _ZERO
    odd: Decimal = _ZERO

    @property
    def time(self) -> Decimal:
        """Periods from the first flow."""
        return self.whole + self.stub + self.odd


def period_rate(terms: Sequence[Term]) -> Decimal:
    """The rate of one period, as a fraction, at which the terms are worth nothing at the start.

    Raises:
        NoRate: the flows are one-sided, or no rate or several rates fit.
    """
    with localcontext(Context(prec=WORKING_DIGITS)):
        ordered = _by_time(terms)
        signs = [1 if term.amount > 0 else -1 for term in ordered]
        changes = _changes_of_sign(signs)
        if changes == 0:
            raise NoRate(NoRateReason.ONE_SIDED)
        if not _value_at(ordered, _ZERO)[0] and changes == 1:
            return _ZERO

        def value(x: Decimal) -> tuple[Decimal, Decimal]:
            return _value_at(ordered, x)

        low, high = _bracket_one(value, signs[0]) if changes == 1 else _bracket_many(value, ordered)
        return _newton(value, low, high).exp() - _ONE


def present_value(terms: Sequence[Term], rate: Decimal) -> Decimal:
    """What the terms are worth at the start at this rate a period, in the unit of their amounts."""
    with localcontext(Context(prec=WORKING_DIGITS)):
        return _value_at(list(terms), (_ONE + rate).ln())[0]


def _changes_of_sign(signs: Sequence[int]) -> int:
    return sum(1 for one, two in pairwise(signs) if one != two)


def _by_time(terms: Sequence[Term]) -> list[Term]:
    """One term for each point in time with a net amount; only equal points are merged."""
    points: dict[tuple[int, Decimal, Decimal], Decimal] = {}
    for term in terms:
        key = (term.whole, term.stub, term.odd)
        points[key] = points.get(key, _ZERO) + term.amount
    kept = [
        Term(amount=amount, whole=whole, stub=stub, odd=odd) for (whole, stub, odd), amount in points.items() if amount
    ]
    return sorted(kept, key=lambda term: term.time)


def _value_at(terms: Sequence[Term], x: Decimal) -> tuple[Decimal, Decimal]:
    """Present value at force `x`, and its slope."""
    growth = x.exp()
    discount = _ONE / growth
    value = slope = _ZERO
    at, so_far = 0, _ONE  # terms stand in order, so each power is a step from the one before
    for term in terms:
        if term.whole != at:
            so_far *= discount if term.whole == at + 1 else discount ** (term.whole - at)
            at = term.whole
        worth = term.amount * so_far
        speed = Decimal(term.whole)
        if term.stub:
            worth *= (-term.stub * x).exp()
            speed += term.stub
        if term.odd:
            divisor = _ONE + term.odd * (growth - _ONE)
            worth /= divisor
            speed += term.odd * growth / divisor
        value += worth
        slope -= speed * worth
    return value, slope


def _bracket_one(value: _Valuation, first: int) -> tuple[Decimal, Decimal]:
    """For one change of sign: far enough up the first flow decides the sign, far enough down the last one does."""
    upwards = (value(_ZERO)[0] > 0) != (first > 0)
    near = _ZERO
    for power in range(-4, _WIDEST + 1):
        far = _TWO**power if upwards else -(_TWO**power)
        if ((value(far)[0] > 0) == (first > 0)) == upwards:
            return (near, far) if upwards else (far, near)
        near = far
    raise NoRate(NoRateReason.NO_ROOT)


def _bracket_many(value: _Valuation, terms: Sequence[Term]) -> tuple[Decimal, Decimal]:
    """For several changes of sign: Norstrom's rule proves one positive rate; otherwise look, and insist on one."""
    running = _ZERO
    balance = []
    for term in terms:
        running += term.amount
        balance.append(1 if running > 0 else -1 if running < 0 else 0)
    if balance[-1] and _changes_of_sign([sign for sign in balance if sign]) == 1:
        return _bracket_one(value, balance[0])
    points = [-x for x in reversed(_SCAN)] + [_ZERO, *_SCAN]
    worths = [value(x)[0] for x in points]
    found = [
        (points[k], points[k + 1])
        for k in range(len(points) - 1)
        if (worths[k] > 0) != (worths[k + 1] > 0)
    ]  # fmt: skip
    if not found:
        raise NoRate(NoRateReason.NO_ROOT)
    if len(found) > 1:
        raise NoRate(NoRateReason.SEVERAL_ROOTS)
    return found[0]


def _newton(value: _Valuation, low: Decimal, high: Decimal) -> Decimal:
    """Newton steps; one that leaves the bracket, or has no slope, is replaced by halving, so the end is certain."""
    low_positive = value(low)[0] > 0
    x = (low + high) / 2
    for _ in range(_STEPS):
        worth, slope = value(x)
        if not worth:
            return x
        if (worth > 0) == low_positive:
            low = x
        else:
            high = x
        if slope and abs(worth) <= abs(slope) * _TOLERANCE:
            return x - worth / slope
        following = x - worth / slope if slope else low
        x = following if low < following < high else (low + high) / 2
    return x
