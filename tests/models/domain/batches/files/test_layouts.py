"""Layouts: every mistake of one is told at once, with place and fix."""

import pytest

from models.domain.batches.files.amounts import read_amount, write_amount
from models.domain.batches.files.layout_files import READY, parse_layout, ready_layout
from models.domain.batches.files.words import AmountUnit
from models.errors import FormInvalid
from models.texts.render import has_text

WRONG = """
version = 1
name = "wrong"
kind = "payroll"
unique = ["nobody"]
total = "payeeName"
[file]
format = "fixed"
line_width = 30
[trailer]
mark = "T"
sum = { cell = 3 }
[fields.payeeName]
kind = "name"
start = 1
width = 20
[fields.amountMinor]
kind = "amount"
start = 20
width = 15
[fields.payDate]
kind = "date"
columns = ["日期"]
formats = ["%Y%m"]
[fields.idNumber]
kind = "id-number"
start = 15
width = 18
[fields.fee]
kind = "code"
start = 40
width = 2
least = 3
most = 2
"""


def refused(text: str) -> set[tuple[str, str]]:
    with pytest.raises(FormInvalid) as found:
        parse_layout(text)
    for fault in found.value.faults:
        assert has_text(f"field.{fault.code}", "zh-CN"), fault.code
    return {(fault.pointer, fault.code) for fault in found.value.faults}


def test_all_that_is_wrong_with_a_layout_is_told_at_once() -> None:
    assert refused(WRONG) == {
        ("/layout/unique/0", "layout-no-such-field"),
        ("/layout/total", "layout-total"),
        ("/layout/trailer/sum", "layout-place"),
        ("/layout/fields/payDate", "layout-place"),
        ("/layout/fields/payDate/formats/0", "layout-date-format"),
        ("/layout/fields/idNumber/id_type", "layout-id-type"),
        ("/layout/fields/idNumber/start", "layout-overlap"),
        ("/layout/fields/idNumber/width", "layout-beyond-line"),
        ("/layout/fields/amountMinor/start", "layout-overlap"),
        ("/layout/fields/amountMinor/width", "layout-beyond-line"),
        ("/layout/fields/fee/codes", "layout-codes"),
        ("/layout/fields/fee/least", "layout-bounds"),
        ("/layout/fields/fee/width", "layout-beyond-line"),
    }


def test_what_is_no_toml_or_holds_unknown_words_is_refused() -> None:
    assert refused("version = ") == {("/layout", "layout-toml")}
    assert ("/layout/colour", "unknown-field") in refused(WRONG.replace("version = 1", "version = 1\ncolour = 1"))


@pytest.mark.parametrize("name", READY)
def test_layouts_that_come_ready_are_whole(name: str) -> None:
    layout = ready_layout(name)
    assert layout.name == name
    assert layout.total_field is not None
    assert set(layout.titles) == {"zh-CN", "en"}


@pytest.mark.parametrize(
    ("text", "unit", "minor", "rule"),
    [
        ("1,234.56", "yuan", 123456, None),
        ("¥ 1234.5", "yuan", 123450, None),
        ("１２元", "yuan", 1200, None),
        ("12.3400", "yuan", 1234, None),
        ("12.345", "yuan", None, "amount-decimals"),
        ("1,23.45", "yuan", None, "amount-unreadable"),
        ("-5", "yuan", None, "amount-negative"),
        ("(5.00)", "yuan", None, "amount-unreadable"),
        ("0.00", "yuan", None, "amount-zero"),
        ("1.2E+10", "yuan", None, "number-lost-digits"),
        ("=1+1", "yuan", None, "formula"),
        ("000000000012345", "minor", 12345, None),
        ("123.45", "minor", None, "amount-decimals"),
        ("9" * 19, "minor", None, "amount-too-large"),
    ],
)
def test_amounts_are_exact_or_refused(text: str, unit: str, minor: int | None, rule: str | None) -> None:
    assert read_amount(text, AmountUnit(unit)) == (minor, rule)
    if minor is not None:
        assert read_amount(write_amount(minor, AmountUnit(unit)), AmountUnit(unit)) == (minor, None)
