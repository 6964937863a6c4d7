"""Cleaning: every fault of a row, duplicates, control totals, and figures that add up."""

from datetime import date

import pytest

from models.domain.batches.files.cleaner import Cleaner, RowChecker
from models.domain.batches.files.layout_files import ready_layout
from models.domain.batches.files.rows import CleanRow, HeldRow, LineFault
from models.domain.batches.files.totals import Totals
from models.domain.resident_id import check_character
from models.domain.tabular.rows import ReadRow
from models.errors import FormInvalid
from models.texts.batch_files import rule_fix, rule_title

TODAY = date(2026, 11, 23)
LAYOUT = ready_layout("payroll-csv")
HEADER = ["流水号", "姓名", "证件类型", "证件号码", "账号", "手机号", "实发金额", "发放日期", "备注"]
ID = (body := "11010519900307002") + check_character(body)
GOOD = ["A1", "王明", "身份证", ID, "6229990000000007", "13800138000", "1,234.50", "2026-11-25", ""]


def good(reference: str, amount: str = "10.00") -> list[str]:
    return [reference, *GOOD[1:6], amount, *GOOD[7:]]


def cleaned(rows: list[list[str]], stated: Totals | None = None) -> tuple[list[CleanRow | HeldRow], Cleaner]:
    cleaner = Cleaner(LAYOUT, HEADER, today=TODAY, stated=stated)
    found = [cleaner.take(ReadRow(line, cells)) for line, cells in enumerate(rows, start=2)]
    return [each for each in found if each is not None], cleaner


@pytest.fixture(autouse=True)
def _card() -> None:
    from models.domain.bank_card import luhn_digit

    body = "622999000000000"
    GOOD[4] = body + luhn_digit(body)


def test_a_row_comes_out_typed_and_in_one_spelling() -> None:
    [row], _ = cleaned([[*GOOD[:1], " 王 明 ", *GOOD[2:]]])
    assert isinstance(row, CleanRow)
    assert row.values == {
        "reference": "A1",
        "payeeName": "王明",
        "idType": "resident-id",
        "idNumber": ID,
        "payeeAccount": GOOD[4],
        "mobile": "+8613800138000",
        "amountMinor": 123450,
        "payDate": date(2026, 11, 25),
    }
    assert "王明" not in repr(row)


def test_every_fault_of_a_row_is_told_and_has_words() -> None:
    bad = ["", "=cmd()", "驾照", ID[:-1] + "Z", GOOD[4][:-1] + str((int(GOOD[4][-1]) + 1) % 10), "123", "1.234",
           "2027-11-25", "+1+cmd"]  # fmt: skip
    [row], _ = cleaned([bad])
    assert isinstance(row, HeldRow)
    assert {(fault.field, fault.rule) for fault in row.faults} >= {
        ("reference", "missing"),
        ("payeeName", "formula"),
        ("idType", "id-type-unknown"),
        ("payeeAccount", "card-luhn"),
        ("mobile", "mobile"),
        ("amountMinor", "amount-decimals"),
        ("payDate", "date-too-late"),
        ("note", "formula"),
    }
    for fault in row.faults:
        for locale in ("zh-CN", "en"):
            assert rule_title(fault.rule, locale)
            assert "…" not in rule_fix(fault, locale)
    assert "cmd" not in repr(row)


def test_duplicates_name_the_line_that_was_taken() -> None:
    rows, cleaner = cleaned([good("A1"), good("A2"), good("A1"), good("A2", "11.00")])
    assert [type(row) for row in rows] == [CleanRow, CleanRow, HeldRow, HeldRow]
    found = [(fault.rule, fault.params) for row in rows[2:] for fault in row.faults]  # type: ignore[union-attr]
    assert found == [("row-duplicate", {"line": 2}), ("key-repeated", {"line": 3})]
    report = cleaner.finish()
    assert (report.read, report.accepted, report.rejected, report.duplicates) == (4, 2, 2, 2)
    assert report.is_conserved


def test_a_row_that_was_held_does_not_make_its_correction_a_duplicate() -> None:
    rows, _ = cleaned([good("A1", "x"), good("A1")])
    assert [type(row) for row in rows] == [HeldRow, CleanRow]


def test_control_totals_count_rejected_rows_too() -> None:
    rows = [good("A1"), good("A2", "20.00"), [*good("A3", "30.00")[:1], "", *good("A3", "30.00")[2:]]]
    _, cleaner = cleaned([*rows, ["合计", "3", "60.00"]])
    report = cleaner.finish()
    assert report.file_faults == ()
    assert (report.sum_minor, report.accepted_minor, report.accepted) == (6000, 3000, 2)
    _, cleaner = cleaned([*rows, ["合计", "4", "61.00"]], Totals(count=3, sum_minor=5999))
    assert [(each.pointer, each.code) for each in cleaner.finish().file_faults] == [
        ("/file/trailer/count", "file-count-differs"),
        ("/file/trailer/sum", "file-sum-differs"),
        ("/stated/sum", "file-sum-differs"),
    ]


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([good("A1")], {"file-trailer-missing"}),
        (
            [good("A1"), ["合计", "1", "10.00"], good("A2")],
            {"file-trailer-not-last", "file-count-differs", "file-sum-differs"},
        ),
        ([good("A1"), ["合计", "one", "ten"]], {"file-trailer-unreadable"}),
        ([["合计", "0", "0.00"]], {"file-no-rows"}),
    ],
)
def test_a_file_that_was_cut_or_joined_is_told(rows: list[list[str]], codes: set[str]) -> None:
    _, cleaner = cleaned(rows)
    assert {each.code for each in cleaner.finish().file_faults} == codes


def test_the_report_tells_completeness_and_rules() -> None:
    rows = [good("A1"), [*good("A2")[:5], "", *good("A2")[6:]], [*good("A3")[:5], "1", *good("A3")[6:]], ["A4", "x"]]
    _, cleaner = cleaned(rows)
    document = cleaner.finish().as_document()
    assert document["fields"]["mobile"] == {
        "filled": 2, "valid": 1, "filledPermille": 500, "validPermille": 500,
    }  # fmt: skip
    assert document["rules"] == {"mobile": 1, "row-ragged": 1}
    assert document["conserved"] is True


def test_all_columns_that_are_missing_are_named() -> None:
    with pytest.raises(FormInvalid) as refused:
        Cleaner(LAYOUT, ["流水号", "姓名", "payee name", "证件号码"], today=TODAY)
    assert [(fault.pointer.split("/")[3], fault.code) for fault in refused.value.faults] == [
        ("payeeName", "file-column-twice"),
        ("idType", "file-column-missing"),
        ("payeeAccount", "file-column-missing"),
        ("amountMinor", "file-column-missing"),
        ("payDate", "file-column-missing"),
    ]


def test_a_corrected_row_is_checked_by_the_same_rules() -> None:
    [held], _ = cleaned([good("A1", "ten")])
    assert isinstance(held, HeldRow)
    checker = RowChecker(LAYOUT, today=TODAY)
    assert [fault.rule for fault in checker.check(held.texts)[1]] == ["amount-unreadable"]
    values, faults = checker.check({**held.texts, "amountMinor": "10.00"})
    assert (values["amountMinor"], faults) == (1000, [])


def test_every_rule_of_values_and_lines_has_words_in_both_languages() -> None:
    """Rules stand literally where they are raised."""
    import ast
    from pathlib import Path

    from models.domain.batches.files import amounts, cleaner, values
    from models.texts.render import has_text

    found = set()
    for module in (amounts, cleaner, values):
        tree = ast.parse(Path(module.__file__ or "").read_text("utf-8"))
        texts = {
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        }
        found |= {each for each in texts if each.startswith(("amount-", "date-", "number-", "code-", "bank-", "row-"))}
    assert {"amount-zero", "date-too-late", "row-duplicate", "row-ragged"} <= found
    for rule in found | {"row-length", "garbled", "too-long", "formula-cell", "cell-error", "missing", "card-length"}:
        for locale in ("zh-CN", "en"):
            assert any(has_text(f"{area}-fault.{rule}", locale) for area in ("batch", "record")), rule
            assert any(has_text(f"{area}-fix.{rule}", locale) for area in ("batch", "record")), rule


def test_a_list_of_codes_may_be_empty_and_a_figure_beside_the_amount_nothing() -> None:
    checker = RowChecker(LAYOUT, today=TODAY)
    said = [
        checker.check({"deductions": text})[0].get("deductions") for text in ("无", "个人所得税、社会保险", "damages")
    ]
    assert said == ["", "income-tax social-insurance", "damages"]
    assert LineFault("deductions", "code-unknown") in checker.check({"deductions": "午餐"})[1]
    values, faults = checker.check({"damagesMinor": "0", "amountMinor": "0"})
    assert values["damagesMinor"] == 0
    assert LineFault("amountMinor", "amount-zero") in faults
