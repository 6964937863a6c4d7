"""Every row of the sheet of provisions is a rule, or stands on the page with the reason why it is none."""

import re
from pathlib import Path
from typing import Final

from compliance.rules.registry import REGISTRY
from tests.compliance.rules.rows import BESIDES, ROWS

PAGE: Final = Path(__file__).parents[3] / "docs" / "rules.md"
RULES: Final = {rule.id for rule in REGISTRY}


def told_on_the_page() -> dict[str, str]:
    """The table "Rows without a rule": id and reason."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("## Rows without a rule\n")
    section, _, _ = rest.partition("\n## ")
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, flags=re.MULTILINE))


def test_every_row_is_a_rule_or_has_its_reason_on_the_page() -> None:
    told = told_on_the_page()
    assert set(told) == ROWS - RULES
    assert all(told.values())


def test_every_rule_has_its_row_or_is_known_to_have_none() -> None:
    assert RULES - ROWS == BESIDES
