"""How the rows of a cohort are classed (客群分类): by type, by amount, by cycle. Codes, no sentences."""

from collections.abc import Sequence
from datetime import date
from typing import Final

# Upper ends of the amount bands in minor units, the figure itself included; a run may name others.
AMOUNT_BANDS: Final = (10_000, 100_000, 1_000_000)


def amount_class(amount_minor: int, bands: Sequence[int] = AMOUNT_BANDS) -> str:
    """The band that an amount falls into: `up-to-<end>`, or `above-<last end>`.

    Args:
        amount_minor: in minor units.
        bands: upper ends, ascending, at least one.
    """
    for end in bands:
        if amount_minor <= end:
            return f"up-to-{end}"
    return f"above-{bands[-1]}"


def cycle_class(day: date) -> str:
    """The cycle (账期) that a day belongs to: its month, `2026-11`."""
    return day.strftime("%Y-%m")
