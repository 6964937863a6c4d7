"""CSV files: UTF-8 with and without a mark, UTF-16, GB18030; delimiter and quoting found out or given.

Lines in another encoding than the file's are told: UTF-8 read as GB18030 gives other Chinese characters, which no check
of a name or an address would notice. A line that cannot be read is a row with a fault, never the end of the file, and
never more memory than one line.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from activities.transfers.sources.rows import MOST_CELL, MOST_COLUMNS, MOST_LINE, RowSource
from models.domain.customers.faults import ROW, Fault
from models.domain.transfers.mapping import FileOptions
from models.domain.transfers.row_mapper import ReadRow, cell_fault
from models.errors import FieldFault, FormInvalid

_SAMPLE_LINES: Final = 30
_SAMPLE_CHARACTERS: Final = 200_000
_DELIMITERS: Final = (",", "\t", ";", "|", "\x1f", "^", "~")
_OVERSIZE: Final = (Fault(ROW, "row-oversize"),)
_UNREADABLE: Final = (Fault(ROW, "row-unreadable"),)
_EMPTY: Final = (Fault(ROW, "row-empty"),)
_GARBLED: Final = (Fault(ROW, "garbled"),)
_ENCODING_SAMPLE: Final = 1 << 20
_HAN_ALONE: Final = re.compile(r"[\x00-\x7f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+\Z")


class CsvSource(RowSource):
    """One file, read from the front."""

    def __init__(self, path: Path, options: FileOptions, *, is_utf8: bool) -> None:
        """Open it and read the names of its columns.

        Raises:
            FormInvalid: there is no header line where one should be, or it has far too many columns.
        """
        self.encoding = options.encoding or _encoding_of(path, is_utf8=is_utf8)
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
                yield ReadRow(line, (), _UNREADABLE)
                continue
            if lines.oversize:
                lines.oversize = False
                yield ReadRow(line, (), _OVERSIZE)
            elif self._foreign and any(map(_is_utf8_by_mistake, lines.of_record)):
                yield ReadRow(line, (), _GARBLED)
            elif len(cells) == width and sum(map(len, cells)) <= MOST_CELL:
                yield ReadRow(line, cells) if any(cells) else ReadRow(line, (), _EMPTY)
            elif len(cells) != width and len(lines.of_record) > 1:
                # A quote that nothing closes has swallowed the lines below: they are read again, each for itself.
                lines.back_to_second()
                yield ReadRow(line, (), _UNREADABLE)
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


def _encoding_of(path: Path, *, is_utf8: bool) -> str:
    with path.open("rb") as source:
        start = source.read(_ENCODING_SAMPLE)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if is_utf8:
        return "utf-8"
    # Some line is no UTF-8: the encoding is that of most lines, and the others are told, each for itself.
    lines = [line for line in start.splitlines() if not line.isascii()]
    return "utf-8" if sum(map(_is_utf8_chinese, lines)) * 2 > len(lines) else "gb18030"


def _is_utf8_by_mistake(line: str) -> bool:
    """Whether a line that was read as GB18030 is Chinese in UTF-8: of texts that are not, hardly one in 20,000 is."""
    return not line.isascii() and _is_utf8_chinese(line.encode("gb18030", errors="replace").rstrip())


def _is_utf8_chinese(line: bytes) -> bool:
    try:
        return _HAN_ALONE.match(line.decode("utf-8")) is not None
    except UnicodeDecodeError:
        return False
