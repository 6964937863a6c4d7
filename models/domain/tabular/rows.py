"""Rows of a foreign file as readers give them, before anybody knows what their cells mean."""

from collections.abc import Sequence
from typing import NamedTuple

from models.domain.customers.faults import Fault


class ReadRow(NamedTuple):
    """One row as a reader found it: the number of its line, its cells, and what was wrong with them.

    A fault of one cell names it by its place (`#3`); who knows the columns turns that into fields.

    Attributes:
        original: the line as it stood there, of a row that could not be taken apart; empty of any other.
    """

    line: int
    cells: Sequence[str]
    faults: tuple[Fault, ...] = ()
    original: str = ""

    def __repr__(self) -> str:
        return f"ReadRow(line={self.line}, {len(self.cells)} cells, {self.faults!r})"


def cell_fault(place: int, rule: str) -> Fault:
    """A fault of the cell at `place`, from 0."""
    return Fault(f"#{place}", rule)
