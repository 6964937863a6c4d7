"""Records in one spelling: what is mended, what is told, and that spelling twice is spelling once."""

from datetime import date
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.domain.customers.countries import ALPHA_3, country_code
from models.domain.customers.faults import SEVERITIES, Fault, Severity, severity_of
from models.domain.customers.record import FIELDS, canonical_record
from models.domain.customers.uscc import check_uscc, uscc_character
from models.domain.customers.validity import check_record
from models.domain.rule_broken import RuleBroken
from models.texts.render import LOCALES, has_text

TODAY: Final = date(2026, 11, 23)
_TEXT: Final = st.text(max_size=40) | st.text(alphabet="0129AXZ年月日/. :+男女中国长期-·王Ａ", max_size=24)


def spelled(field: str, value: str) -> tuple[str | None, set[str]]:
    """One field's spelling, and the rules that it breaks."""
    found = check_record({field: value}, today=TODAY)
    return found.values.get(field), {fault.rule for fault in found.faults if fault.field == field} - {"missing"}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("name", " 王 小明 ", "王小明"),
        ("name", "买买提.艾合买提", "买买提.艾合买提"),
        ("name", "阿不都•热合曼", "阿不都·热合曼"),
        ("name", "Ａｎｎａ  Smith", "Anna Smith"),
        ("name", "𠮷田𪚥", "𠮷田𪚥"),
        ("mobile", "138-0013 8000", "+8613800138000"),
        ("mobile", "+852 9123 4567", "+85291234567"),
        ("email", " Li.Ming@Example.COM ", "Li.Ming@example.com"),
        ("account", "6229 9900 0000 0000 20", None),
        ("sex", "女", "F"),
        ("sex", "1", "M"),
        ("birth_date", "1990年1月2日", "1990-01-02"),
        ("birth_date", "19900102", "1990-01-02"),
        ("id_valid_until", "2010.01.01-2030.01.01", "2030-01-01"),
        ("id_valid_until", "长期", "long-term"),
        ("id_valid_until", "99991231", "long-term"),
        ("nationality", "中国", "CHN"),
        ("nationality", "us", "USA"),
        ("nationality", "344", "HKG"),
        ("postcode", "１０００８０", "100080"),
        ("language", "English", "en"),
        ("id_type", "居民身份证", "resident-id"),
        ("customer_no", "k-01", "K-01"),
    ],
)
def test_spellings_of_one_value_become_one(field: str, value: str, expected: str | None) -> None:
    found, rules = spelled(field, value)
    if expected is not None:
        assert (found, rules) == (expected, set())


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", "测试", "name-placeholder"),
        ("name", "王", "name-length"),
        ("name", "王3", "name-characters"),
        ("name", "\ue863明", "name-private-use"),
        ("name", "锟斤拷", "garbled"),
        ("name", "王\x00明", "nul-bytes"),
        ("name", "=1+1", "formula"),
        ("occupation", "@SUM(A1)", "formula"),
        ("account", "6.2220212345679E+18", "number-lost-digits"),
        ("id_number", "1.10105E+17", "number-lost-digits"),
        ("account", "6229990000000054", "card-luhn"),
        ("account", "1234", "account-length"),
        ("mobile", "12012345678", "mobile"),
        ("email", "a@b", "email"),
        ("email", "a..b@example.com", "email"),
        ("birth_date", "1990-02-30", "date-unreadable"),
        ("birth_date", "2030-01-01", "birth-date-future"),
        ("birth_date", "01/02/1990", "date-unreadable"),
        ("id_valid_until", "2020-01-01", "id-expired"),
        ("id_valid_until", "2090-01-01", "id-valid-too-far"),
        ("nationality", "火星", "nationality-unknown"),
        ("sex", "X", "sex-unknown"),
        ("address", "北京", "address-short"),
        ("address", "北京海淀中关大厦", "address-coarse"),
        ("address", "x" * 401, "too-long"),
        ("postcode", "12345", "postcode"),
        ("employer_uscc", "91110108MA01ABCD1", "uscc-length"),
        ("customer_no", "K 1", "customer-no"),
        ("id_type", "会员卡", "id-type-unknown"),
    ],
)
def test_each_rule_is_told_by_its_name(field: str, value: str, rule: str) -> None:
    assert spelled(field, value)[1] == {rule}


def test_what_two_fields_say_of_each_other_is_held_against_the_number() -> None:
    values = {
        "customer_no": "1", "name": "张三", "id_type": "resident-id", "id_number": "11010519491231002X",
        "sex": "M", "birth_date": "1949-12-30", "nationality": "USA",
    }  # fmt: skip
    faults = set(check_record(values, today=TODAY).faults)
    assert faults == {
        Fault("sex", "sex-contradicts-id"),
        Fault("birth_date", "birth-date-contradicts-id"),
        Fault("nationality", "nationality-contradicts-id"),
    }


def test_a_credit_code_of_the_public_register_passes_and_one_wrong_character_does_not() -> None:
    real = "91350100M000100Y43"  # the example of GB 32100-2015
    assert check_uscc(real) == real
    for place in range(18):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if other != real[place]:
                with pytest.raises(RuleBroken):
                    check_uscc(real[:place] + other + real[place + 1 :])
    assert uscc_character(real[:17]) == "3"


def test_countries_are_those_of_the_standard() -> None:
    assert len(ALPHA_3) == 249
    assert {country_code(code) for code in ALPHA_3} == ALPHA_3


@example({"customer_no": "", "name": "", "id_number": "H\u00a8"})  # a blank goes, and what is left composes
@given(st.dictionaries(st.sampled_from(FIELDS), _TEXT, max_size=len(FIELDS)))
def test_spelling_twice_is_spelling_once_whatever_comes_in(values: dict[str, str]) -> None:
    first = check_record(values, today=TODAY)
    second = check_record(first.values, today=TODAY)
    assert second.values == first.values
    assert canonical_record(first.values) == canonical_record(second.values)


@given(st.dictionaries(st.sampled_from(FIELDS), _TEXT, max_size=len(FIELDS)))
def test_a_fault_never_repeats_what_was_read(values: dict[str, str]) -> None:
    for fault in check_record(values, today=TODAY).faults:
        assert fault.field in {*FIELDS, "row"}
        assert fault.rule in SEVERITIES


def test_a_job_can_ask_for_more_and_never_for_less() -> None:
    assert severity_of("id-expired", {"id-expired": "hold"}) is Severity.HOLD
    assert severity_of("mobile", {"mobile": "warn"}) is Severity.HOLD
    assert severity_of("of-a-newer-version") is Severity.HOLD


def test_each_rule_says_what_is_wrong_and_what_to_do_in_both_languages() -> None:
    for locale in LOCALES:
        for rule in SEVERITIES:
            assert has_text(f"record-fault.{rule}", locale), rule
            assert has_text(f"record-fix.{rule}", locale), rule
        for field in FIELDS:
            assert has_text(f"record-field.{field}", locale), field
