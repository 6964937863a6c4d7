"""Readers of foreign files: every encoding that comes, every fault told, and no file that stops them."""

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.support.tabular.csv_files import CsvSource
from activities.support.tabular.examine import examine
from activities.support.tabular.rows import MOST_CELL, MOST_LINE
from activities.support.tabular.xlsx_files import XlsxSource
from models.domain.tabular.options import FileOptions
from models.errors import FormInvalid


def read(path: Path, **options: Any) -> tuple[list[str], list[tuple[int, list[str], set[str]]]]:
    """Header and rows: line, cells, rules."""
    with CsvSource(path, FileOptions(**options), is_utf8=examine(path, b"k" * 32).is_utf8) as source:
        rows = [(row.line, list(row.cells), {fault.rule for fault in row.faults}) for row in source.rows()]
        return list(source.header), rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [["姓名", "地址"], ["王明", f"北京{delimiter}海淀"], ["𠮷田", 'a "quoted"\nline']]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path = tmp_path / "a.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    header, found = read(path)
    assert header == rows[0]
    assert [cells for _, cells, _ in found] == rows[1:]


def test_each_bad_line_is_told_and_the_good_ones_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [
        b"a,b", b"1,2", b",", b"3", b"4,5,6", b"7,\x00", b"8," + b"x" * (MOST_CELL + 1),
        b"9," + b"y" * (MOST_LINE + 10), b'"open,10', b"11,12", b"", b"13,14",
    ]  # fmt: skip
    path.write_bytes(b"\n".join(lines))
    _, found = read(path)
    assert [(line, len(cells), rules) for line, cells, rules in found] == [
        (2, 2, set()),
        (3, 0, {"row-empty"}),
        (4, 1, set()),  # its width is the mapper's to tell
        (5, 3, set()),
        (6, 2, set()),
        (7, 2, {"too-long"}),
        (8, 0, {"row-oversize"}),
        (9, 0, {"row-unreadable"}),
        (10, 2, set()),
        (12, 2, set()),
    ]


def test_a_quote_that_nothing_closes_costs_its_own_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = [f"{number},{number}" for number in range(20_000)]
    path.write_text("\n".join(["a,b", '"open,1', *good]))
    _, found = read(path)
    assert found[0][2] == {"row-unreadable"}
    assert [cells for _, cells, _ in found[1:]] == [line.split(",") for line in good]
    assert [line for line, _, _ in found] == list(range(2, 20_003))


def test_a_file_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("王明,1\n李丽,2\n")
    assert read(path, header=0) == (["1", "2"], [(1, ["王明", "1"], set()), (2, ["李丽", "2"], set())])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_bytes_come_every_one_is_read_or_the_file_is_refused(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        try:
            _, rows = read(path)
        except FormInvalid:  # there is no header in it
            return
        lines = [line for line, _, _ in rows]
        assert lines == sorted(set(lines))


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_cells_of_a_workbook_come_as_text_and_lost_digits_are_told(tmp_path: Path) -> None:
    rows = [
        ["a", "b", "c"],
        ["王明", datetime(1990, 1, 2), 13800138000],
        ["李", 6222021234567890123, 6.2220212345678901e18],
        ["张", "=1+1", "#N/A"],
        [None, None, None],
        ["赵", True, 1.5],
    ]
    with XlsxSource(workbook(tmp_path / "a.xlsx", rows), FileOptions()) as source:
        found = [
            (row.line, list(row.cells), [(fault.field, fault.rule) for fault in row.faults]) for row in source.rows()
        ]
    assert found[0] == (2, ["王明", "1990-01-02", "13800138000"], [])
    assert found[1][2] == [("#1", "number-lost-digits"), ("#2", "number-lost-digits")]
    assert found[2][2] == [("#1", "formula-cell"), ("#2", "cell-error")]
    assert found[3] == (5, [], [("row", "row-empty")])
    assert found[4] == (6, ["赵", "1", "1.5"], [])


@pytest.mark.parametrize("kind", ["no archive", "bomb", "entities", "no sheet"])
def test_a_workbook_that_is_none_or_would_burst_is_refused_before_it_is_unpacked(tmp_path: Path, kind: str) -> None:
    path, options = tmp_path / "a.xlsx", FileOptions()
    if kind == "no archive":
        path.write_bytes(b"PK no")
    elif kind == "no sheet":
        workbook(path, [["a"]])
        options = FileOptions(sheet="none")
    else:
        workbook(tmp_path / "good.xlsx", [["a"], ["1"]])
        with zipfile.ZipFile(tmp_path / "good.xlsx") as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bad:
            for part in good.infolist():
                content = good.read(part)
                if kind == "bomb" and part.filename.endswith("sheet1.xml"):
                    content += b" " * (8 << 20)
                if kind == "entities" and part.filename.endswith("workbook.xml"):
                    content = b'<!DOCTYPE x [<!ENTITY e "boom">]>' + content.partition(b"?>")[2]
                bad.writestr(part, content)
    with pytest.raises(FormInvalid):
        XlsxSource(path, options)


def test_the_digest_of_a_file_is_keyed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert examine(path, b"1" * 32).digest != examine(path, b"2" * 32).digest
