"""What stands against a row is the same, whether or not what it passes by is spelt out."""

from datetime import UTC, date, datetime

import pytest

from compliance.desk.policy import AS_DELIVERED, blocking_under
from compliance.rules.evaluate import STANDING, blocks, evaluate_gate, evaluate_standing
from compliance.rules.gates import GATES
from models.domain.states import Gate

_NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize("on", [date(2009, 1, 1), date(2026, 11, 23)])
@pytest.mark.parametrize("facts", [{}, {"row_paid": True, "orders_open": 1, "orders_settled": 0}])
def test_the_verdicts_that_stand_are_those_of_the_whole_gate(facts: dict[str, object], on: date) -> None:
    for gate in (each for each in Gate if each in GATES):
        whole = evaluate_gate(gate, facts, as_of=on, evaluated_at=_NOW)
        standing = tuple(each for each in whole if each.result in STANDING)
        assert evaluate_standing(gate, facts, as_of=on, evaluated_at=_NOW) == standing
        against = tuple(each for each in standing if blocks(result=each.result, severity=each.severity))
        assert blocking_under(AS_DELIVERED, gate, facts, as_of=on, evaluated_at=_NOW) == against
