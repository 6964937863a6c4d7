"""People who do not exist but pass every check: rows of the demo's book."""

from deploy.demo.book import BookRow, generate_book

SEED = 20_261_123


def people(count: int, *, seed: int = SEED) -> list[BookRow]:
    """The first `count` customers of a book; the same ones every time."""
    return list(generate_book(count, seed))


def person(number: int = 1, *, seed: int = SEED) -> BookRow:
    """One customer, by row number from 1."""
    return people(number, seed=seed)[-1]
