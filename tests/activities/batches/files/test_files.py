"""Batch files as files: written and read back equal in each format; hostile ones refused; bad lines told one by one."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.batches.files.reading import Cleaning
from activities.batches.files.writing import write_file
from compliance.vault.batch_quarantine import original_of, records_of, texts_of
from models.domain.bank_card import luhn_digit
from models.domain.batches.files.layout import Layout
from models.domain.batches.files.layout_files import read_layout, ready_layout
from models.domain.batches.files.rows import CleanRow, HeldRow, Value
from models.domain.resident_id import check_character
from models.errors import FormInvalid

TODAY = date(2026, 11, 23)
CSV = ready_layout("payroll-csv")
FIXED = ready_layout("payroll-fixed-gb18030")


def as_format(layout: Layout, **file: Any) -> Layout:
    document = layout.as_document()
    document["file"] |= file
    if file.get("format") == "parquet":
        del document["trailer"]
    return read_layout(document)


LAYOUTS = {
    "csv": CSV,
    "csv in GB18030": as_format(CSV, encoding="gb18030"),
    "csv, tabs, minor": as_format(CSV, delimiter="\t", amounts="minor"),
    "xlsx": as_format(CSV, format="xlsx"),
    "parquet": as_format(CSV, format="parquet"),
    "fixed": FIXED,
    "fixed in characters": as_format(FIXED, width_unit="characters"),
    "fixed in UTF-8": as_format(FIXED, encoding="utf-8"),
}


def person(number: int, name: str = "王明", amount: int = 1000) -> dict[str, Value]:
    body, card = f"110105199003{number % 28 + 1:02d}{number % 1000:03d}", f"622999{number:09d}"
    return {
        "reference": f"A{number}",
        "payeeName": name,
        "idType": "resident-id",
        "idNumber": body + check_character(body),
        "payeeAccount": card + luhn_digit(card),
        "mobile": f"+86138{number % 10**8:08d}",
        "amountMinor": amount,
        "payDate": date(2026, 11, 25),
    }


# With rare characters, which GB18030 spells in four bytes.
_NAMES = st.text(alphabet="王李张刘陈欧阳䶮㛃𠮷𬱖", min_size=2, max_size=8)
_PEOPLE = st.builds(person, st.integers(0, 10**8 - 1), _NAMES, st.integers(1, 10**12))
_ROWS = st.lists(_PEOPLE, min_size=1, max_size=8, unique_by=lambda row: row["reference"])


def cleaned(path: Path, layout: Layout) -> tuple[list[CleanRow | HeldRow], Any]:
    cleaning = Cleaning(path, layout, today=TODAY)
    rows = list(cleaning)
    return rows, cleaning.report


@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=12, deadline=None)
@given(rows=_ROWS)
def test_rows_written_are_the_rows_read(name: str, rows: list[Mapping[str, Value]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write_file(path, LAYOUTS[name], rows)
        found, report = cleaned(path, LAYOUTS[name])
    assert [dict(row.values) for row in found if isinstance(row, CleanRow)] == rows, found
    assert report.file_faults == ()
    assert report.sum_minor == sum(int(str(row["amountMinor"])) for row in rows)


def test_held_lines_become_masked_records_and_sealed_originals(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_file(path, CSV, [person(1), person(2)])
    text = path.read_text("utf-8").replace(f"{person(2)['idNumber']}", "110105199003030000")
    path.write_text(text, "utf-8")
    [_, held], report = cleaned(path, CSV)
    assert isinstance(held, HeldRow)
    [record] = records_of(held)
    assert (record.line, record.field, record.rule) == (3, "idNumber", "id-checksum")
    assert record.masked == "1" + "*" * 16 + "0"
    assert texts_of(original_of(held))["idNumber"] == "110105199003030000"
    assert report.is_conserved


MALFORMED = {
    "csv": (
        CSV,
        lambda lines: [*lines[:2], b"A2,\xff\xfe", b'"open,1', b",,,,,,,,,", *lines[2:]],
        {"row-ragged", "row-unreadable", "row-empty"},
    ),
    "fixed": (
        FIXED,
        # A name cut in two by its field's border, a short line, and bytes of no encoding.
        lambda lines: [
            lines[0],
            lines[0][:59] + "王".encode("gb18030") + lines[0][61:],
            lines[0][:100],
            lines[0][:20] + b"\xff" * 40 + lines[0][60:],
            *lines[1:],
        ],
        {"garbled", "row-length"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_lists_all_errors_and_keeps_the_good_rows(tmp_path: Path, kind: str) -> None:
    layout, spoil, rules = MALFORMED[kind]
    path = tmp_path / "a"
    write_file(path, layout, [person(1), person(2)])
    path.write_bytes(b"\n".join(spoil(path.read_bytes().splitlines())) + b"\n")
    rows, report = cleaned(path, layout)
    assert [row.values["reference"] for row in rows if isinstance(row, CleanRow)] == ["A1", "A2"]
    assert {fault.rule for row in rows if isinstance(row, HeldRow) for fault in row.faults} >= rules
    assert report.is_conserved
    assert {fault.code for fault in report.file_faults} >= {"file-count-differs"}


def test_a_formula_of_a_workbook_is_held(tmp_path: Path) -> None:
    import openpyxl

    layout, path = LAYOUTS["xlsx"], tmp_path / "a.xlsx"
    write_file(path, layout, [person(1), person(2)])
    book = openpyxl.load_workbook(path)
    book.active["B2"] = '=HYPERLINK("http://a.invalid")'  # type: ignore[index]
    book.active["D3"] = 110105199003070021  # type: ignore[index]
    book.save(path)
    rows, _ = cleaned(path, layout)
    found = [(fault.field, fault.rule) for row in rows if isinstance(row, HeldRow) for fault in row.faults]
    assert found == [("payeeName", "formula-cell"), ("idNumber", "number-lost-digits")]


def refused(path: Path, layout: Layout) -> list[tuple[str, str]]:
    with pytest.raises(FormInvalid) as found:
        Cleaning(path, layout, today=TODAY)
    return [(fault.pointer, fault.code) for fault in found.value.faults]


@pytest.mark.parametrize(("written", "said"), [("gb18030", "utf-8"), ("utf-8", "gb18030")])
@pytest.mark.parametrize("kind", ["csv", "fixed"])
def test_a_file_in_another_encoding_than_its_layout_says_is_refused(
    tmp_path: Path, kind: str, written: str, said: str
) -> None:
    path = tmp_path / "a"
    write_file(path, as_format(LAYOUTS[kind], encoding=written), [person(1), person(2)])
    found = refused(path, as_format(LAYOUTS[kind], encoding=said))
    assert found[0] == ("/file", "file-encoding")
    if said == "utf-8":
        assert ("/file/lines/2", "file-encoding-line") in found


def test_oversized_and_empty_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    assert refused(path, CSV) == [("/file", "file-empty")]
    write_file(path, CSV, [person(1), person(2)])
    assert refused(path, as_format(CSV, most_bytes=100)) == [("/file", "file-too-large")]
    with pytest.raises(FormInvalid) as found:
        cleaned(path, as_format(CSV, most_rows=1))
    assert found.value.faults[0].code == "file-too-many-rows"


def test_broken_workbooks_and_parquet_files_are_refused_in_our_words(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"PK\x03\x04 no")
    assert refused(path, LAYOUTS["xlsx"]) == [("/file", "source-workbook")]
    path.write_bytes(b"PAR1 no PAR1")
    assert refused(path, LAYOUTS["parquet"]) == [("/file", "file-parquet")]
    pq.write_table(pa.table({"a": [[1]], "b": [b"x"], "c": ["x"]}), path)
    assert refused(path, LAYOUTS["parquet"]) == [
        ("/file/columns/1", "file-column-type"),
        ("/file/columns/2", "file-column-type"),
    ]


def test_a_parquet_bomb_is_refused_by_its_footer(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"a": ["x" * 1_000_000] * 60})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 100_000
    assert refused(path, LAYOUTS["parquet"]) == [("/file", "source-too-large")]


def test_a_parquet_file_with_types_of_its_own_is_read_exactly(tmp_path: Path) -> None:
    from decimal import Decimal

    row = person(1)
    path = tmp_path / "a.parquet"
    header = {name: field.columns[0] for name, field in LAYOUTS["parquet"].fields.items() if field.columns}
    columns = {header[name]: [value] for name, value in row.items()}
    columns[header["amountMinor"]] = pa.array([Decimal("10.00")], pa.decimal128(12, 2))
    columns[header["payeeAccount"]] = [int(str(row["payeeAccount"]))]
    pq.write_table(pa.table(columns), path)
    [found], _ = cleaned(path, LAYOUTS["parquet"])
    assert isinstance(found, CleanRow), found
    assert found.values == row


def test_a_name_that_does_not_fit_its_place_is_not_cut(tmp_path: Path) -> None:
    with pytest.raises(FormInvalid):
        write_file(tmp_path / "a", FIXED, [person(1, name="王" * 21)])


_MEMORY = """
import sys
from datetime import date
from pathlib import Path
from activities.batches.files.reading import Cleaning
from models.domain.batches.files.layout_files import read_layout
import json
count = 0
for row in Cleaning(Path(sys.argv[1]), read_layout(json.loads(sys.argv[2])), today=date(2026, 11, 23)):
    count += 1
# Not `ru_maxrss`, which begins at what the process that started this one had.
status = Path("/proc/self/status").read_text()
print(count, status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["csv", "xlsx", "parquet", "fixed"])
def test_memory_is_flat_from_ten_to_a_hundred_thousand_rows(tmp_path: Path, name: str) -> None:
    """What grows is the key of each accepted row alone, about 150 bytes; the rows themselves would be 100 MB."""
    import json

    taken = []
    for count in (10_000, 100_000):
        path = tmp_path / f"{count}"
        write_file(path, LAYOUTS[name], (person(number) for number in range(count)))
        out = subprocess.run(
            [sys.executable, "-c", _MEMORY, str(path), json.dumps(LAYOUTS[name].as_document())],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        assert int(out[0]) == count
        taken.append(int(out[1]))
    print(name, taken)
    assert taken[1] - taken[0] < 32 << 10
