"""Whole books: how many of the people in common are found, and whether anybody is merged who should not be."""

from collections.abc import Callable

import pytest

from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_families import KINDS, family_books, person_books
from tests.support.linkage_noise import MISTAKES, SPELLING, TYPOS, Rates
from tests.support.linkage_run import Linked, link
from tests.support.linkage_sets import Books, Noise, noisy_books, twin_books

AUTO, REVIEW = MatchVerdict.AUTO, MatchVerdict.REVIEW


def _shares(books: Books, linked: Linked) -> tuple[float, float]:
    auto = linked.of(AUTO) & books.same
    looked_at = (linked.of(AUTO) | linked.of(REVIEW)) & books.same
    return len(auto) / len(books.same), len(looked_at) / len(books.same)


@pytest.mark.parametrize("seed", [11, 12])
def test_of_noisy_books_nearly_everybody_is_found_and_nobody_else_is_merged(seed: int) -> None:
    books = noisy_books(3_000, 1_500, seed=seed)
    linked = link(books)
    merged, found = _shares(books, linked)
    assert linked.of(AUTO) <= books.same
    assert merged >= 0.95
    assert found >= 0.995
    assert len(linked.of(REVIEW) - books.same) <= len(books.same) // 100


def test_noise_of_every_kind_at_once_still_leaves_people_findable() -> None:
    books = noisy_books(1_500, 750, seed=13, noise=Noise(id_missing=0.3, id_transposed=0.2, name=0.1, born=0.05))
    linked = link(books)
    assert linked.of(AUTO) <= books.same
    assert _shares(books, linked)[1] >= 0.98


@pytest.mark.parametrize("id_missing", [0.4, 0.0, 1.0])
def test_of_twins_only_those_are_merged_whom_nothing_on_record_tells_apart(id_missing: float) -> None:
    books = twin_books(3_000, seed=21, id_missing=id_missing)
    linked = link(books)
    assert linked.of(AUTO) - books.same <= books.indistinguishable
    assert _shares(books, linked)[0] == 1.0
    # Who has two proven numbers is never even asked about.
    both_numbered = {
        (at, at)
        for at, (one, other) in enumerate(zip(books.source, books.target, strict=True))
        if one["id_number"] and other["id_number"]
    }
    assert not both_numbered - books.same & linked.of(AUTO)


def _one_number_for_both(books: Books) -> None:
    for at, record in enumerate(books.source):
        if (at, at) not in books.same:
            record["id_number"] = books.target[at]["id_number"]


def _one_account_for_both(books: Books) -> None:
    for at, record in enumerate(books.source):
        record["account"] = books.target[at]["account"] = f"62220000{at:09d}"


@pytest.mark.parametrize("spoil", [_one_number_for_both, _one_account_for_both])
def test_twins_are_kept_apart_where_a_number_was_mixed_up_or_an_account_is_the_familys(
    spoil: Callable[[Books], None],
) -> None:
    books = twin_books(1_000, seed=22, id_missing=0.0)
    spoil(books)
    wrong = link(books).of(AUTO) - books.same
    assert all(_sounds_alike(books, pair) for pair in wrong)


def _sounds_alike(books: Books, pair: tuple[int, int]) -> bool:
    from models.domain.matching.names import name_of

    one, other = books.source[pair[0]]["name"], books.target[pair[1]]["name"]
    return name_of(one or "").sound == name_of(other or "").sound


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rates", [{}, TYPOS], ids=["as given", "with typing errors"])
def test_of_people_who_are_like_each_other_nobody_is_merged_whom_something_tells_apart(kind: str, rates: Rates) -> None:
    for id_missing in (0.0, 0.4):
        books = family_books(400, kind=kind, seed=61, rates=rates, id_missing=id_missing)
        linked = link(books)
        assert linked.of(AUTO) - books.same <= books.indistinguishable
        assert _shares(books, linked)[1] >= 0.99


def test_spellings_do_not_count_and_mistakes_seldom_need_a_person() -> None:
    spelt = person_books(600, in_common=300, seed=62, source=SPELLING, target=SPELLING)
    assert _shares(spelt, link(spelt))[0] >= 0.99
    soiled = person_books(1_200, in_common=600, seed=63, source={**SPELLING, **MISTAKES}, target=SPELLING)
    linked = link(soiled)
    assert linked.of(AUTO) <= soiled.same
    assert _shares(soiled, linked)[0] >= 0.93
    assert _shares(soiled, linked)[1] >= 0.99


def test_a_run_gives_the_same_weights_and_verdicts_whatever_the_order_of_the_records() -> None:
    books = noisy_books(400, 300, seed=31)
    turned = Books(source=books.source[::-1], target=books.target[::-1])
    one, other = link(books), link(turned)
    last = len(books.source) - 1
    assert one.weights == other.weights
    assert {(last - a, last - b): scored for (a, b), scored in other.scored.items()} == one.scored
