"""How boundaries are asked: one rule, in the case that keeps it, with what is different."""

from datetime import date
from typing import Any

from compliance.rules.evaluate import evaluate_rule
from compliance.rules.results import Result
from tests.compliance.rules.example import TODAY
from tests.compliance.rules.world import kept

PASS, FAIL, NOT_APPLICABLE = Result.PASS, Result.FAIL, Result.NOT_APPLICABLE


def ask(rule_id: str, *, as_of: date = TODAY, **changes: Any) -> Result:
    """What the rule says of the case in which it applies and is kept, with these changes."""
    return evaluate_rule(rule_id, {**kept(rule_id), **changes}, as_of=as_of).result
