"""Workbooks (XLSX), row by row, through parsers that expand no entities, within the bounds of `xlsx_bounds`.

Dates and numbers come as text. A number with more digits than a spreadsheet keeps is a fault that says so: what stands
there is not what was typed.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.reader.excel import ExcelReader

from activities.support.tabular.cells import cell_text
from activities.support.tabular.rows import MOST_CELL, MOST_COLUMNS, RowSource
from activities.support.tabular.xlsx_bounds import MOST_UNPACKED, BoundedArchive, TooLarge
from models.domain.customers.faults import ROW, Fault
from models.domain.tabular.options import FileOptions
from models.domain.tabular.rows import ReadRow, cell_fault
from models.errors import FieldFault, FormInvalid

_MOST_BLANK: Final = 2_000  # rows without anything, one after the other
_EMPTY: Final = (Fault(ROW, "row-empty"),)

assert openpyxl.DEFUSEDXML, "workbooks are read through defusedxml, or not at all"


class XlsxSource(RowSource):
    """One sheet of a workbook."""

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Open it and read the names of its columns.

        Raises:
            FormInvalid: no workbook, one that is beyond the bounds, no such sheet, or no header.
        """
        try:
            archive = BoundedArchive(path)
            with path.open("rb") as plain:  # by its content: what a file is called says nothing
                reader = ExcelReader(plain, read_only=True, data_only=False, keep_links=False)
                reader.archive.close()
            reader.archive = archive
            reader.read()
            self._book = reader.wb
        except TooLarge:
            raise _refused("/place", "source-too-large", limit=MOST_UNPACKED >> 20) from None
        except Exception:  # noqa: BLE001 - whatever the parser meets in a broken file
            raise _refused("/place", "source-workbook") from None
        names = self._book.sheetnames
        if not names or (options.sheet is not None and options.sheet not in names):
            self.close()
            raise _refused("/mapping/file/sheet", "source-sheet")
        sheet = self._book[options.sheet or names[0]]
        sheet.reset_dimensions()  # what a sheet says of its own size is no reason to stop before its last row
        self._rows = sheet.iter_rows(max_col=MOST_COLUMNS)
        self._line = options.header
        self.header = self._header(options)

    def rows(self) -> Iterator[ReadRow]:
        """Every row below the header but blank ones at the end."""
        blank: list[int] = []
        width = len(self.header)
        while True:
            self._line += 1
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except Exception:  # noqa: BLE001 - a broken part: what came before stands, the rest is one row with a fault
                yield ReadRow(self._line, (), (Fault(ROW, "row-unreadable"),))
                return
            read = _read_row(self._line, cells, width)
            if read is None:
                blank.append(self._line)
                if len(blank) > _MOST_BLANK:  # a sheet that was formatted to its last row
                    return
                continue
            yield from (ReadRow(line, (), _EMPTY) for line in blank)
            blank.clear()
            yield read

    def close(self) -> None:
        """Close the archive."""
        self._book.close()

    def _header(self, options: FileOptions) -> Sequence[str]:
        try:
            taken = list(islice(self._rows, max(options.header, 1)))
        except Exception:  # noqa: BLE001 - as above
            taken = []
        names = [cell_text(cell.value)[0].strip() for cell in taken[-1]] if len(taken) >= max(options.header, 1) else []
        while names and not names[-1]:
            names.pop()
        if not names or options.header == 0:
            self.close()
            raise _refused("/mapping/file/header", "source-header")
        return names


def _read_row(line: int, cells: Sequence[Any], width: int) -> ReadRow | None:
    texts, faults = [], []
    for place, cell in enumerate(cells):
        text, rule = cell_text(cell.value)
        if rule is None and cell.data_type == "f":
            rule = "formula-cell"
        elif rule is None and cell.data_type == "e":
            rule = "cell-error"
        if len(text) > MOST_CELL:
            text, rule = text[:MOST_CELL], "too-long"
        if rule is not None:
            faults.append(cell_fault(place, rule))
        texts.append(text)
    while len(texts) > width and not texts[-1]:
        texts.pop()
    texts += [""] * (width - len(texts))  # cells at the end of a row that are empty are not in the file
    return ReadRow(line, texts, tuple(faults)) if any(texts) else None


def _refused(pointer: str, code: str, **params: int) -> FormInvalid:
    return FormInvalid(faults=(FieldFault(pointer=pointer, code=code, params=dict(params)),))
