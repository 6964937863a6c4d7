"""Mapping files: what is wrong is told at once; foreign columns become fields; suggestions find the columns."""

from datetime import date
from typing import Any

import pytest

from models.domain.customers.faults import Fault
from models.domain.tabular.rows import ReadRow, cell_fault
from models.domain.transfers.mapping import IDENTITY, parse_mapping, read_mapping
from models.domain.transfers.row_mapper import compile_mapping
from models.domain.transfers.suggesting import as_toml, suggest
from models.errors import FormInvalid
from tests.support.transfer_rows import HEADER, MAPPING, book

TODAY = date(2026, 11, 23)


def faults_of(text: str) -> set[tuple[str, str]]:
    with pytest.raises(FormInvalid) as refused:
        parse_mapping(text)
    return {(fault.pointer, fault.code) for fault in refused.value.faults}


def test_everything_that_is_wrong_is_told_together() -> None:
    found = faults_of(
        MAPPING.replace('column = "手机"', 'column = "手机"\nconstant = "1"')
        + '[fields.birth]\ncolumn = "x"\n[fields.nationality]\nconstant = "Mars"\n'
        + '[fields.id_valid_until]\ncolumn = "y"\ndate = "%H"\n[severity]\nno-rule = "hold"\nmobile = "loud"\n'
    )
    assert found == {
        ("/mapping/fields/mobile", "mapping-one-way"),
        ("/mapping/fields/mobile/constant", "mapping-value"),
        ("/mapping/fields", "mapping-no-such-field"),
        ("/mapping/fields/nationality/constant", "mapping-value"),
        ("/mapping/fields/id_valid_until/date", "mapping-date-format"),
        ("/mapping/severity", "mapping-no-such-rule"),
        ("/mapping/severity", "not-one-of"),
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version = ", "mapping-toml"),
        ("version = 1\nmore = 2", "unknown-field"),
        ("version = 1\n[fields.name]\ncolumn = 'a'", "mapping-field-missing"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(text: str, code: str) -> None:
    assert code in {found for _, found in faults_of(text)}


def test_what_was_parsed_is_kept_and_read_again() -> None:
    mapping = parse_mapping(MAPPING + '[severity]\nid-expired = "hold"\n')
    assert read_mapping(mapping.as_document()) == mapping


def mapped(extra: str, header: list[str], cells: list[str]) -> tuple[dict[str, str], list[Fault]]:
    """One row through a mapping of which only `extra` is of interest."""
    text = 'version = 1\n[fields.customer_no]\ncolumn = "号"\n[fields.name]\ncolumn = "号"\n'
    text += '[fields.id_type]\nconstant = "passport"\n[fields.id_number]\ncolumn = "号"\n' + extra
    values, faults = compile_mapping(parse_mapping(text), ["号", *header])(ReadRow(2, ["1", *cells]))
    return {name: value for name, value in values.items() if value not in {"1", "passport"}}, faults


@pytest.mark.parametrize(
    ("extra", "header", "cells", "expected"),
    [
        ('[fields.sex]\ncolumn = "s"\nvalues = {"01" = "M", "02" = "F"}', ["s"], ["02"], {"sex": "F"}),
        (
            '[fields.address]\ncolumns = ["省", "市", "路"]',
            ["省", "市", "路"],
            ["广东省", " 深圳市", ""],
            {"address": "广东省深圳市"},
        ),
        (
            '[fields.id_valid_until]\ncolumn = "有效"\nsplit = "-"\npart = -1',
            ["有效"],
            ["2010.01.01-2030.01.01"],
            {"id_valid_until": "2030.01.01"},
        ),
        ('[fields.birth_date]\ncolumn = "d"\ndate = "%d/%m/%Y"', ["d"], ["31/12/1990"], {"birth_date": "1990-12-31"}),
        ('[fields.birth_date]\ncolumn = "d"\ndate = "%d/%m/%Y"', ["d"], ["长期"], {"birth_date": "长期"}),
        ('[fields.nationality]\nconstant = "CHN"', [], [], {"nationality": "CHN"}),
        ('[fields.sex]\ncolumn = "s"\notherwise = "drop"\nvalues = {"1" = "M"}', ["s"], ["9"], {}),
    ],
)
def test_columns_become_fields(extra: str, header: list[str], cells: list[str], expected: dict[str, str]) -> None:
    assert mapped(extra, header, cells) == (expected, [])


def test_a_value_that_the_table_does_not_hold_holds_the_row() -> None:
    values, faults = mapped('[fields.sex]\ncolumn = "s"\nvalues = {"1" = "M"}', ["s"], ["9"])
    assert (values, faults) == ({"sex": "9"}, [Fault("sex", "value-unmapped")])


def test_a_fault_of_a_cell_is_told_of_the_field_that_it_becomes() -> None:
    mapper = compile_mapping(parse_mapping(MAPPING), list(HEADER))
    row = ReadRow(2, book(1)[0], (cell_fault(HEADER.index("卡号"), "number-lost-digits"),))
    assert mapper(row)[1] == [Fault("account", "number-lost-digits")]
    assert mapper(ReadRow(3, book(1)[0][:-1]))[1] == [Fault("row", "row-ragged")]


@pytest.mark.parametrize(
    ("header", "code"), [(HEADER[1:], "mapping-column-missing"), ((*HEADER, "姓名"), "mapping-column-twice")]
)
def test_a_column_that_is_not_there_or_twice_is_told(header: Any, code: str) -> None:
    with pytest.raises(FormInvalid) as refused:
        compile_mapping(parse_mapping(MAPPING), list(header))
    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize(
    "names",
    [
        "CUST_NO,CUST_NAME,CERT_TYPE,CERT_NO,MOBILE_NO,E-Mail,Card No,Gender,DOB,Home Address",
        "客户编号,客户名称,证件种类,身份证号码,联系电话,电子邮箱,银行卡号,性别,出生年月日,通讯地址",
    ],
)
def test_columns_are_found_by_their_names_in_both_languages(names: str) -> None:
    header = names.split(",")
    fields = (
        "customer_no",
        "name",
        "id_type",
        "id_number",
        "mobile",
        "email",
        "account",
        "sex",
        "birth_date",
        "address",
    )
    found = suggest(header, book(50), today=TODAY)
    assert {each.field: each.column for each in found} == dict(zip(fields, header, strict=True))
    assert all(each.confidence >= 900 for each in found)
    assert parse_mapping(as_toml(found, IDENTITY)).fields.keys() == set(fields)


def test_columns_without_a_telling_name_are_found_by_what_they_hold() -> None:
    rows = book(50)
    for row in rows:
        row[2] = "x"
    found = {each.field: each for each in suggest([f"c{number}" for number in range(10)], rows, today=TODAY)}
    assert {name: found[name].column for name in ("id_number", "mobile", "email", "account", "address")} == {
        "id_number": "c3", "mobile": "c4", "email": "c5", "account": "c6", "address": "c9",
    }  # fmt: skip
    assert all(each.confidence < 900 for each in found.values())


def test_a_name_that_the_values_contradict_is_told_with_little_confidence() -> None:
    header = ["客户号", "姓名", "身份证号", "手机"]
    rows = [[f"K{number}", "张三", "A", "内部转接"] for number in range(20)]
    found = {each.field: each.confidence for each in suggest(header, rows, today=TODAY)}
    assert found["mobile"] < 400
