"""Opens and cleans batch files: bounds and encoding first, then row after row in flat memory."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

from activities.batches.files.fixed_files import FixedSource
from activities.batches.files.parquet_files import ParquetSource
from activities.support.tabular.csv_files import CsvSource
from activities.support.tabular.encodings import encoding_of
from activities.support.tabular.examine import examine
from activities.support.tabular.rows import RowSource
from models.domain.batches.files.cleaner import Cleaner
from models.domain.batches.files.layout import Layout
from models.domain.batches.files.report import QualityReport
from models.domain.batches.files.rows import CleanRow, HeldRow
from models.domain.batches.files.totals import Totals
from models.domain.batches.files.words import FileFormat
from models.domain.tabular.options import FileOptions
from models.errors import FieldFault, FormInvalid

_MOST_LINES_NAMED: Final = 20
_NO_KEY: Final = b"casework.batch-file.encoding-only"  # the digest is thrown away


class Cleaning:
    """The rows of a file as they come out of cleaning; when they are through, `report` tells what became of them."""

    def __init__(self, path: Path, layout: Layout, *, today: date, stated: Totals | None = None) -> None:
        """Open the file.

        Args:
            path: the file; the caller has made sure that it lies where it may.
            layout: how it is built.
            today: the business date.
            stated: control totals that came apart from the file.

        Raises:
            FormInvalid: the file cannot be read as a whole, with everything that was found; nothing of it was taken.
        """
        self._source = open_file(path, layout)
        try:
            self._cleaner = Cleaner(layout, self._source.header, today=today, stated=stated)
        except FormInvalid:
            self._source.close()
            raise
        self.report: QualityReport | None = None

    def __iter__(self) -> Iterator[CleanRow | HeldRow]:
        """Each row once, in the order of the file; called once.

        Raises:
            FormInvalid: the file holds more rows than its layout allows.
        """
        with closing(self._source):
            for row in self._source.rows():
                outcome = self._cleaner.take(row)
                if outcome is not None:
                    yield outcome
        self.report = self._cleaner.finish()


def open_file(path: Path, layout: Layout) -> RowSource:
    """The rows of a file.

    Raises:
        FormInvalid: it is too large, empty, in another encoding, or no file of its format.
    """
    size = path.stat().st_size
    if size > layout.file.most_bytes:
        raise _refused("file-too-large", limit=layout.file.most_bytes)
    if not size:
        raise _refused("file-empty")
    try:
        match layout.file.format:
            case FileFormat.PARQUET:
                return ParquetSource(path)
            case FileFormat.XLSX:
                from activities.support.tabular.xlsx_files import XlsxSource  # noqa: PLC0415 - the library is slow to load

                return XlsxSource(path, FileOptions(header=layout.file.header, sheet=layout.file.sheet))
            case FileFormat.CSV:
                encoding, is_utf8 = _encoding(path, layout)
                return CsvSource(path, _options(layout, encoding), is_utf8=is_utf8)
            case FileFormat.FIXED:
                return FixedSource(path, layout, encoding=_encoding(path, layout)[0])
    except FormInvalid as refused:
        raise FormInvalid(faults=tuple(map(_ours, refused.faults))) from None


def _options(layout: Layout, encoding: str) -> FileOptions:
    return FileOptions.model_validate(
        {
            "encoding": encoding,
            "delimiter": layout.file.delimiter,
            "quote": layout.file.quote,
            "header": layout.file.header,
        }
    )


def _encoding(path: Path, layout: Layout) -> tuple[str, bool]:
    """The encoding of the file, which is the one that its layout names, or the file is refused."""
    is_utf8 = examine(path, _NO_KEY).is_utf8
    found, wanted = encoding_of(path, is_utf8=is_utf8), layout.file.encoding
    if wanted == "auto":
        if found == "utf-16" and layout.file.format is FileFormat.FIXED:
            raise _refused("file-encoding", expected="utf-8, gb18030", found=found)
        return found, is_utf8
    if found != wanted and not _is_ascii(path):
        lines = _foreign_lines(path, wanted)
        faults = [FieldFault(pointer="/file", code="file-encoding", params={"expected": wanted, "found": found})]
        faults += [FieldFault(pointer=f"/file/lines/{line}", code="file-encoding-line") for line in lines]
        raise FormInvalid(faults=tuple(faults))
    return wanted, is_utf8


def _foreign_lines(path: Path, encoding: str) -> list[int]:
    """The first lines that are not of the encoding."""
    found = []
    with path.open("rb") as source:
        number = 0
        while line := source.readline(1 << 20):
            number += 1
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                found.append(number)
                if len(found) == _MOST_LINES_NAMED:
                    break
    return found


def _is_ascii(path: Path) -> bool:
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            if not chunk.isascii():
                return False
    return True


def _ours(fault: FieldFault) -> FieldFault:
    """The readers are those of every area: what they say of a mapping is here said of the layout."""
    pointer = fault.pointer.replace("/mapping/", "/layout/", 1).replace("/place", "/file", 1)
    return FieldFault(pointer=pointer, code=fault.code, params=fault.params)


def _refused(code: str, **params: str | int) -> FormInvalid:
    return FormInvalid(faults=(FieldFault(pointer="/file", code=code, params=dict(params)),))
