"""One-to-one scatterings of row numbers: an order without pattern, and distinct numbers, with nothing to remember."""

from dataclasses import dataclass
from math import gcd
from random import Random

from deploy.demo.draw import between


@dataclass(frozen=True, slots=True)
class Scatter:
    """Maps 0 … size-1 onto itself, and back."""

    size: int
    step: int
    start: int

    @classmethod
    def of(cls, rng: Random, size: int) -> "Scatter":
        """A scattering of `size` numbers; of none, an empty one."""
        if size <= 1:
            return cls(max(size, 1), 1, 0)
        while gcd(step := between(rng, size // 3 + 1, size), size) != 1:
            pass
        return cls(size, step, between(rng, 0, size - 1))

    def to(self, number: int) -> int:
        """Where a number goes."""
        return (number * self.step + self.start) % self.size

    def back(self, number: int) -> int:
        """Which number went there."""
        return (number - self.start) * pow(self.step, -1, self.size) % self.size
