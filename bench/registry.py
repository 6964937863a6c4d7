"""What can be measured, and how a figure stands beside its floor."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """The least that the same work could cost, measured in the same run on the same machine."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measured figure. Each bound that is given must hold.

    Attributes:
        beside: what else was measured of the same work, in words.
        at_least: for figures where more is better (events/s).
        at_most: for figures where less is better (ms).
        ratio_at_most: of `value / floor.value`, for figures where less is better.
        ratio_at_least: of `value / floor.value`, for figures where more is better.
    """

    name: str
    value: float
    unit: str
    floor: Floor | None = None
    beside: str = ""
    at_least: float | None = None
    at_most: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """How the figure stands to its floor; a machine's speed is in both."""
        return self.value / self.floor.value if self.floor is not None and self.floor.value else None

    @property
    def wanted(self) -> str:
        """The bounds in words; empty if there are none."""
        return ", ".join(
            text
            for text, bound in (
                (f"≥ {_plain(self.at_least)} {self.unit}", self.at_least),
                (f"≤ {_plain(self.at_most)} {self.unit}", self.at_most),
                (f"≤ {_plain(self.ratio_at_most)} ×", self.ratio_at_most),
                (f"≥ {_plain(self.ratio_at_least)} ×", self.ratio_at_least),
            )
            if bound is not None
        )

    @property
    def reached(self) -> bool | None:
        """Whether every bound holds; None if there is none."""
        ratio = self.ratio
        checks = [
            self.at_least is None or self.value >= self.at_least,
            self.at_most is None or self.value <= self.at_most,
            self.ratio_at_most is None or (ratio is not None and ratio <= self.ratio_at_most),
            self.ratio_at_least is None or (ratio is not None and ratio >= self.ratio_at_least),
        ]
        return all(checks) if self.wanted else None


Measurement = Callable[[float], Iterable[Figure]]  # takes the scale: 1 is the size that the targets are about

MEASUREMENTS: Final[dict[str, Measurement]] = {}


def measures(name: str) -> Callable[[Measurement], Measurement]:
    """Register a measurement under the name by which `python -m bench NAME` calls it; its docstring says what it is.

    Raises:
        ValueError: the name is taken.
    """

    def register(measurement: Measurement) -> Measurement:
        if name in MEASUREMENTS:
            raise ValueError(f"{name} is measured twice")
        MEASUREMENTS[name] = measurement
        return measurement

    return register


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"
