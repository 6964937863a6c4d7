"""docs/conventions.md cannot go stale: its table and every worked row are worked out anew."""

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from models.domain.schedules.conventions import CONVENTIONS
from models.domain.schedules.quote_form import QuoteForm, described_conventions, quote

PAGE: Final = (Path(__file__).parents[2] / "docs" / "conventions.md").read_text(encoding="utf-8")
_SECTION: Final = re.compile(
    r"### `(?P<name>[a-z0-9-]+)`\n\n[^\n]+\n\n"
    r"```json\n(?P<request>[^\n]+)\n```\n\n\|[^\n]*\n\|[^\n]*\n\|(?P<row>[^\n]*)\|\n"
)
SECTIONS: Final = {found["name"]: found for found in _SECTION.finditer(PAGE)}
_DESCRIBED: Final = {each["name"]: each for each in described_conventions()}


WITHOUT_WORKING: Final = {"cn-fee", "cn-principal-first"}  # no interest, or that of other rows
ROUNDED_TO: Final = {
    name: each["stepMinor"] * (2 if each["mode"] == "down" else 1) for name, each in _DESCRIBED.items()
}


def _minor(text: str) -> int:
    return int(Decimal(text.replace(",", "")) * 100)


def test_every_convention_has_a_section_and_no_section_is_left_over() -> None:
    assert list(SECTIONS) == list(CONVENTIONS)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_worked_row_is_what_a_quote_says(name: str) -> None:
    section = SECTIONS[name]
    request = json.loads(section["request"])
    assert request["convention"] == name
    rows = quote(QuoteForm.read_json(section["request"]))["rows"]
    number, due, before, *amounts, working = (cell.strip() for cell in section["row"].split("|"))
    row = rows[int(number) - 1]
    left = rows[int(number) - 2]["balanceMinor"] if int(number) > 1 else request["principalMinor"]
    assert (row["due"], left) == (due, _minor(before))
    shown = [row[key] for key in ("principalMinor", "interestMinor", "feeMinor", "totalMinor")]
    assert shown == [_minor(amount) for amount in amounts]
    if working != "–":
        assert abs(_worked(working) - row["interestMinor"]) <= Fraction(ROUNDED_TO.get(name, 1), 2)
    else:
        assert name in WITHOUT_WORKING


def _worked(text: str) -> Fraction:
    """`balance × rate × (days/year + …)` in minor units."""
    balance, rate, time = text.split(" × ")
    return _minor(balance) * Fraction(rate) * sum(Fraction(part) for part in time.strip("()").split(" + "))


def _table() -> dict[str, dict[str, str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 10]
    header = next(line for line in PAGE.splitlines() if line.startswith("| name |"))
    keys = [cell.strip() for cell in header.strip("|").split("|")]
    rows = ([cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines)
    return {row[0]: dict(zip(keys, row, strict=True)) for row in rows}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_table_tells_every_choice(name: str) -> None:
    told = dict(_table()[name])
    others = told.pop("others")
    told |= dict(each.split("=") for each in others.split(", ") if "=" in each)
    expected = {key: _text(value) for key, value in _DESCRIBED["cn-level"].items()} | told
    assert expected == {key: _text(value) for key, value in _DESCRIBED[name].items()}
