"""Parquet files (列式文件), a batch of rows at a time, within bounds that its footer is judged by before it is read.

Text columns stay dictionaries: a long text that stands in every row lies in memory once.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from activities.support.tabular.cells import cell_text
from activities.support.tabular.rows import MOST_CELL, MOST_COLUMNS, RowSource
from models.domain.customers.faults import ROW, Fault
from models.domain.tabular.rows import ReadRow, cell_fault
from models.errors import FieldFault, FormInvalid

_ROWS: Final = 1_000
_MOST_FOOTER: Final = 8 << 20  # of strings and of lists in the footer, which is unpacked whole
_MOST_GROUP: Final = 256 << 20  # bytes of a row group, unpacked
_MOST_RATIO: Final = 500  # of a row group, unpacked to packed
_RATIO_FROM: Final = 16 << 20
_UNREADABLE: Final = (Fault(ROW, "row-unreadable"),)


class ParquetSource(RowSource):
    """One file of plain columns."""

    def __init__(self, path: Path) -> None:
        """Open it and judge its footer.

        Raises:
            FormInvalid: no Parquet file, one beyond the bounds, or columns that are no plain values: all of these.
        """
        try:
            limits = {"thrift_string_size_limit": _MOST_FOOTER, "thrift_container_size_limit": _MOST_FOOTER >> 4}
            schema = pq.read_schema(path, memory_map=False)
            texts = [field.name for field in schema if pa.types.is_string(field.type)]
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16, read_dictionary=texts, **limits)
        except Exception:  # noqa: BLE001 - whatever the parser meets in a broken file
            raise FormInvalid(faults=(FieldFault(pointer="/file", code="file-parquet"),)) from None
        faults = tuple(self._faults(path.stat().st_size))
        if faults:
            self.close()
            raise FormInvalid(faults=faults)
        self.header = [field.name for field in self._file.schema_arrow]

    def rows(self) -> Iterator[ReadRow]:
        """Every row; the line of a row is its place, from 1."""
        line = 0
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS):
                for place in range(batch.num_rows):
                    line += 1
                    yield _read_row(line, [column[place].as_py() for column in batch.columns])
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            # A broken part: what came before stands, the rest is one row with a fault.
            yield ReadRow(line + 1, (), _UNREADABLE)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _faults(self, size: int) -> Iterator[FieldFault]:
        footer = self._file.metadata
        if footer.num_columns > MOST_COLUMNS or footer.num_columns == 0:
            yield FieldFault(pointer="/file", code="file-parquet-columns", params={"limit": MOST_COLUMNS})
            return
        for number, field in enumerate(self._file.schema_arrow):
            if not _is_plain(field.type):
                yield FieldFault(pointer=f"/file/columns/{number + 1}", code="file-column-type")
        groups = [footer.row_group(number).total_byte_size for number in range(footer.num_row_groups)]
        largest = max(groups, default=0)
        if largest > _MOST_GROUP or sum(groups) > max(_RATIO_FROM, _MOST_RATIO * size):
            params: dict[str, str | int] = {"limit": _MOST_GROUP >> 20}
            yield FieldFault(pointer="/file", code="source-too-large", params=params)


def _is_plain(kind: Any) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    plain = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_decimal)
    return any(test(kind) for test in (*plain, types.is_date, types.is_timestamp, types.is_boolean, types.is_null))


def _read_row(line: int, values: list[Any]) -> ReadRow:
    texts, faults = [], []
    for place, value in enumerate(values):
        text, rule = _text(value)
        if len(text) > MOST_CELL:
            text, rule = text[:MOST_CELL], "too-long"
        if rule is not None:
            faults.append(cell_fault(place, rule))
        texts.append(text)
    return ReadRow(line, texts if any(texts) else (), tuple(faults))


def _text(value: Any) -> tuple[str, str | None]:
    """As `cell_text`, but whole numbers and decimals are exact, however long."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), None
    if isinstance(value, Decimal):
        return (f"{value:f}", None) if value.is_finite() else ("", "cell-error")
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat(), None
    if not isinstance(value, str | bool | date | None) and not math.isfinite(value):
        return str(value), "cell-error"
    return cell_text(value)
