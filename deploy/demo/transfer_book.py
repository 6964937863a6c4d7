"""Two books for a transfer, and who is whom: the transferor's file, the acquirer's book, the truth.

The same arguments give the same bytes. Nothing but the row under way is in memory, so a million rows take no more of it
than a thousand.
"""

import csv
import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from deploy.demo.clients import read_clients
from deploy.demo.draw import between
from deploy.demo.transfers import mapping
from deploy.demo.transfers.dirt import Soiled, soil
from deploy.demo.transfers.foreign import header, written
from deploy.demo.transfers.people import Client, People, Person
from deploy.demo.transfers.recipe import PER_MILLE, Recipe
from deploy.demo.transfers.scatter import Scatter
from deploy.demo.transfers.truth import COLUMNS, TrueRow
from models.domain.customers.record import FIELDS

SOURCE, TARGET, TRUTH, FACTS = "source.csv", "target.csv", "truth.csv", "book.json"
OWN = "own.csv"
ENCODINGS: Final = ("utf-8", "gb18030")
_FEWEST: Final = 2
_AGAIN_WITHIN: Final = 20  # lines after which a duplicate comes
_PROGRESS_EVERY: Final = 1_000
Progress = Callable[[str, int], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferBook:
    """What a pair of books is made from.

    Attributes:
        source: customers of the transferor; with `clients` their number is taken instead.
        target: customers of the acquirer.
        overlap: per mille of the transferor's customers whom the acquirer knows too.
        clients: of a file, by whose sex and age the transferor's customers are made.
        own: also write the transferor's own book, clean, as its own system has it.
    """

    source: int
    target: int
    overlap: int
    seed: int
    recipe: Recipe
    encoding: str = "utf-8"
    clients: tuple[Client, ...] = ()
    own: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no two books.

        Raises:
            ValueError: fewer than two customers, an overlap above one book, an encoding that is not known.
        """
        if self.source < _FEWEST or self.target < _FEWEST:
            raise ValueError(f"a book has at least {_FEWEST} customers")
        if not 0 <= self.overlap <= PER_MILLE:
            raise ValueError("the overlap is 0 to 100 % of the transferor's customers")
        if self.known > self.target:
            raise ValueError(f"{self.known} customers in common, but the acquirer has {self.target}")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"encoding {self.encoding}: one of {', '.join(ENCODINGS)}")
        if self.clients and len(self.clients) != self.source:
            raise ValueError("as many customers as clients")

    @property
    def known(self) -> int:
        """How many customers the two have in common."""
        return self.source * self.overlap // PER_MILLE


def clients_of(path: Path) -> tuple[Client, ...]:
    """Sex and age of each client of a file (`deploy.demo.clients`), in its order.

    Raises:
        ClientsInvalid: it is not such a file.
        OSError: it cannot be read.
    """
    counts: dict[int, int] = {}
    clients = []
    for each in read_clients(path):
        ordinal = counts.get(each.age, 0)
        counts[each.age] = ordinal + 1
        clients.append(Client(each.is_man, each.age, ordinal))
    return tuple(clients)


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who stands where in the two books."""

    book: TransferBook
    people: People
    order: Scatter  # of the transferor's file
    shared: Scatter  # which of the transferor's customers the acquirer knows
    target_order: Scatter
    source_numbers: Scatter
    target_numbers: Scatter

    @classmethod
    def of(cls, book: TransferBook) -> "_Cast":
        everybody = book.source + book.target - book.known
        people = People.of(
            seed=book.seed, source=book.source, everybody=everybody, recipe=book.recipe, clients=book.clients
        )
        rng = Random(f"{book.seed}/books")
        return cls(
            book,
            people,
            Scatter.of(rng, book.source),
            Scatter.of(rng, book.source),
            Scatter.of(rng, book.target),
            Scatter.of(rng, 10**9),
            Scatter.of(rng, 10**9),
        )

    def source_no(self, person: int) -> str:
        """The transferor's customer number of somebody."""
        return f"S{self.source_numbers.to(person):09d}"

    def target_no(self, person: int) -> str:
        """Under which number the acquirer knows somebody of the transferor; empty: not at all."""
        place = self.shared.back(person)
        return self.number_of_place(place) if place < self.book.known else ""

    def number_of_place(self, place: int) -> str:
        """The acquirer's customer number of one of its places."""
        return f"T{self.target_numbers.to(place):09d}"

    def target_people(self) -> Iterator[tuple[int, str]]:
        """Everybody in the acquirer's book, in its order, with their customer numbers."""
        for position in range(self.book.target):
            place = self.target_order.to(position)
            known = place < self.book.known
            person = self.shared.to(place) if known else self.book.source + place - self.book.known
            yield person, self.number_of_place(place)


def write_transfer_book(folder: Path, book: TransferBook, *, progress: Progress = lambda _what, _done: None) -> Any:
    """Write the three files, the mapping that fits, and `book.json`, which tells how they were made, with digests.

    Args:
        folder: made if it is not there; files of these names are replaced, each when it is complete.
        book: what to write.
        progress: called now and then with the name of a file and how many of its rows are written.

    Returns:
        What stands in `book.json`.

    Raises:
        ValueError: more people than there are numbers for.
        OSError: a file cannot be written.
    """
    cast = _Cast.of(book)
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    with ExitStack() as stack:
        source = stack.enter_context(_CsvFile(folder / SOURCE, book.encoding))
        truth = stack.enter_context(_CsvFile(folder / TRUTH))
        target = stack.enter_context(_CsvFile(folder / TARGET))
        rows = _write_source(source, truth, cast, counts, progress)
        _write_target(target, cast, progress)
        if book.own:
            _write_own(stack.enter_context(_CsvFile(folder / OWN)), cast)
    facts = {
        "source": book.source,
        "target": book.target,
        "known": book.known,
        "seed": book.seed,
        "encoding": book.encoding,
        "rows": rows,
        "recipe": book.recipe.as_record(),
        "done": dict(sorted(counts.items())),
        "sha256": {name: _digest(folder / name) for name in (SOURCE, TARGET, TRUTH)},
    }
    (folder / mapping.NAME).write_text(mapping.mapping_text(book.encoding), encoding="utf-8")
    (folder / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return facts


class _CsvFile:
    """A CSV writer whose file appears under its name only when it is complete."""

    def __init__(self, path: Path, encoding: str = "utf-8") -> None:
        self._path, self._unfinished = path, path.with_name(f".{path.name}.part")
        self._text = self._unfinished.open("w", encoding=encoding, newline="")
        self._csv = csv.writer(self._text, lineterminator="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        self._text.close()
        if kind is None:
            self._unfinished.replace(self._path)
        else:
            with suppress(OSError):
                self._unfinished.unlink()

    def line(self, values: Sequence[str]) -> None:
        """One line."""
        self._csv.writerow(values)


def _write_source(source: _CsvFile, truth: _CsvFile, cast: _Cast, counts: dict[str, int], progress: Progress) -> int:
    source.line(header())
    truth.line(COLUMNS)
    row = 0
    waiting: deque[tuple[int, list[str], TrueRow]] = deque()
    for position in range(cast.book.source):
        person = cast.people.person(cast.order.to(position))
        rng = Random(f"{cast.book.seed}/dirt/{person.number}")
        mobile = cast.people.another_mobile(person.number)
        values = _values(person, cast.source_no(person.number))
        soiled = soil(values, rng, cast.book.recipe, another_mobile=mobile)
        for kind in soiled.done:
            counts[kind.value] = counts.get(kind.value, 0) + 1
        if person.relation is not None:
            counts[person.relation.value] = counts.get(person.relation.value, 0) + 1
        row += 1
        line = _line(soiled, position)
        told = _truth(row, person, values["customer_no"], soiled, cast)
        source.line(line)
        truth.line(told.as_line())
        if soiled.again:
            waiting.append((row + between(rng, 1, _AGAIN_WITHIN), line, told))
        while waiting and (waiting[0][0] <= row or position == cast.book.source - 1):
            _, again, first = waiting.popleft()
            row += 1
            source.line(again)
            truth.line(_again(row, first).as_line())
        if row % _PROGRESS_EVERY == 0:
            progress(SOURCE, position + 1)
    progress(SOURCE, cast.book.source)
    return row


def _write_target(target: _CsvFile, cast: _Cast, progress: Progress) -> None:
    """The acquirer's book, as `casework customers load` reads it; it is older than the transferor's, and clean."""
    target.line(FIELDS)
    for done, (number, customer_no) in enumerate(cast.target_people(), start=1):
        values = _values(cast.people.person(number), customer_no)
        target.line([values[name] for name in FIELDS])
        if done % _PROGRESS_EVERY == 0:
            progress(TARGET, done)
    progress(TARGET, cast.book.target)


def _write_own(own: _CsvFile, cast: _Cast) -> None:
    own.line(FIELDS)
    for position in range(cast.book.source):
        person = cast.people.person(cast.order.to(position))
        values = _values(person, cast.source_no(person.number))
        own.line([values[name] for name in FIELDS])


def _values(person: Person, customer_no: str) -> dict[str, str]:
    return {
        "customer_no": customer_no,
        "name": person.name,
        "id_type": person.id_type.value,
        "id_number": person.id_number,
        "id_valid_until": person.id_valid_until,
        "sex": person.sex,
        "birth_date": person.birth_date.isoformat(),
        "nationality": person.nationality,
        "mobile": person.mobile,
        "email": person.email,
        "account": person.account,
        "occupation": person.occupation,
        "employer": person.employer,
        "employer_uscc": person.employer_uscc,
        "address": person.address,
        "postcode": person.postcode,
        "language": person.language,
    }


def _line(soiled: Soiled, position: int) -> list[str]:
    line = written(soiled.values, position)
    if soiled.ragged < 0:
        return line[: soiled.ragged]
    return line + ["?"] * soiled.ragged


def _truth(row: int, person: Person, source_no: str, soiled: Soiled, cast: _Cast) -> TrueRow:
    return TrueRow(
        row=row,
        line=row + 1,
        person=person.number,
        source_customer_no=source_no,
        target_customer_no=cast.target_no(person.number),
        relation=person.relation.value if person.relation is not None else "",
        relative=person.relative,
        dirt=tuple(kind.value for kind in soiled.done),
        fixes=soiled.fixes,
    )


def _again(row: int, first: TrueRow) -> TrueRow:
    return TrueRow(
        row=row,
        line=row + 1,
        person=first.person,
        source_customer_no=first.source_customer_no,
        target_customer_no=first.target_customer_no,
        same_as_row=first.row,
        relation=first.relation,
        relative=first.relative,
        dirt=first.dirt,
        fixes=first.fixes,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
