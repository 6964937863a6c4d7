"""Candidates of a whole job at once: held against the plainest way to find them."""

from collections import defaultdict
from random import Random

import pytest

from models.domain.matching import pairing
from models.domain.matching.blocking import BEARER, SEARCHED, Block, blocking_row, blocking_values
from models.domain.matching.pairing import CONTACTS, KINDS, MOST_IN_BLOCK, ROW_BYTES, Paired, packed_tokens
from models.domain.matching.person import Person
from tests.support.linkage_families import family_books
from tests.support.linkage_noise import MISTAKES
from tests.support.linkage_run import pair, people_of
from tests.support.linkage_sets import Books, Maker, noisy_books, twin_books


def _books(seed: int) -> Books:
    """Everything that makes values meet: noise, twins, households, duplicates, and a telephone of many."""
    rng, books = Random(seed), Books()
    for some in (
        noisy_books(60, 30, seed=seed),
        twin_books(40, seed=seed),
        family_books(60, kind="households", seed=seed, rates=MISTAKES),
    ):
        books.source += some.source
        books.target += some.target
    books.source += [dict(rng.choice(books.source)) for _ in range(30)]
    for record in (*rng.sample(books.source, 40), *rng.sample(books.target, 40)):
        record["mobile"] = "+8613700137001"
    rng.shuffle(books.source)
    return books


def _plain(source: list[Person], target: list[Person]) -> tuple[set[tuple[int, int]], dict[tuple[int, int], set[str]]]:
    """Every record held against every other: candidates, and what others share with them."""
    people = [*source, *target]
    values = [blocking_values(person) for person in people]
    bearers: dict[tuple[Block, str], list[int]] = defaultdict(list)
    for at, found in enumerate(values):
        for kind, value in found.items():
            bearers[kind, value].append(at)
    candidates, shared = set(), {}
    for row in range(len(source)):
        for other in (*range(row), *range(len(source), len(people))):
            common = [kind for kind in SEARCHED if kind in values[row] and values[row][kind] == values[other].get(kind)]
            if any(len(bearers[kind, values[row][kind]]) <= MOST_IN_BLOCK for kind in common):
                candidates.add((row, other))
                shared[row, other] = _shared(row, other, values, bearers)
    return candidates, shared


def _shared(
    row: int, other: int, values: list[dict[Block, str]], bearers: dict[tuple[Block, str], list[int]]
) -> set[str]:
    two = {values[row].get(BEARER), values[other].get(BEARER)}
    found = set()
    for kind, name in CONTACTS.items():
        having = bearers[kind, values[row][kind]] if kind in values[row] else []
        third = any(values[one].get(BEARER) not in {None, *two} for one in having)
        if third or len(having) > MOST_IN_BLOCK:
            found.add(name)
    return found


def _candidates(paired: Paired) -> set[tuple[int, int]]:
    return {(row, other) for row, others in paired.others.items() for other in others}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("in_a_pass", [1_000_000, 50])
def test_candidates_and_shared_contacts_are_those_of_comparing_all_with_all(
    seed: int, in_a_pass: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "_IN_A_PASS", in_a_pass)
    books = _books(seed)
    source, target = people_of(books.source), people_of(books.target)
    paired = pair(source, target)
    candidates, shared = _plain(source, target)
    assert _candidates(paired) == candidates
    assert {found: paired.shared(*found) for found in candidates} == shared
    assert paired.crowded[Block.MOBILE] == 1
    names = [person.name.text for person in (*source, *target)]
    for row in paired.others:
        assert paired.bearers_of_name(row) == (names.count(names[row]) if names[row] else 0)


def test_a_record_has_a_place_of_its_own_for_each_kind_of_token() -> None:
    tokens = {kind: bytes((kind.value,)) * 16 for kind in KINDS}
    assert packed_tokens(tokens) == b"".join(tokens.values())
    assert packed_tokens({}) == bytes(ROW_BYTES)
    for missing in KINDS:
        packed = packed_tokens({kind: token for kind, token in tokens.items() if kind is not missing})
        at = KINDS.index(missing) * 16
        assert packed[at : at + 16] == bytes(16)


def test_the_order_of_a_records_values_is_that_of_their_kinds() -> None:
    [person] = people_of([Maker(3).person()])
    values = blocking_values(person)
    assert [values.get(kind, "") for kind in KINDS] == list(blocking_row(person))
    assert [kind.value for kind in KINDS] == list(range(1, len(KINDS) + 1))


def test_who_has_no_value_at_all_meets_nobody() -> None:
    nobody = people_of([{}, {}])
    assert pair(nobody, nobody).others == {}


def test_somebody_else_who_has_the_contact_is_seen_and_the_two_themselves_are_not() -> None:
    maker = Maker(7)
    person = maker.person()
    again = {**person, "birth_date": "1961-01-01", "id_number": None}  # the same sound, another day
    wife = {**maker.person(), "mobile": person["mobile"]}
    assert pair(people_of([person]), people_of([again])).shared(0, 1) == set()
    assert pair(people_of([person]), people_of([again, wife])).shared(0, 1) == {"mobile"}
