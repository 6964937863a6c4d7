"""Amounts in characters that cannot be altered, and rates as percentages."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.documents.figures import amount_in_words, percent

DIGITS = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
UNITS = {"拾": 10, "佰": 100, "仟": 1000}


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (5_0, "伍角整"),
        (1_00, "壹元整"),
        (10_00, "壹拾元整"),
        (1_072_00, "壹仟零柒拾贰元整"),
        (1_072_05, "壹仟零柒拾贰元零伍分"),
        (1_072_50, "壹仟零柒拾贰元伍角整"),
        (100_000_00, "壹拾万元整"),
        (100_001_00, "壹拾万零壹元整"),
        (10_000_000_00, "壹仟万元整"),
        (100_000_001_00, "壹亿零壹元整"),
        (86_500_37, "捌万陆仟伍佰元叁角柒分"),
        (12_030_405_06, "壹仟贰佰零叁万零肆佰零伍元零陆分"),
    ],
)
def test_amounts_in_words(minor: int, words: str) -> None:
    assert amount_in_words(minor) == words


def read(words: str) -> int:
    """Minor units from the words, by a reader that shares nothing with the writer."""
    total = section = digit = 0
    for character in words:
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in UNITS:
            section, digit = section + digit * UNITS[character], 0
        elif character == "亿":
            total, section, digit = (total + section + digit) * 10**8, 0, 0
        elif character == "万":
            total, section, digit = total + (section + digit) * 10**4, 0, 0
        elif character == "元":
            total, section, digit = (total + section + digit) * 100, 0, 0
        elif character in "角分":
            total, digit = total + digit * {"角": 10, "分": 1}[character], 0
    return total


@given(st.integers(0, 10**14 - 1))
def test_what_was_written_reads_back(minor: int) -> None:
    words = amount_in_words(minor)
    assert read(words) == minor
    assert "零零" not in words


@pytest.mark.parametrize("minor", [-1, 10**18])
def test_amounts_beyond_words_are_refused(minor: int) -> None:
    with pytest.raises(ValueError, match="between"):
        amount_in_words(minor)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        ("0.126825", "12.6825%"),
        ("0.12", "12.00%"),
        ("0", "0.00%"),
        ("0.1825", "18.25%"),
        ("0.13034249", "13.0342%"),
        ("0.00000050", "0.0001%"),
        ("1.5", "150.00%"),
    ],
)
def test_rates(rate: str, text: str) -> None:
    assert percent(Decimal(rate)) == text
