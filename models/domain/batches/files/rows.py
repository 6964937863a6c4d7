"""Rows of a batch file: taken, or held with all that is wrong with them. Neither shows a value when it is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

Value = str | int | date
"""Text in its one spelling, a whole number (amounts in minor units), or a day."""


class LineFault(NamedTuple):
    """One broken rule of one field (`row` for the whole line); its words are `models.texts.batch_files`."""

    field: str
    rule: str
    params: Mapping[str, str | int] = {}


DUPLICATES: Final = frozenset({"row-duplicate", "key-repeated"})
# Nothing is there that could be corrected.
HOPELESS: Final = frozenset({"row-empty", "row-unreadable", "row-oversize"})


@dataclass(frozen=True, slots=True)
class CleanRow:
    """A row that may go on. `warnings` are counted and hold nothing."""

    line: int
    values: Mapping[str, Value] = field(repr=False)
    warnings: tuple[LineFault, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A rejected row (隔离), with every fault.

    Attributes:
        texts: by field, as they were read: what a person corrects.
        cells: all cells of the line, or nothing where it could not be taken apart; then `original` is its text.
    """

    line: int
    faults: tuple[LineFault, ...]
    texts: Mapping[str, str] = field(repr=False)
    cells: Sequence[str] = field(repr=False)
    original: str = field(default="", repr=False)

    @property
    def is_duplicate(self) -> bool:
        """Whether it is held for nothing else."""
        return all(fault.rule in DUPLICATES for fault in self.faults)

    @property
    def is_correctable(self) -> bool:
        """Whether correcting it can help; else it is discarded, and handed in anew where needed."""
        return not any(fault.rule in HOPELESS for fault in self.faults)
