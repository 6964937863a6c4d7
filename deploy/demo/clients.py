"""Card clients out of a CSV file with the columns of a well-known public data set: read, checked, selected.

The columns are those of "Default of Credit Card Clients" (I-Cheng Yeh, UCI Machine Learning Repository, 2016). The file
holds figures of six months and nobody's name; who its clients are is made up elsewhere. Other columns are left alone.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

MONTHS: Final = 6
_LARGEST: Final = 10**9
_DELAY: Final = ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")  # there is no PAY_1 in that data set
_BILL: Final = tuple(f"BILL_AMT{month}" for month in range(1, MONTHS + 1))
_PAID: Final = tuple(f"PAY_AMT{month}" for month in range(1, MONTHS + 1))


class ClientsInvalid(ValueError):
    """The file cannot be used. The text names the line, the column, the rule and what to do, never the value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Column:
    """What a column may hold: whole numbers from `least` to `most`; `hint` says how to write them."""

    least: int
    most: int
    hint: str


_RULES: Final[dict[str, _Column]] = {
    "ID": _Column(least=1, most=99_999_999, hint="number the clients 1, 2, 3, …"),
    "LIMIT_BAL": _Column(least=0, most=_LARGEST, hint="write the credit limit in whole units of the currency"),
    "SEX": _Column(least=1, most=2, hint="write 1 for a man, 2 for a woman"),
    "EDUCATION": _Column(least=0, most=6, hint="write 1 graduate school, 2 university, 3 high school, else 0, 4, 5, 6"),
    "MARRIAGE": _Column(least=0, most=3, hint="write 1 married, 2 single, else 0 or 3"),
    "AGE": _Column(least=18, most=100, hint="write the age in full years"),
    **{
        name: _Column(least=-2, most=9, hint="write -2 not used, -1 paid in full, 0 revolving, else months of delay")
        for name in _DELAY
    },
    **{
        name: _Column(least=-_LARGEST, most=_LARGEST, hint="write the bill in whole units, a credit with a minus")
        for name in _BILL
    },
    **{name: _Column(least=0, most=_LARGEST, hint="write what was paid in whole units") for name in _PAID},
}
COLUMNS: Final = tuple(_RULES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """One line of the file. Amounts in whole units of the file's currency; months run from the latest backwards.

    Attributes:
        delays: months of delay at the end of each month; -2 not used, -1 paid in full, 0 the minimum paid.
        bills: what the statement of each month asked for; below zero where the bank owed the client.
        paid: what was paid in each month.
    """

    id: int
    limit: int
    is_man: bool
    education: int
    is_married: bool
    age: int
    delays: tuple[int, ...]
    bills: tuple[int, ...]
    paid: tuple[int, ...]


def read_clients(path: Path) -> Iterator[Client]:
    """Every client of a file, in its order.

    Raises:
        ClientsInvalid: it is not such a file, or a value breaks the rule of its column.
        OSError: it cannot be read.
    """
    try:
        # A byte order mark is what spreadsheets put before their first column.
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _clients(file)
    except UnicodeDecodeError:
        raise ClientsInvalid("this is no UTF-8 text; save the file as CSV with UTF-8") from None
    except csv.Error as error:
        raise ClientsInvalid(f"this is no CSV ({error}); save the file as CSV with commas") from None


def delayed_clients(path: Path, *, months: int, size: int) -> list[Client]:
    """The first `size` clients whose latest payment (`PAY_0`) was at least `months` late; fewer if there are fewer.

    Raises:
        ClientsInvalid: as `read_clients`, or there is no such client.
        OSError: as `read_clients`.
    """
    found = list(islice((client for client in read_clients(path) if client.delays[0] >= months), size))
    if not found:
        raise ClientsInvalid(f"no client has PAY_0 >= {months}; choose fewer months or another file")
    return found


def _clients(file: TextIO) -> Iterator[Client]:
    lines = csv.reader(file)
    header = [name.strip().upper() for name in next(lines, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ClientsInvalid(
            f"line 1: missing columns: {', '.join(missing)}; begin with a line of column names, joined by commas"
        )
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise ClientsInvalid(f"line 1: column {', '.join(twice)} stands there twice; keep one of them")
    at = {name: header.index(name) for name in COLUMNS}
    seen: set[int] = set()
    for values in lines:
        if not values:  # an empty line
            continue
        client = _client(values, at, line=lines.line_num, width=len(header))
        if client.id in seen:
            raise ClientsInvalid(f"line {lines.line_num}, column ID: it stands in the file already; number them anew")
        seen.add(client.id)
        yield client


def _client(values: list[str], at: dict[str, int], *, line: int, width: int) -> Client:
    if len(values) != width:
        raise ClientsInvalid(f"line {line}: {len(values)} values under {width} column names; mend the line")
    figures = {name: _figure(values[place], name, line=line) for name, place in at.items()}
    return Client(
        id=figures["ID"],
        limit=figures["LIMIT_BAL"],
        is_man=figures["SEX"] == 1,
        education=figures["EDUCATION"],
        is_married=figures["MARRIAGE"] == 1,
        age=figures["AGE"],
        delays=tuple(figures[name] for name in _DELAY),
        bills=tuple(figures[name] for name in _BILL),
        paid=tuple(figures[name] for name in _PAID),
    )


def _figure(text: str, name: str, *, line: int) -> int:
    rule = _RULES[name]
    try:
        value = Decimal(text.strip())  # also 2.00E+05, as some programs write 200000
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != value.to_integral_value():
        raise ClientsInvalid(f"line {line}, column {name}: not a whole number; {rule.hint}")
    if not rule.least <= value <= rule.most:
        raise ClientsInvalid(f"line {line}, column {name}: not from {rule.least} to {rule.most}; {rule.hint}")
    return int(value)
