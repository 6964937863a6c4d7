"""People of a book, as the canary looks for them: those values by which somebody is known."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.demo.transfers.foreign import HEADERS
from models.domain.customers.record import FIELDS

# What the canary looks for, and the field of a record that it is.
_WANTED: Final = ("name", "id_number", "mobile", "email", "address", "employer", "account")


@dataclass(frozen=True, slots=True, repr=False)
class Carried:
    """One line of a book. Attributes are named as `deploy.demo.canary` looks for them."""

    row: int
    name: str
    id_number: str
    mobile: str
    email: str
    address: str
    employer: str
    card_number: str


def carried_in(lines: Iterable[Sequence[str]]) -> Iterator[Carried]:
    """People in the lines of a CSV, the header first: of the transferor's file, or a book of records.

    Raises:
        ValueError: the header is neither's.
    """
    rest = iter(lines)
    header = list(next(rest, ()))
    names = list(HEADERS) if header[: len(HEADERS)] == list(HEADERS.values()) else header
    if not set(_WANTED) <= set(names):
        raise ValueError(f"this is no book: a record has {', '.join(FIELDS)}")
    places = [names.index(name) for name in _WANTED]
    for number, line in enumerate(rest, start=1):
        if len(line) == len(header):
            yield Carried(number, *(line[place] for place in places))
