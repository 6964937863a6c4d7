"""How well duplicates are found: sets of books by recorded seeds, none of which the matching was made for.

Noisy sets say how many of the people in common are merged by policy and how many are at least looked at; adversarial
ones how many pairs of two persons were merged whom something on record tells apart. `--scale` makes the sets smaller.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from bench.registry import Figure, measures
from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_families import KINDS, family_books, person_books
from tests.support.linkage_noise import MISTAKES, REFERENCE, SPELLING, TYPOS, Rates
from tests.support.linkage_run import link
from tests.support.linkage_sets import Books

SEEDS: Final = (101, 102, 103)
PEOPLE: Final = 4_000
PAIRS: Final = 4_000
LEAST_MERGED: Final = 0.95
LEAST_FOUND: Final = 0.995
_NONE: Final[Rates] = {}


def _noisy(source: Rates, target: Rates) -> Callable[..., Books]:
    return partial(person_books, source=source, target=target)


NOISY: Final[Mapping[str, Callable[..., Books]]] = {
    "reference noise": _noisy(REFERENCE, _NONE),
    "reference noise on both sides": _noisy(REFERENCE, REFERENCE),
    "spellings on both sides": _noisy(SPELLING, SPELLING),
    "mistakes and spellings": _noisy({**SPELLING, **MISTAKES}, SPELLING),
}
ADVERSARIAL: Final[Mapping[str, Callable[..., Books]]] = {
    f"{kind.replace('-', ' ')}, {words}": partial(family_books, kind=kind, rates=rates, id_missing=missing)
    for kind in KINDS
    for words, rates, missing in (
        ("numbers known", _NONE, 0.0),
        ("numbers missing at 40 %", _NONE, 0.4),
        ("with typing errors", TYPOS, 0.2),
    )
}


@measures("matching-quality")
def matching_quality(scale: float) -> Iterable[Figure]:
    """Recall on noisy books and false merges on adversarial ones, per set and seed."""
    people, pairs = (max(200, int(size * scale)) for size in (PEOPLE, PAIRS))
    for name, make in NOISY.items():
        for seed in SEEDS:
            yield from _of_noisy(f"{name}, seed {seed}", make(people, in_common=people // 2, seed=seed))
    for name, make in ADVERSARIAL.items():
        for seed in SEEDS:
            yield from _of_adversarial(f"{name}, seed {seed}", make(pairs, seed=seed))


def _of_noisy(name: str, books: Books) -> Iterable[Figure]:
    linked = link(books)
    merged, seen = linked.of(MatchVerdict.AUTO), linked.of(MatchVerdict.REVIEW)
    same = books.same
    yield Figure(name=f"{name}: merged", value=len(merged & same) / len(same), unit="", at_least=LEAST_MERGED)
    yield Figure(name=f"{name}: found", value=len((merged | seen) & same) / len(same), unit="", at_least=LEAST_FOUND)
    yield Figure(name=f"{name}: merged falsely", value=len(merged - same), unit="pairs", at_most=0)
    yield Figure(name=f"{name}: looked at in vain", value=len(seen - same) / len(same), unit="of those in common")


def _of_adversarial(name: str, books: Books) -> Iterable[Figure]:
    linked = link(books)
    merged, seen = linked.of(MatchVerdict.AUTO), linked.of(MatchVerdict.REVIEW)
    wrong, same = merged - books.same, books.same
    yield Figure(name=f"{name}: merged falsely", value=len(wrong - books.indistinguishable), unit="pairs", at_most=0)
    yield Figure(name=f"{name}: that nothing tells apart", value=len(wrong & books.indistinguishable), unit="pairs")
    yield Figure(name=f"{name}: merged", value=len(merged & same) / len(same), unit="")
    yield Figure(name=f"{name}: found", value=len((merged | seen) & same) / len(same), unit="")
