"""S14: no text is run by a spreadsheet, numbers stay numbers, and what was made harmless is found again."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.spreadsheets import neutral, restored

STARTERS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\x00")
BLANKS = ("", " ", "\u3000", "\u00a0", "\ufeff", "\t", " \x00")
# As a spreadsheet looks at a cell: blanks and control characters skipped, full-width signs taken for their own.
_RUNS = re.compile(r"[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]")


@pytest.mark.parametrize("starter", STARTERS)
@pytest.mark.parametrize("blank", BLANKS)
def test_all_starters_are_made_harmless_whatever_blanks_stand_before_them(starter: str, blank: str) -> None:
    text = f"{blank}{starter}cmd|' /C calc'!A0"
    assert neutral(text) == f"'{text}"
    assert restored(neutral(text)) == text


@pytest.mark.parametrize("amount", ["0", "-12.50", "+3", "1234567.89", "-0.01", "+8613800138000"])
def test_amounts_are_numbers_when_the_file_is_read_again(amount: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([neutral(amount)])
    [[cell]] = csv.reader(file.getvalue().splitlines())
    assert cell == amount
    assert float(cell) == float(amount)


@pytest.mark.parametrize("formula", ["-1+1", "+1-2", "=1", "1.2.3=", "-2+3+cmd|' /C calc'!A0", "'=1"])
def test_what_only_begins_like_a_number_is_no_number(formula: str) -> None:
    made = neutral(formula)
    assert _RUNS.match(made) is None
    assert restored(made) == formula


@given(st.text(alphabet=st.sampled_from("=+-@＝＋－＠'\t\r\n\x00 \u300001.王a"), max_size=8))
def test_nothing_runs_and_nothing_is_lost(text: str) -> None:
    made = neutral(text)
    assert _RUNS.match(made) is None or re.fullmatch(r"[+-][0-9]+(\.[0-9]+)?", made) is not None
    assert restored(made) == text
