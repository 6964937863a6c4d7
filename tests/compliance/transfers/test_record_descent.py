"""From differing roots to the differing records: exactly these, and with few comparisons."""

import hashlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.transfers.record_descent import Descent, Difference, How, LeafTree, descend
from compliance.transfers.record_proofs import leaf_of

_NAMES = st.integers(0, 400).map(lambda number: f"cus_{number:04d}")
_BOOKS = st.dictionaries(_NAMES, st.integers(0, 3), max_size=60)


def _tree(book: dict[str, int]) -> LeafTree:
    return LeafTree.of((name, leaf_of(name, bytes([value]) * 32)) for name, value in book.items())


def _expected(left: dict[str, int], right: dict[str, int]) -> list[Difference]:
    found = []
    for name in sorted(left.keys() | right.keys()):
        if name not in right:
            found.append(Difference(name, How.ONLY_LEFT))
        elif name not in left:
            found.append(Difference(name, How.ONLY_RIGHT))
        elif left[name] != right[name]:
            found.append(Difference(name, How.DIFFERS))
    return found


@given(left=_BOOKS, right=_BOOKS)
def test_exactly_the_records_that_differ_are_found(left: dict[str, int], right: dict[str, int]) -> None:
    descent = descend(_tree(left), _tree(right))
    assert list(descent.found) == _expected(left, right)
    assert descent.whole


@given(book=_BOOKS, changes=st.dictionaries(_NAMES, st.one_of(st.none(), st.integers(0, 3)), max_size=4))
def test_few_changes_are_found_in_a_book_that_is_else_equal(
    book: dict[str, int], changes: dict[str, int | None]
) -> None:
    other = {name: value for name, value in {**book, **changes}.items() if value is not None}
    descent = descend(_tree(book), _tree(other))
    assert list(descent.found) == _expected(book, other)
    # Two comparisons at each of the levels, for each of the changes.
    depth = max(len(book), len(other), 2).bit_length() + 1
    assert descent.comparisons <= 1 + 2 * depth * max(len(descent.found), 1)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_one_wrong_record_of_many_costs_forty_comparisons_at_most(seed: int) -> None:
    size = 1 << 12
    names = [f"cus_{number:05d}" for number in range(size)]
    leaves = [hashlib.sha256(name.encode()).digest() for name in names]
    wrong = random.Random(seed).randrange(size)
    other = [*leaves[:wrong], bytes(32), *leaves[wrong + 1 :]]
    descent = descend(LeafTree(names, leaves), LeafTree(names, other))
    assert descent == Descent(
        found=(Difference(names[wrong], How.DIFFERS),), comparisons=descent.comparisons, whole=True
    )
    assert descent.comparisons <= 1 + 2 * 12  # so 41 in a million records, where 2^20 lie


def test_a_limit_ends_the_search_and_says_so() -> None:
    left = {f"cus_{number:04d}": 0 for number in range(50)}
    right = dict.fromkeys(left, 1)
    descent = descend(_tree(left), _tree(right), most=7)
    assert [each.name for each in descent.found] == sorted(left)[:7]
    assert not descent.whole
