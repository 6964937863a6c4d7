"""Files of fixed width (定长文件): fields by place, in bytes or in characters, UTF-8 or GB18030.

A line is decoded field by field: a byte that is none of the encoding, or a character that a border of fields cuts in
two, is a fault of that field and leaves the others as they are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from activities.support.tabular.rows import MOST_LINE, MOST_ORIGINAL, RowSource
from models.domain.batches.files.layout import Layout
from models.domain.batches.files.words import WidthUnit
from models.domain.customers.faults import ROW, Fault
from models.domain.tabular.rows import ReadRow, cell_fault

_MARK: Final = b"\xef\xbb\xbf"


class FixedSource(RowSource):
    """One file; its columns are the fields of the layout, in their order."""

    def __init__(self, path: Path, layout: Layout, *, encoding: str) -> None:
        self._encoding = encoding
        self._width = layout.file.line_width
        self._in_bytes = layout.file.width_unit is WidthUnit.BYTES
        self._spans = [
            ((field.start or 1) - 1, (field.start or 1) - 1 + (field.width or 0)) for field in layout.fields.values()
        ]
        self._longest = max(end for _, end in self._spans)
        self.header = list(layout.fields)
        self._file = path.open("rb")
        if encoding == "utf-8" and self._file.read(len(_MARK)) != _MARK:
            self._file.seek(0)

    def rows(self) -> Iterator[ReadRow]:
        """Every line but blank ones."""
        number = 0
        while line := self._file.readline(MOST_LINE):
            number += 1
            if len(line) >= MOST_LINE and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = self._file.readline(MOST_LINE)
                yield ReadRow(number, (), (Fault(ROW, "row-oversize"),))
                continue
            line = line.rstrip(b"\r\n\x1a")  # old systems end a file with a mark of its own
            if line.strip():
                yield self._row(number, line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _row(self, number: int, line: bytes) -> ReadRow:
        original = line.decode(self._encoding, errors="replace")[:MOST_ORIGINAL]
        length = len(line) if self._in_bytes else len(line.decode(self._encoding, errors="replace"))
        faults: list[Fault] = []
        if (self._width is not None and length != self._width) or length > max(self._longest, self._width or 0):
            faults.append(Fault(ROW, "row-length"))
        cells = []
        for place, (start, end) in enumerate(self._spans):
            text, ok = self._cell(line, original, start, end)
            cells.append(text.strip())
            if not ok:
                faults.append(cell_fault(place, "garbled"))
        return ReadRow(number, cells, tuple(faults), original)

    def _cell(self, line: bytes, original: str, start: int, end: int) -> tuple[str, bool]:
        if not self._in_bytes:
            text = original[start:end]
            return text, "\ufffd" not in text
        part = line[start:end]
        try:
            return part.decode(self._encoding), True
        except UnicodeDecodeError:
            return part.decode(self._encoding, errors="replace"), False
