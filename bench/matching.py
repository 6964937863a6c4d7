"""Duplicate detection: two books of up to 50,000, a fifth of the people in common, the noise of the reference set."""

import resource
from collections.abc import Callable, Iterable
from functools import partial
from time import process_time
from typing import Final

from bench.measuring import NOW, Stores, empty_stores
from bench.registry import Figure, Floor, measures
from models.domain.matching.blocking import blocking_row
from models.domain.matching.person import person_of
from models.domain.transfers.states import MatchVerdict
from tests.support.linkage_run import link
from tests.support.linkage_sets import TODAY, Books, noisy_books
from tests.support.transfer_matching import Matching

SIZES: Final = (2_000, 10_000, 50_000)
IN_COMMON: Final = 5  # of so many people, one stands in both books
MOST_SECONDS: Final = 10.0  # of the largest
MOST_OPENED: Final = 0.25


@measures("matching")
def matching(scale: float) -> Iterable[Figure]:
    """Two books from their sealed rows to verdicts, in processor seconds; the floor compares opened ones in memory."""
    _seconds(partial(link, noisy_books(50, 25, seed=2)))  # whatever is read once
    for size in SIZES:
        people = max(200, int(size * scale))
        yield from _of(people, MOST_SECONDS * scale if size == SIZES[-1] else None)


def _of(people: int, most: float | None) -> Iterable[Figure]:
    books = noisy_books(people, people // IN_COMMON, seed=1)
    name = f"{people:,} × {people:,}"
    in_memory = _seconds(partial(link, books))
    yield Figure(name=f"{name}, engine alone", value=in_memory, unit="s", at_most=most)
    yield Figure(name=f"{name}, of that values in one spelling", value=_seconds(partial(_prepare, books)), unit="s")
    with empty_stores() as stores:
        case = _case(stores, books)
        before = _memory()
        tokens, match = _seconds(case.make_tokens), _seconds(case.match)
        after = _memory()
        floor = Floor(name="engine alone, s", value=in_memory)
        yield Figure(name=f"{name}, tokens of both books from sealed rows", value=tokens, unit="s")
        yield Figure(name=f"{name}, candidates found, opened, scored and kept", value=match, unit="s")
        yield Figure(name=f"{name}, in all", value=tokens + match, unit="s", floor=floor, at_most=most)
        yield Figure(name=f"{name}, a record", value=(tokens + match) / (2 * people) * 1e6, unit="µs")
        yield Figure(name=f"{name}, memory beyond what the books took", value=after - before, unit="MB")
        yield from _found(name, case, books)


def _found(name: str, case: Matching, books: Books) -> Iterable[Figure]:
    figures = case.present().counts["matching"]
    place = {customer: at for at, customer in enumerate(case.customers)}
    merged = {
        (pair.row_number - 1, place[pair.other])
        for pair in case.pairs()
        if pair.verdict == MatchVerdict.AUTO and pair.other in place
    }
    opened = figures["opened"] / figures["records"]
    yield Figure(name=f"{name}, records opened to compare", value=opened, unit="of all", at_most=MOST_OPENED)
    yield Figure(name=f"{name}, merged by policy", value=len(merged & books.same) / len(books.same), unit="of all true")
    yield Figure(name=f"{name}, merged falsely", value=len(merged - books.same), unit="pairs", at_most=0)


def _seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, which a busy machine changes least."""
    began = process_time()
    work()
    return process_time() - began


def _memory() -> float:
    """The most that this process has had resident, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _prepare(books: Books) -> None:
    for record in (*books.source, *books.target):
        blocking_row(person_of(record, today=TODAY))


def _case(stores: Stores, books: Books) -> Matching:
    return Matching(stores.data, stores.vault, lambda: NOW).open(books)
