"""CSV files: UTF-8 with and without a mark, UTF-16, GB18030; delimiter and quoting found out or given.

Lines in another encoding than the file's are told: UTF-8 read as GB18030 gives other Chinese characters, which no check
of a name or an address would notice. A line that cannot be read is a row with a fault, never the end of the file, and
never more memory than one line.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from activities.support.tabular.encodings import encoding_of, is_utf8_by_mistake
from activities.support.tabular.rows import MOST_CELL, MOST_COLUMNS, MOST_LINE, MOST_ORIGINAL, RowSource
from models.domain.customers.faults import ROW, Fault
from models.domain.tabular.options import FileOptions
from models.domain.tabular.rows import ReadRow, cell_fault
from models.errors import FieldFault, FormInvalid

_SAMPLE_LINES: Final = 30
_SAMPLE_CHARACTERS: Final = 200_000
_DELIMITERS: Final = (",", "\t", ";", "|", "\x1f", "^", "~")
_OVERSIZE: Final = (Fault(ROW, "row-oversize"),)
_UNREADABLE: Final = (Fault(ROW, "row-unreadable"),)
_EMPTY: Final = (Fault(ROW, "row-empty"),)
_GARBLED: Final = (Fault(ROW, "garbled"),)


class CsvSource(RowSource):
    """One file, read from the front."""

    def __init__(self, path: Path, options: FileOptions, *, is_utf8: bool) -> None:
        """Open it and read the names of its columns.

        Raises:
            FormInvalid: there is no header line where one should be, or it has far too many columns.
        """
        self.encoding = options.encoding or encoding_of(path, is_utf8=is_utf8)
        self._foreign = self.encoding == "gb18030"
        codec = {"utf-8": "utf-8-sig"}.get(self.encoding, self.encoding)
        # Faulty bytes become U+FFFD, which makes the cell garbled and not the file unreadable.
        self._file = io.TextIOWrapper(path.open("rb"), encoding=codec, errors="replace", newline="")
        self.delimiter = options.delimiter or self._delimiter(options)
        self._lines = _Lines(self._file)
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, quotechar=options.quote)
        self.header = self._header(options)

    def rows(self) -> Iterator[ReadRow]:
        """Every line below the header but blank ones."""
        reader, lines, width = self._reader, self._lines, len(self.header)
        if self._first is not None:
            yield self._first
        while True:
            line = lines.start()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:  # a cell beyond any bound
                lines.back_to_second()
                yield ReadRow(line, (), _UNREADABLE, lines.first())
                continue
            if lines.oversize:
                lines.oversize = False
                yield ReadRow(line, (), _OVERSIZE)
            elif self._foreign and any(map(is_utf8_by_mistake, lines.of_record)):
                yield ReadRow(line, (), _GARBLED, lines.first())
            elif len(cells) == width and sum(map(len, cells)) <= MOST_CELL:
                yield ReadRow(line, cells) if any(cells) else ReadRow(line, (), _EMPTY)
            elif len(cells) != width and len(lines.of_record) > 1:
                # A quote that nothing closes has swallowed the lines below: they are read again, each for itself.
                lines.back_to_second()
                yield ReadRow(line, (), _UNREADABLE, lines.first())
            elif cells:
                yield _unusual(line, cells)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _header(self, options: FileOptions) -> Sequence[str]:
        self._first: ReadRow | None = None
        names: list[str] = []
        try:
            for _ in range(max(options.header, 1)):
                names = next(self._reader)
        except (StopIteration, csv.Error):
            names = []
        if not any(name.strip() for name in names) or len(names) > MOST_COLUMNS or self._lines.oversize:
            self.close()
            raise FormInvalid(faults=(FieldFault(pointer="/mapping/file/header", code="source-header"),))
        if options.header == 0:
            self._first = ReadRow(1, names)
            return [str(number) for number in range(1, len(names) + 1)]
        return [name.strip() for name in names]

    def _delimiter(self, options: FileOptions) -> str:
        """The one that gives the same number of columns, and most of them, in the first lines."""
        sample = self._file.read(_SAMPLE_CHARACTERS)
        self._file.seek(0)
        lines = sample.splitlines()[: _SAMPLE_LINES + 1]
        if len(lines) > 1 and len(sample) == _SAMPLE_CHARACTERS:
            lines.pop()
        best, delimiter = (0.0, 0), ","
        for candidate in _DELIMITERS:
            try:
                widths = [
                    len(cells) for cells in csv.reader(lines, delimiter=candidate, quotechar=options.quote) if cells
                ]
            except csv.Error:
                continue
            commonest = max(set(widths), key=widths.count, default=1)
            if commonest > 1 and (score := (widths.count(commonest) / len(widths), commonest)) > best:
                best, delimiter = score, candidate
        return delimiter


class _Lines:
    """The lines of a file, each at most `MOST_LINE` long: of a longer one nothing is kept but that there was one.

    Attributes:
        of_record: the lines of the record under way.
        oversize: one of them was longer.
    """

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._readline = file.readline
        self._again: deque[str] = deque()
        self._read = 0
        self.of_record: list[str] = []
        self.oversize = False

    def start(self) -> int:
        """A record begins; the number of its first line."""
        self.of_record.clear()
        return self._read + 1

    def first(self) -> str:
        """The beginning of the first line of the record."""
        return self.of_record[0][:MOST_ORIGINAL].rstrip("\r\n") if self.of_record else ""

    def back_to_second(self) -> None:
        """Read all lines of the record again but the first."""
        again = self.of_record[1:]
        self._again.extendleft(reversed(again))
        self._read -= len(again)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._readline(MOST_LINE)
        if not line:
            raise StopIteration
        self._read += 1
        if len(line) >= MOST_LINE and not line.endswith(("\n", "\r")):
            while line and not line.endswith(("\n", "\r")):
                line = self._readline(MOST_LINE)
            self.oversize, line = True, "\n"
            self.of_record.append(line)
            return "oversize\n"
        self.of_record.append(line)
        return line


def _unusual(line: int, cells: list[str]) -> ReadRow:
    """A row of another width, or with a cell that is too long."""
    if not any(cells):
        return ReadRow(line, (), _EMPTY)
    faults = tuple(cell_fault(place, "too-long") for place, cell in enumerate(cells) if len(cell) > MOST_CELL)
    return ReadRow(line, [cell[:MOST_CELL] for cell in cells[:MOST_COLUMNS]], faults)
