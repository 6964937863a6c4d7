"""A book of card customers who do not exist but look as if they did. Columns: `docs/book.md`.

The same size and seed give the same bytes; a larger book of the same seed begins with the smaller one.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Final, TextIO, get_type_hints

from deploy.demo.addresses import SELF_EMPLOYED, pick_address, pick_employer
from deploy.demo.draw import between, pick
from deploy.demo.money import pick_money
from deploy.demo.names import FEMALE, MALE, PINYIN, pick_name
from deploy.demo.numbers import Numbers, legacy_form
from deploy.demo.regions import Region, pick_region
from models.domain.identifiers import IdType

MAX_SIZE: Final = 5_000_000
# Ages are reckoned on this day, whenever the book is written.
BOOK_DAY: Final = date(2026, 1, 1)

_YOUNGEST, _OLDEST = 20, 68
_PERMIT_SHARE: Final = 0.015
_PERMITS: Final = (
    IdType.HK_MACAO_RESIDENCE,
    IdType.HK_MACAO_RESIDENCE,
    IdType.TAIWAN_RESIDENCE,
    IdType.HK_MACAO_PERMIT,
    IdType.TAIWAN_PERMIT,
)
_LEGACY_BEFORE: Final = 1985
_LEGACY_SHARE_OF_THEM: Final = 0.036  # about 2 % of all, since somewhat more than half were born before 1985
_MAIL_DOMAINS: Final = ("example.com", "example.com", "example.net", "example.org", "mail.example", "post.example")
_PROGRESS_EVERY: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class BookRow:
    """One customer with one card. Amounts in minor units (fen)."""

    row: int
    name: str
    sex: str
    birth_date: date
    id_type: str
    id_number: str
    mobile: str
    email: str
    address: str
    employer: str
    card_number: str
    credit_limit_minor: int
    total_due_minor: int
    days_past_due: int
    monthly_income_minor: int
    essential_expense_minor: int
    other_debt_payment_minor: int
    dependants: int
    hardship_code: str
    willing_to_repay: bool
    requested_amount_minor: int
    requested_term_months: int
    channel_preference: str


COLUMNS: Final = tuple(column.name for column in fields(BookRow))
_WILLING: Final = COLUMNS.index("willing_to_repay")
_values: Final = attrgetter(*COLUMNS)


def generate_book(size: int, seed: int) -> Iterator[BookRow]:
    """Rows 1 to `size` of the book `seed`.

    Raises:
        ValueError: `size` is below zero or above five million.
    """
    if not 0 <= size <= MAX_SIZE:
        raise ValueError(f"a book has 0 to {MAX_SIZE} rows")
    return _rows(size, Random(seed))


def write_book(path: Path, *, size: int, seed: int, progress: Callable[[int], object] = lambda _done: None) -> str:
    """Write a book as CSV (UTF-8, header, LF); it appears under its name only when it is complete.

    Args:
        path: the file; one that exists is replaced.
        size: number of rows.
        seed: which book.
        progress: called now and then with the number of rows written so far.

    Returns:
        SHA-256 of the file, in hex.

    Raises:
        ValueError: as `generate_book`.
        OSError: the file cannot be written.
    """
    return write_rows(path, generate_book(size, seed), progress=progress)


def write_rows(path: Path, rows: Iterable[BookRow], *, progress: Callable[[int], object] = lambda _done: None) -> str:
    """Write rows of a book that came about in another way; file, return value and `OSError` as `write_book`."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            _write(file, rows, progress)
        with unfinished.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    return digest


def read_book(path: Path) -> Iterator[BookRow]:
    """The rows of a CSV that `write_book` wrote.

    Raises:
        ValueError: the header or a value does not belong to a book; names the line, never the value.
    """
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        if tuple(next(lines, ())) != COLUMNS:
            raise ValueError("line 1: this is not the header of a book")
        for values in lines:
            try:
                yield _parsed(values)
            except ValueError:
                raise ValueError(f"line {lines.line_num}: a value does not fit its column") from None


def _write(file: TextIO, rows: Iterable[BookRow], progress: Callable[[int], object]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    done = 0
    for row in rows:
        values = list(_values(row))
        values[_WILLING] = "true" if row.willing_to_repay else "false"
        writer.writerow(values)
        done += 1
        if done % _PROGRESS_EVERY == 0:
            progress(done)
    progress(done)


_KINDS: Final = get_type_hints(BookRow)
_READERS: Final[dict[type, Callable[[str], object]]] = {
    str: str,
    int: int,
    date: date.fromisoformat,
    bool: lambda text: {"true": True, "false": False}[text],
}


def _parsed(values: list[str]) -> BookRow:
    if len(values) != len(COLUMNS):
        raise ValueError("wrong number of columns")
    try:
        read = {column: _READERS[_KINDS[column]](text) for column, text in zip(COLUMNS, values, strict=True)}
    except KeyError:
        raise ValueError("neither true nor false") from None
    return BookRow(**read)  # type: ignore[arg-type]


def _rows(size: int, rng: Random) -> Iterator[BookRow]:
    numbers = Numbers(rng)
    for row in range(1, size + 1):
        yield _row(rng, numbers, row)


def _row(rng: Random, numbers: Numbers, row: int) -> BookRow:
    sex = MALE if rng.random() < 0.58 else FEMALE
    born = _birth_date(rng)
    home = pick_region(rng)
    # Four in five live where they were registered at birth.
    origin = home if rng.random() < 0.8 else pick_region(rng)
    id_type, id_number = _identity(rng, numbers, row, origin=origin, born=born, sex=sex)
    name = pick_name(rng, sex=sex, birth_year=born.year, province_code=origin.code[:2])
    money = pick_money(rng, province_code=home.code[:2])
    return BookRow(
        row=row,
        name=name,
        sex=sex,
        birth_date=born,
        id_type=id_type.value,
        id_number=id_number,
        mobile=numbers.mobile(row),
        email=_email(rng, name, row),
        address=pick_address(rng, home),
        employer=_employer(rng, home, money.hardship_code),
        card_number=numbers.card(row),
        credit_limit_minor=money.credit_limit_minor,
        total_due_minor=money.total_due_minor,
        days_past_due=money.days_past_due,
        monthly_income_minor=money.monthly_income_minor,
        essential_expense_minor=money.essential_expense_minor,
        other_debt_payment_minor=money.other_debt_payment_minor,
        dependants=money.dependants,
        hardship_code=money.hardship_code,
        willing_to_repay=rng.random() < 0.94,
        requested_amount_minor=money.requested_amount_minor,
        requested_term_months=money.requested_term_months,
        channel_preference="staff" if rng.random() < 0.55 else "link",
    )


def _birth_date(rng: Random) -> date:
    oldest = BOOK_DAY.replace(year=BOOK_DAY.year - _OLDEST)
    days = (BOOK_DAY.replace(year=BOOK_DAY.year - _YOUNGEST) - oldest).days
    # The mean of two draws: most are of middle age.
    return oldest + timedelta(days=int(days * (rng.random() + rng.random()) / 2))


def _identity(rng: Random, numbers: Numbers, row: int, *, origin: Region, born: date, sex: str) -> tuple[IdType, str]:
    if rng.random() < _PERMIT_SHARE:
        permit = pick(rng, _PERMITS)
        if permit in {IdType.HK_MACAO_PERMIT, IdType.TAIWAN_PERMIT}:
            return permit, numbers.travel_permit(permit, row)
        return permit, numbers.residence_permit(permit, born, sex)
    number = numbers.resident_id(origin.code, born, sex)
    if born.year < _LEGACY_BEFORE and rng.random() < _LEGACY_SHARE_OF_THEM:
        return IdType.RESIDENT_ID, legacy_form(number)
    return IdType.RESIDENT_ID, number


def _email(rng: Random, name: str, row: int) -> str:
    """Three in four have one; only at domains that are reserved for examples (RFC 2606)."""
    if rng.random() < 0.25:
        return ""
    return f"{PINYIN.get(name[0], 'user')}{between(rng, 0, 99):02d}.{row:x}@{pick(rng, _MAIL_DOMAINS)}"


def _employer(rng: Random, home: Region, hardship_code: str) -> str:
    if hardship_code == "unemployment":
        return ""
    if hardship_code == "business-failure" or rng.random() < 0.12:
        return SELF_EMPLOYED
    return pick_employer(rng, home)
