"""Writes rows in the shape of a layout: templates, generated files, and rows that go back to their sender.

Text that a spreadsheet could take for a formula gets an apostrophe before it (CSV, XLSX).
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from models.domain.batches.files.amounts import write_amount
from models.domain.batches.files.layout import Layout, LayoutField, Place
from models.domain.batches.files.rows import Value
from models.domain.batches.files.words import AmountUnit, FieldKind, FileFormat, WidthUnit
from models.domain.spreadsheets import neutral
from models.errors import FieldFault, FormInvalid

_CHUNK: Final = 1_000
_NUMERIC: Final = frozenset({FieldKind.AMOUNT, FieldKind.NUMBER})


def write_file(path: Path, layout: Layout, rows: Iterable[Mapping[str, Value]]) -> None:
    """Header where the format has one, the rows, and the trailer where the layout has one.

    Raises:
        FormInvalid: fixed width: a value does not fit its place, or the encoding lacks a character of it.
    """
    match layout.file.format:
        case FileFormat.CSV:
            with path.open("w", encoding=_encoding(layout), newline="") as target:
                writer = csv.writer(target, delimiter=layout.file.delimiter or ",", quotechar=layout.file.quote)
                writer.writerows([neutral(cell) for cell in cells] for cells in _lines(layout, rows))
        case FileFormat.XLSX:
            _write_xlsx(path, layout, rows)
        case FileFormat.PARQUET:
            _write_parquet(path, layout, rows)
        case FileFormat.FIXED:
            _write_fixed(path, layout, rows)


def _encoding(layout: Layout) -> str:
    return "utf-8" if layout.file.encoding == "auto" else layout.file.encoding


def text_of(field: LayoutField, value: Value | None, unit: AmountUnit) -> str:
    """A value as the field's column writes it."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime(field.formats[0]) if field.formats else value.isoformat()
    if field.kind is FieldKind.AMOUNT and isinstance(value, int):
        return write_amount(value, unit)
    theirs = {ours: theirs for theirs, ours in (field.values or {}).items()}
    return theirs.get(str(value), str(value))


def _header(layout: Layout) -> list[str]:
    return [field.columns[0] if field.columns else name for name, field in layout.fields.items()]


def _lines(layout: Layout, rows: Iterable[Mapping[str, Value]]) -> Iterator[list[str]]:
    if layout.file.header:
        yield from ([""] * len(layout.fields) for _ in range(layout.file.header - 1))
        yield _header(layout)
    count = total = 0
    for row in rows:
        count, total = count + 1, total + _amount(layout, row)
        yield [text_of(field, row.get(name), layout.file.amounts) for name, field in layout.fields.items()]
    trailer = layout.trailer
    if trailer is not None:
        places = _controls(layout, count, total)
        cells = {place.cell or 1: text for place, text in places}
        yield [trailer.mark, *(cells.get(at, "") for at in range(2, max(cells) + 1))]


def _controls(layout: Layout, count: int, total: int) -> list[tuple[Place, str]]:
    trailer = layout.trailer
    given = [] if trailer is None else [(trailer.count, str(count)), (trailer.sum, _sum(layout, total))]
    return [(place, text) for place, text in given if place is not None]


def _sum(layout: Layout, total: int) -> str:
    return write_amount(total, layout.file.amounts)


def _amount(layout: Layout, row: Mapping[str, Value]) -> int:
    value = row.get(layout.total_field or "")
    return value if isinstance(value, int) else 0


def _write_xlsx(path: Path, layout: Layout, rows: Iterable[Mapping[str, Value]]) -> None:
    import openpyxl  # noqa: PLC0415 - the library is slow to load

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(layout.file.sheet)
    for cells in _lines(layout, rows):
        sheet.append([neutral(cell) for cell in cells])
    book.save(path)


def _write_parquet(path: Path, layout: Layout, rows: Iterable[Mapping[str, Value]]) -> None:
    schema = pa.schema([(name, pa.string()) for name in _header(layout)])
    with pq.ParquetWriter(path, schema) as writer:
        chunk: list[list[str]] = []

        def flush() -> None:
            columns: list[Any] = [pa.array(list(column)) for column in zip(*chunk, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))
            chunk.clear()

        for row in rows:
            chunk.append([text_of(each, row.get(name), layout.file.amounts) for name, each in layout.fields.items()])
            if len(chunk) == _CHUNK:
                flush()
        if chunk:
            flush()


def _write_fixed(path: Path, layout: Layout, rows: Iterable[Mapping[str, Value]]) -> None:
    shape = layout.file
    ends = [(each.start or 1) - 1 + (each.width or 0) for each in layout.fields.values()]
    width = shape.line_width or max(ends)
    in_bytes, encoding = shape.width_unit is WidthUnit.BYTES, _encoding(layout)
    count = total = 0
    with path.open("wb") as target:
        for row in rows:
            count, total = count + 1, total + _amount(layout, row)
            parts = [
                ((each.start or 1), each.width or 0, text_of(each, row.get(name), shape.amounts), each.kind in _NUMERIC)
                for name, each in layout.fields.items()
            ]
            target.write(_fixed(parts, width, encoding, in_bytes=in_bytes) + b"\n")
        if layout.trailer is not None:
            parts = [(1, len(layout.trailer.mark), layout.trailer.mark, False)]
            parts += [(p.start or 1, p.width or 0, text, True) for p, text in _controls(layout, count, total)]
            target.write(_fixed(parts, width, encoding, in_bytes=in_bytes) + b"\n")


def _fixed(parts: list[tuple[int, int, str, bool]], width: int, encoding: str, *, in_bytes: bool) -> bytes:
    line: list[bytes] = [b" "] * width
    for start, room, text, numeric in parts:
        units = _units(text, encoding, in_bytes=in_bytes)
        if len(units) > room:
            raise FormInvalid(faults=(FieldFault(pointer=f"/rows/{start}", code="too-long", params={"limit": room}),))
        units = [b" "] * (room - len(units)) + units if numeric else units + [b" "] * (room - len(units))
        line[start - 1 : start - 1 + room] = units
    return b"".join(line)


def _units(text: str, encoding: str, *, in_bytes: bool) -> list[bytes]:
    if in_bytes:
        return [bytes([byte]) for byte in text.encode(encoding)]
    return [character.encode(encoding) for character in text]
