"""S13: files that somebody has made to hurt are refused, in time and in memory; each guard has a case that needs it."""

import os
import random
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from activities.support.tabular import xlsx_bounds
from activities.support.tabular.csv_files import CsvSource
from activities.support.tabular.examine import examine
from activities.support.tabular.xlsx_files import XlsxSource
from models.domain.tabular.options import FileOptions
from models.errors import FormInvalid

_DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_XXE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_HEADER = b'<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'


def good(folder: Path) -> Path:
    path = folder / "good.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["a", "b"], ["1", "王明"]):
        sheet.append(row)
    book.save(path)
    return path


def made(folder: Path, *, part: str = "", change: Callable[[bytes], bytes] = bytes) -> Path:
    """A workbook with one part changed."""
    path = folder / "a.xlsx"
    with zipfile.ZipFile(good(folder)) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for each in source.infolist():
            content = source.read(each)
            target.writestr(each.filename, change(content) if part and each.filename.endswith(part) else content)
    return path


def with_entry(folder: Path, name: str, content: bytes = b"x", *, mode: int = 0) -> Path:
    """A workbook with one more entry."""
    path = made(folder)
    entry = zipfile.ZipInfo(name)
    entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, content)
    return path


def sheet_of(rows: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        before, _, rest = content.partition(b"<sheetData>")
        return before + b"<sheetData>" + _HEADER + rows + b"</sheetData>" + rest.partition(b"</sheetData>")[2]

    return change


def prologue(dtd: bytes) -> Callable[[bytes], bytes]:
    """A document type before the root, of the root's own name, as an attacker writes it."""

    def change(content: bytes) -> bytes:
        body = content[content.index(b"?>") + 2 :] if content.startswith(b"<?xml") else content
        root = body.strip()[1:].split(b" ")[0].split(b">")[0]
        return dtd.replace(b"x", root, 1) + body

    return change


def hostile(folder: Path) -> dict[str, Path]:
    """The list."""
    megabytes = b" " * (8 << 20)
    noise = random.Random(1).randbytes(60_000).hex().encode()  # hardly compressed: the ratio tells nothing
    long_row = b'<row r="2">' + b"".join(b"<c><v>%d</v></c>" % number for number in range(700_000)) + b"</row>"
    of: dict[str, Callable[[Path], Path]] = {
        "zip bomb": lambda at: made(at, part="sheet1.xml", change=lambda content: content + b" " * (200 << 20)),
        "bomb of strings": lambda at: with_entry(at, "xl/sharedStrings.xml", megabytes),
        "bomb elsewhere": lambda at: made(at, part="styles.xml", change=lambda content: content + megabytes),
        "parent": lambda at: with_entry(at, "../../evil.xml"),
        "parent backwards": lambda at: with_entry(at, "xl\\..\\..\\evil.xml"),
        "absolute": lambda at: with_entry(at, "/etc/evil.xml"),
        "link": lambda at: with_entry(at, "xl/link.xml", b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
        "archive within": lambda at: with_entry(at, "xl/embeddings/inner.zip", good(at).read_bytes()),
        "too many entries": _crowded,
        "twice the same name": _twice,
        "entities in the workbook": lambda at: made(at, part="workbook.xml", change=prologue(_DTD)),
        "entities in the sheet": lambda at: made(at, part="sheet1.xml", change=prologue(_DTD)),
        "entities in the styles": lambda at: made(at, part="styles.xml", change=prologue(_DTD)),
        "entities in the relations": lambda at: made(at, part="workbook.xml.rels", change=prologue(_DTD)),
        "outside entity": lambda at: made(at, part="workbook.xml", change=prologue(_XXE)),
        "outside entity in the sheet": lambda at: made(at, part="sheet1.xml", change=prologue(_XXE)),
        "endless first row": lambda at: made(
            at, part="sheet1.xml", change=lambda content: sheet_of(b"")(content).replace(_HEADER, long_row + noise)
        ),
        "no archive": lambda at: _written(at, b"PK\x03\x04 no"),
    }
    made_ones = {}
    for name, make in of.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        made_ones[name] = make(place)
    return made_ones


def _crowded(folder: Path) -> Path:
    path = made(folder)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(xlsx_bounds.MOST_PARTS):
            archive.writestr(f"xl/media/{number}", b"")
    return path


def _twice(folder: Path) -> Path:
    path = made(folder)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    return path


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(content)
    return path


def test_the_workbook_that_all_of_them_are_made_of_is_read(tmp_path: Path) -> None:
    with XlsxSource(made(tmp_path), FileOptions()) as source:
        assert [list(row.cells) for row in source.rows()] == [["1", "王明"]]


def test_every_hostile_workbook_is_refused_in_time(tmp_path: Path) -> None:
    taken = {}
    for name, path in hostile(tmp_path).items():
        begun = time.thread_time()  # of this thread: what others do on the machine is not ours
        try:
            with pytest.raises(FormInvalid):
                XlsxSource(path, FileOptions())
        except BaseException:
            print(name)
            raise
        taken[name] = time.thread_time() - begun
    assert taken["zip bomb"] <= 0.1
    assert max(taken.values()) <= 3.0, taken  # half a second at rest; a busy processor is slower for each thread too


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    """195 KB that unpack to 200 MB: the highest the process ever came to is what it had before, and 50 MB at most."""
    path = made(tmp_path, part="sheet1.xml", change=lambda content: content + b" " * (200 << 20))
    assert path.stat().st_size < 256 << 10
    program = """
import resource, sys
from pathlib import Path
from activities.support.tabular.xlsx_files import XlsxSource
from models.domain.tabular.options import FileOptions
from models.errors import FormInvalid
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    XlsxSource(Path(sys.argv[1]), FileOptions())
except FormInvalid:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    grown = subprocess.run(
        [sys.executable, "-c", program, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    assert int(grown.stdout) < 50 << 10


def test_a_directory_that_lies_about_a_size_gives_no_more_than_it_said(tmp_path: Path) -> None:
    """The sheet is larger than its entry says: nothing beyond it is unpacked, and the row that is cut is a fault."""
    rows = b"".join(
        b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>x</t></is></c></row>' % (n, n) for n in range(2, 2_000)
    )
    path = made(tmp_path, part="sheet1.xml", change=sheet_of(rows))
    with zipfile.ZipFile(path) as archive:
        true = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    content = path.read_bytes().replace(true.to_bytes(4, "little"), (true // 2).to_bytes(4, "little"))
    path.write_bytes(content)
    with XlsxSource(path, FileOptions()) as source:
        found = list(source.rows())
    assert {fault.rule for fault in found[-1].faults} == {"row-unreadable"}
    assert len(found) <= 1_000


def test_a_sheet_that_says_it_is_smaller_than_it_is_loses_no_row(tmp_path: Path) -> None:
    """Some programs write a dimension that is none; the parser would stop where it ends."""
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n) for n in range(2, 500))
    path = made(tmp_path, part="sheet1.xml", change=sheet_of(rows))
    with zipfile.ZipFile(path) as archive:
        assert b'<dimension ref="A1:B2"' in archive.read("xl/worksheets/sheet1.xml")
    with XlsxSource(path, FileOptions()) as source:
        assert [row.cells[0] for row in source.rows()] == [str(number) for number in range(2, 500)]


@pytest.mark.parametrize(
    "row",
    [
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>' + random.Random(2).randbytes(5 << 20).hex().encode(),
        b'<row r="2"><c r="A2" t="inlineStr"><is><t><![CDATA[<row >]]></t></is></c></row>',
        b"<!-- <row > -->" + b'<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c></row>',
    ],
    ids=["endless", "cdata", "comment"],
)
def test_a_row_beyond_the_bounds_ends_the_reading_with_a_fault(tmp_path: Path, row: bytes) -> None:
    path = made(tmp_path, part="sheet1.xml", change=sheet_of(row))
    try:
        with XlsxSource(path, FileOptions()) as source:
            found = [fault.rule for each in source.rows() for fault in each.faults]
    except FormInvalid:
        return
    assert found == ["row-unreadable"]


def test_without_the_bounds_an_endless_row_is_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Teeth: what the parser does by itself."""
    text = random.Random(2).randbytes(5 << 20).hex().encode()
    row = b'<row r="2"><c r="A2" t="inlineStr"><is><t>' + text + b"</t></is></c></row>"
    path = made(tmp_path, part="sheet1.xml", change=sheet_of(row))
    monkeypatch.setattr(xlsx_bounds, "MOST_ROW", 1 << 40)
    with XlsxSource(path, FileOptions()) as source:
        assert [fault.rule for each in source.rows() for fault in each.faults] == ["too-long"]


def csv_rules(path: Path, content: bytes) -> list[tuple[list[str], set[str]]]:
    path.write_bytes(content)
    with CsvSource(path, FileOptions(), is_utf8=examine(path, b"k" * 32).is_utf8) as source:
        return [(list(row.cells), {fault.rule for fault in row.faults}) for row in source.rows()]


def test_a_field_of_200_kilobytes_is_a_fault_and_is_not_kept(tmp_path: Path) -> None:
    [(cells, rules)] = csv_rules(tmp_path / "a.csv", b"a,b\n1," + b"x" * 200_000 + b"\n")
    assert rules == {"row-unreadable"}
    assert cells == []


@pytest.mark.parametrize(("most", "few"), [("gb18030", "utf-8"), ("utf-8", "gb18030")])
def test_lines_in_another_encoding_are_told_and_never_read_as_other_characters(
    tmp_path: Path, most: str, few: str
) -> None:
    """UTF-8 taken for GB18030 gives Chinese characters too: 王明 becomes 鐜嬫槑, and no check of a name sees it."""
    lines = [f"{number},王明{number},北京市海淀区示范路{number}号" for number in range(200)]
    content = b"\n".join(
        ["编号,姓名,地址".encode(most), *(line.encode(few if n % 40 == 7 else most) for n, line in enumerate(lines))]
    )
    found = csv_rules(tmp_path / "a.csv", content)
    assert len(found) == 200
    for number, (cells, rules) in enumerate(found):
        if number % 40 == 7:
            assert "garbled" in rules or any("\ufffd" in cell for cell in cells), "which the mapper calls garbled"
        else:
            assert (cells, rules) == (lines[number].split(","), set())
