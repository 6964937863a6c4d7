"""The planner says what an index gives away, and every near-unique one that exists has somebody's word for it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.blind import BlindField, blind_index
from compliance.vault.blind_plan import ACCEPTED, PlannedIndex, Verdict, advised_bits, existing, plan
from compliance.vault.suites import AES_256_GCM, SealingKey
from models.tables.base import DataTable

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("rows", "domain", "output", "coincidences", "verdict"),
    [
        (MILLION, 32.7, 16, MILLION / 2**16, Verdict.SHARED),  # 15 candidates, as privacy (c5) has it
        (MILLION, 32.7, 256, MILLION / 2**32.7, Verdict.UNIQUE),
        (MILLION, 32.7, 19, MILLION / 2**19, Verdict.UNIQUE),  # 1.9
        (MILLION, 32.7, 10, MILLION / 2**10, Verdict.SHARED),  # 977 < 1,000
        (MILLION, 32.7, 9, MILLION / 2**9, Verdict.CROWDED),
        (MILLION, 12.0, 256, MILLION / 2**12, Verdict.SHARED),  # a small domain shares by itself
        (MILLION, 9.0, 256, MILLION / 2**9, Verdict.CROWDED),
        (MILLION, 1.0, 256, MILLION / 2, Verdict.ENUMERABLE),  # a yes or no is never indexed
        (1, 32.7, 16, 1 / 2**16, Verdict.UNIQUE),
    ],
)
def test_coincidences_and_what_they_mean(
    rows: int, domain: float, output: int, coincidences: float, verdict: Verdict
) -> None:
    [leak] = plan(rows, [PlannedIndex(name="mobile", domain_bits=domain, output_bits=output)]).each
    assert leak.coincidences == pytest.approx(coincidences)
    assert leak.verdict is verdict
    assert leak.needs_acceptance is (verdict in {Verdict.UNIQUE, Verdict.ENUMERABLE})
    assert leak.explain().startswith("mobile: C = ")


def test_indexes_that_are_each_shared_may_together_name_a_person() -> None:
    indexes = [PlannedIndex(name=name, domain_bits=20, output_bits=12) for name in ("name", "birthday")]
    planned = plan(MILLION, indexes)
    assert [leak.verdict for leak in planned.each] == [Verdict.SHARED, Verdict.SHARED]
    assert planned.joint.coincidences == pytest.approx(MILLION / 2**24)
    assert planned.joint.verdict is Verdict.UNIQUE
    assert planned.explain().splitlines()[-1].startswith("together: C = 0.06")
    assert "recognises them in every copy" in planned.explain()


@settings(deadline=None)
@given(st.integers(1, 10**10), st.floats(1, 200))
def test_the_advised_length_is_the_longest_that_is_still_shared(rows: int, domain: float) -> None:
    bits = advised_bits(rows, domain)
    figures = {
        length: plan(rows, [PlannedIndex(name="x", domain_bits=domain, output_bits=length)]).each[0]
        for length in range(4, 65)
    }
    shared = [leak for leak in figures.values() if leak.verdict is Verdict.SHARED]
    if bits is None:
        assert shared == []
    else:
        assert figures[bits].verdict is Verdict.SHARED
        # A token as long as its domain tells each value apart; one that is a fraction of a bit shorter does not.
        assert max(leak.known_bits for leak in shared) - figures[bits].known_bits < 1


@pytest.mark.parametrize(
    ("rows", "indexes"),
    [
        (0, [PlannedIndex(name="x", domain_bits=30)]),
        (10, []),
        (10, [PlannedIndex(name="x", domain_bits=0)]),
        (10, [PlannedIndex(name="x", domain_bits=30, output_bits=3)]),
        (10, [PlannedIndex(name="x", domain_bits=30, output_bits=257)]),
    ],
)
def test_what_cannot_be_planned_is_refused(rows: int, indexes: list[PlannedIndex]) -> None:
    with pytest.raises(ValueError, match=r"bits|at least one"):
        plan(rows, indexes)


# The plan and the tokens agree ----------------------------------------------------------------------------------------


def test_a_planned_token_has_as_many_coincidences_as_planned() -> None:
    """20,000 different numbers, tokens of the advised length: about as many rows share one as the figure says."""
    rows, key = 20_000, SealingKey(AES_256_GCM, bytes(range(32)), version=1)
    bits = advised_bits(rows, 32.7)
    assert bits == 13
    tokens = [blind_index(key, field=BlindField.MOBILE, value=f"138{number:08d}", bits=bits) for number in range(rows)]
    [leak] = plan(rows, [PlannedIndex(name="mobile", domain_bits=32.7, output_bits=bits)]).each
    assert rows / len(set(tokens)) == pytest.approx(leak.coincidences, rel=0.15)


# What exists ----------------------------------------------------------------------------------------------------------


def test_every_index_that_exists_is_accounted_for() -> None:
    there = {
        f"{table.name}.{column.name}"
        for table in DataTable.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_index")
    }
    assert there == {column for accepted in ACCEPTED.values() for column in accepted.columns}
    assert set(ACCEPTED) == set(BlindField)
    for accepted in ACCEPTED.values():
        assert accepted.reason
        assert accepted.limits
        assert accepted.index.output_bits == 256


def test_the_existing_ones_are_reported_as_what_they_are() -> None:
    figures = existing({BlindField.ID_NUMBER: MILLION, BlindField.MOBILE: 2 * MILLION, BlindField.ACCOUNT: 0})
    assert set(figures) == {BlindField.ID_NUMBER, BlindField.MOBILE}
    for leak in figures.values():
        assert leak.verdict is Verdict.UNIQUE
        assert leak.needs_acceptance
        assert re.search(r"in [\d,]+ (hours|minutes) on one core", leak.explain())
