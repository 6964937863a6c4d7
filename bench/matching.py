"""Duplicate detection: two books of 50,000 with 10,000 people in common and the noise of the reference set."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from models.domain.matching.blocking import blocking_values
from models.domain.matching.person import person_of
from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_run import link
from tests.support.linkage_sets import TODAY, Books, noisy_books
from tests.support.transfer_matching import Matching

PEOPLE: Final = 50_000
IN_COMMON: Final = 5  # of so many people, one stands in both books
MOST_SECONDS: Final = 10.0
MOST_OPENED: Final = 0.25


@measures("matching")
def matching(scale: float) -> Iterable[Figure]:
    """Two books from their sealed rows to verdicts: tokens, candidates, scores, pairs; the floor compares in memory."""
    people = max(200, int(PEOPLE * scale))
    books = noisy_books(people, people // IN_COMMON, seed=1)
    in_memory = seconds(partial(link, books))
    name = f"{people:,} × {people:,}"
    yield Figure(name=f"{name}, engine alone", value=in_memory, unit="s", at_most=MOST_SECONDS * scale)
    prepare = seconds(partial(_prepare, books))
    yield Figure(name=f"{name}, values in one spelling", value=prepare, unit="s")
    with empty_stores() as stores:
        case = _case(stores, books)
        tokens = seconds(case.make_tokens)
        match = seconds(case.match)
        floor = Floor(name="engine alone, s", value=in_memory)
        yield Figure(name=f"{name}, tokens of both books from sealed rows", value=tokens, unit="s")
        yield Figure(name=f"{name}, candidates opened, scored and kept", value=match, unit="s")
        yield Figure(name=f"{name}, in all", value=tokens + match, unit="s", floor=floor, at_most=MOST_SECONDS * scale)
        figures = case.present().counts["matching"]
        merged = {
            (pair.row_number - 1, case.customers.index(pair.other))
            for pair in case.pairs()
            if pair.verdict == MatchVerdict.AUTO
        }
    yield Figure(
        name="share of records opened to compare", value=figures["opened"] / figures["records"], unit="",
        at_most=MOST_OPENED,
    )  # fmt: skip
    yield Figure(
        name="merged by policy, of people in common", value=len(merged & books.same) / len(books.same), unit=""
    )
    yield Figure(name="merged and not one person", value=len(merged - books.same), unit="pairs", at_most=0)


def _prepare(books: Books) -> None:
    for record in (*books.source, *books.target):
        blocking_values(person_of(record, today=TODAY))


def _case(stores: Stores, books: Books) -> Matching:
    return Matching(stores.data, stores.vault, lambda: NOW).open(books)
