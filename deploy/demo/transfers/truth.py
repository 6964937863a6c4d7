"""The truth file: who is whom. One line for each line of the transferor's file, for scoring and for corrections.

It holds what nobody may know while a job is under way; the customers in it do not exist.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    "row",
    "line",
    "person",
    "source_customer_no",
    "target_customer_no",
    "same_as_row",
    "relation",
    "relative",
    "dirt",
    "fixes",
)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class TrueRow:
    """What is true of one row.

    Attributes:
        row: counts the rows of the file from 1; `line` those of its text, where the header is 1.
        person: a number; two rows of one person have one number.
        target_customer_no: under which the acquirer knows the person already; empty if not at all.
        same_as_row: the earlier row that is the same line, or None.
        relation: how the person is like another one (`relative`) without being them.
        dirt: what was done to the row.
        fixes: of each field that has to be corrected, what is right, as a record spells it.
    """

    row: int
    line: int
    person: int
    source_customer_no: str
    target_customer_no: str = ""
    same_as_row: int | None = None
    relation: str = ""
    relative: int | None = None
    dirt: tuple[str, ...] = ()
    fixes: dict[str, str] = field(default_factory=dict)

    def as_line(self) -> list[str]:
        """As it stands in the file."""
        return [
            str(self.row),
            str(self.line),
            str(self.person),
            self.source_customer_no,
            self.target_customer_no,
            "" if self.same_as_row is None else str(self.same_as_row),
            self.relation,
            "" if self.relative is None else str(self.relative),
            ";".join(self.dirt),
            json.dumps(self.fixes, ensure_ascii=False, sort_keys=True) if self.fixes else "",
        ]


def read_truth(path: Path) -> Iterator[TrueRow]:
    """The rows of a truth file.

    Raises:
        ValueError: this is no truth file, or a line does not belong to one; names the line, never a value.
    """
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        if tuple(next(lines, ())) != COLUMNS:
            raise ValueError("line 1: this is not the header of a truth file")
        for values in lines:
            try:
                yield _read(values)
            except (ValueError, IndexError):
                raise ValueError(f"line {lines.line_num}: a value does not fit its column") from None


def _read(values: list[str]) -> TrueRow:
    row, line, person, source_no, target_no, same, relation, relative, dirt, fixes = values
    return TrueRow(
        row=int(row),
        line=int(line),
        person=int(person),
        source_customer_no=source_no,
        target_customer_no=target_no,
        same_as_row=int(same) if same else None,
        relation=relation,
        relative=int(relative) if relative else None,
        dirt=tuple(dirt.split(";")) if dirt else (),
        fixes=json.loads(fixes) if fixes else {},
    )
