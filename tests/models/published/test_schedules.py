"""Published schedules of other systems, to the cent, through named conventions; where each comes from stands beside it.

A row is `[due, principal, interest]` as published; `4:` before the date says which row it is, where some are left out.
`digits` says how many the source shows, `count` how many rows it has, `level` what its rows come to.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models.domain.schedules.conventions import CONVENTIONS
from models.domain.schedules.quote_form import QuoteForm, quote

FOLDER = Path(__file__).parent / "schedules"
CASES = [
    pytest.param(case, id=f"{path.stem}-{case['id']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text())["cases"]
]


def _shown(minor: int, digits: int) -> Decimal:
    return round(Decimal(minor) / 100, digits)


@pytest.mark.parametrize("case", CASES)
def test_a_published_schedule_is_reproduced(case: dict[str, Any]) -> None:
    answer = quote(QuoteForm.read_json(json.dumps(case["request"])))
    digits = case.get("digits", 2)
    rows = answer["rows"]
    expected, found = [], []
    for position, (day, principal, interest) in enumerate(case["rows"], start=1):
        number, _, due = day.rpartition(":")
        row = rows[int(number or position) - 1]
        expected.append((due, Decimal(principal), Decimal(interest)))
        found.append((row["due"], _shown(row["principalMinor"], digits), _shown(row["interestMinor"], digits)))
    assert found == expected
    for name, amount in case.get("totals", {}).items():
        assert _shown(answer["totals"][f"{name}Minor"], digits) == Decimal(amount), name
    if "level" in case:
        assert {row["totalMinor"] for row in rows[:-1]} == {int(Decimal(case["level"]) * 100)}
    assert len(rows) == case.get("count", case["request"].get("rows", len(case["rows"])))


def test_the_cases_go_through_named_conventions_and_name_their_source() -> None:
    for path in FOLDER.glob("*.json"):
        content = json.loads(path.read_text())
        assert {"system", "repository", "path"} <= content["source"].keys()
        assert all(case["request"]["convention"] in CONVENTIONS and case["where"] for case in content["cases"])
    assert len(CASES) >= 30
