"""The exact interval of a share (Clopper-Pearson), in parts per million; decimals and integers only. Pure."""

from decimal import Decimal, localcontext
from typing import Final

PPM: Final = 1_000_000
_RISK: Final = Decimal("0.025")  # on either side: 95 % together
_DIGITS: Final = 40


def share_interval(hits: int, trials: int) -> tuple[int, int]:
    """Between what shares the true one lies with 95 % confidence, rounded outwards; (0, 1,000,000) of no trials.

    Raises:
        ValueError: more hits than trials.
    """
    if not 0 <= hits <= trials:
        raise ValueError("there are between none and all hits")
    if trials == 0:
        return 0, PPM
    low = 0 if hits == 0 else PPM - _upper(trials - hits, trials)
    high = PPM if hits == trials else _upper(hits, trials)
    return low, high


def _upper(hits: int, trials: int) -> int:
    """The smallest share under which so few hits or fewer would come with no more than the risk."""
    low, high = hits * PPM // trials, PPM
    while low < high:
        middle = (low + high) // 2
        if _at_most(hits, trials, middle) > _RISK:
            low = middle + 1
        else:
            high = middle
    return low


def _at_most(hits: int, trials: int, ppm: int) -> Decimal:
    """The binomial probability of `hits` or fewer."""
    if ppm == 0:
        return Decimal(1)
    if ppm == PPM:
        return Decimal(1 if hits == trials else 0)
    with localcontext() as context:
        context.prec = _DIGITS
        share, rest = Decimal(ppm) / PPM, Decimal(PPM - ppm) / PPM
        # From the largest term of the sum downwards, so that nothing below it is lost to an underflow at the start.
        term = rest**trials
        total = term
        for count in range(1, hits + 1):
            term *= Decimal(trials - count + 1) / count * share / rest
            total += term
        return total
