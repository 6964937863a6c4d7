"""A text with its parameters in place, in the language that the reader asked for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.texts.formats import format_date, format_money, format_percent
from models.texts.render import LOCALES, MissingTextError, catalogue, has_text, pick_locale, placeholders, render


def test_one_text_in_both_languages() -> None:
    params = {"currentVersion": 7}
    assert "版本 7" in render("problem.stale-version.detail", params, "zh-CN")
    assert "version 7" in render("problem.stale-version.detail", params, "en")


def test_a_code_in_a_parameter_is_named_in_the_readers_language() -> None:
    params = {"expected": "taiwan-residence"}
    assert "台湾居民居住证" in render("field.id-type", params, "zh-CN")
    assert "residence permit for Taiwan residents" in render("field.id-type", params, "en")
    assert "some-new-kind" in render("field.id-type", {"expected": "some-new-kind"}, "en")


def test_amounts_dates_and_rates_are_written_out() -> None:
    text = render("field.amount-range", {"min": 100_000, "max": 123_456_789}, "en")
    assert "¥1,000.00 and ¥1,234,567.89" in text
    dollars = render("field.amount-range", {"min": 1, "max": 2, "currency": "USD"}, "zh-CN")
    assert "USD 0.01" in dollars
    assert "2026年12月1日" in render("field.date-past", {"min": "2026-12-01"}, "zh-CN")
    assert "150.05%" in render("affordability.covers", {"payment": 1, "coverage": 15_005}, "en")


def test_the_first_known_of_several_names_counts() -> None:
    assert "3" in render("field.too-small", {"min": 3}, "en")
    assert "4" in render("field.too-small", {"limit": 4}, "en")


def test_a_missing_parameter_leaves_a_gap_and_no_error() -> None:
    assert "…" in render("problem.blocked-by-rule.detail", {}, "en")


def test_braces_in_a_parameter_are_text_and_not_placeholders() -> None:
    text = render("problem.blocked-by-rule.detail", {"rule": "{reason} {0.__class__}"}, "en")
    assert "{reason} {0.__class__}" in text


def test_an_unknown_key_is_an_error_and_can_be_asked_for() -> None:
    with pytest.raises(MissingTextError):
        render("no.such.text", {}, "en")
    assert not has_text("no.such.text", "en")
    assert has_text("field.required", "zh-CN")


def test_an_unknown_locale_is_read_as_chinese() -> None:
    assert render("field.required", {}, "fr") == render("field.required", {}, "zh-CN")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_renders_without_a_placeholder_left(locale: str) -> None:
    for key, template in catalogue("en").items():
        names = {name for each in placeholders(template) for name in each.partition(":")[0].split("|")}
        text = render(key, dict.fromkeys(names, 1), locale)
        assert "{" not in text, key
        assert "…" not in text or "…" in template, key


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-TW", "zh-CN"),
        ("fr-CH, fr;q=0.9", "zh-CN"),
        ("fr, en;q=0.3, zh;q=0.7", "zh-CN"),
        ("fr, en;q=0.7, zh;q=0.3", "en"),
        ("en;q=0, zh;q=0.001", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("EN-us", "en"),
        ("*;q=0.1, en;q=0.5", "en"),
        ("en;q=garbage", "zh-CN"),
        ("en;q=0.5555", "zh-CN"),
    ],
)
def test_the_language_asked_for_is_the_one_given(header: str | None, locale: str) -> None:
    assert pick_locale(header) == locale


@given(st.text(max_size=200))
def test_no_header_breaks_the_choice(header: str) -> None:
    assert pick_locale(header) in LOCALES


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1_234_567, "CNY", "¥12,345.67"),
        (0, "CNY", "¥0.00"),
        (5, "CNY", "¥0.05"),
        (-150, "CNY", "-¥1.50"),
        (-99, "CNY", "-¥0.99"),
        (9_007_199_254_740_993, "CNY", "¥90,071,992,547,409.93"),  # a float would lose the last fen
        (1_234_567, "USD", "USD 12,345.67"),
        (1_234, "JPY", "JPY 1,234"),
    ],
)
def test_money(amount: int, currency: str, text: str) -> None:
    assert format_money(amount, currency=currency) == text


def test_dates_and_percentages() -> None:
    assert format_date(date(2026, 1, 5), locale="zh-CN") == "2026年1月5日"
    assert format_date(date(2026, 1, 5), locale="en") == "5 January 2026"
    assert format_percent(1_825) == "18.25%"
    assert format_percent(-5) == "-0.05%"
