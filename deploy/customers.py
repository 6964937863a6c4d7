"""Loading a book of customers (客户信息导入) from a file: spelled, checked, sealed in bulk, 500 rows a transaction.

Repeatable: a customer number that the book knows stays as it is, so a load that was killed is started again.
"""

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.customer_layout import Customer, customer_tokens, seal_customers
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.customers.faults import Fault, Severity, severity_of
from models.domain.customers.record import FIELDS, REQUIRED_FIELDS
from models.domain.customers.validity import check_record
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.operations.customers import MOST_ROWS, add_customers
from models.queries.customers import known_numbers

_ACTOR: Final = "operator"
_SQLITE_PAUSE_S: Final = 0.005  # so that whoever else writes gets in between two chunks
_MOST_FAULTS: Final = 200  # kept to be told; all are counted


class BookInvalid(ValueError):
    """The file is no book of customers. The text names line and rule, never a value."""


@dataclass(slots=True)
class Loaded:
    """How a load ended: read = added + known + refused.

    Attributes:
        known: have a customer number that the book has already.
        faults: of the first refused lines: line, field, rule.
    """

    read: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0
    faults: list[tuple[int, str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = [{"line": line, "field": name, "rule": rule} for line, name, rule in self.faults]
        return {
            "read": self.read,
            "added": self.added,
            "known": self.known,
            "refused": self.refused,
            "faults": told,
        }


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    values: Mapping[str, str]


def load_customers(
    database: Database,
    vault: Vault,
    path: Path,
    *,
    tenant: str,
    clock: Clock,
    encoding: str = "utf-8-sig",
    progress: Callable[[int], object] = lambda _read: None,
) -> Loaded:
    """Put the records of a file on a tenant's book.

    Args:
        database: the data store.
        vault: seals them.
        path: CSV whose header names fields of a record (`models.domain.customers.record.FIELDS`).
        tenant: whose book; it exists.
        clock: tells when, and whether a document has expired.
        encoding: of the file.
        progress: called after each chunk with the number of rows read so far.

    Raises:
        BookInvalid: the header names no book, or the file is no such text.
        OSError: it cannot be read.
    """
    loaded = Loaded()
    with path.open(encoding=encoding, newline="") as file:
        try:
            lines = _lines(csv.reader(file))
            while chunk := list(islice(lines, MOST_ROWS)):
                _load(database, vault, chunk, loaded, tenant=tenant, clock=clock)
                progress(loaded.read)
                if database.is_sqlite:
                    time.sleep(_SQLITE_PAUSE_S)
        except UnicodeDecodeError:
            raise BookInvalid(f"this is no {encoding} text; say what it is with --encoding") from None
        except csv.Error as error:
            raise BookInvalid(f"this is no CSV ({error}); save the file as CSV with commas") from None
    return loaded


def _lines(reader: Any) -> Iterator[_Line]:
    header = [name.strip() for name in next(reader, [])]
    unknown = [name for name in header if name not in FIELDS]
    if unknown:
        raise BookInvalid(f"line 1: column {header.index(unknown[0]) + 1} is no field of a record: {', '.join(FIELDS)}")
    missing = REQUIRED_FIELDS - set(header)
    if missing:
        raise BookInvalid(f"line 1: missing columns: {', '.join(sorted(missing))}")
    if len(set(header)) < len(header):
        raise BookInvalid("line 1: a column stands there twice; keep one of them")
    for values in reader:
        if not values:  # an empty line
            continue
        if len(values) != len(header):
            raise BookInvalid(f"line {reader.line_num}: {len(values)} values under {len(header)} columns")
        yield _Line(reader.line_num, {name: value for name, value in zip(header, values, strict=True) if value})


def _load(database: Database, vault: Vault, lines: list[_Line], loaded: Loaded, *, tenant: str, clock: Clock) -> None:
    loaded.read += len(lines)
    now = clock()
    good = _spelled(lines, loaded, today=shanghai_date(now))
    fresh = _unknown(database, vault, good, tenant=tenant)
    added = 0
    if fresh:
        customers = [Customer(new_token("cus"), new_token("sub"), values) for values in fresh]
        sealed = seal_customers(vault, tenant=tenant, customers=customers, create=True)
        rows = [{"id": each.id, "subject_id": each.subject, **each.columns} for each in sealed]
        deed = Deed(tenant=tenant, action="customers.loaded", target="customers", actor=_ACTOR, at=now)
        with unit_of_work(database, deed) as unit:
            added = add_customers(unit.session, rows, tenant=tenant, origin=None, now=now)
            deed.facts = {"added": added, "known": len(good) - added}
    loaded.added += added
    loaded.known += len(good) - added


def _spelled(lines: list[_Line], loaded: Loaded, *, today: date) -> list[dict[str, str]]:
    good = []
    for line in lines:
        spelled = check_record(line.values, today=today)
        wrong: list[Fault] = [each for each in spelled.faults if severity_of(each.rule) is not Severity.WARN]
        if not wrong:
            good.append(spelled.values)
            continue
        loaded.refused += 1
        room = _MOST_FAULTS - len(loaded.faults)
        loaded.faults += [(line.number, each.field, each.rule) for each in wrong[: max(room, 0)]]
    return good


def _unknown(database: Database, vault: Vault, records: list[dict[str, str]], *, tenant: str) -> list[dict[str, str]]:
    """Those whose customer number neither the book has nor an earlier one of them."""
    numbers = (values["customer_no"] for values in records)
    tokens = customer_tokens(vault, tenant=tenant, index="customer_no_index", values=numbers)
    with database.read() as session:
        known = known_numbers(session, tenant=tenant, tokens=[*chain.from_iterable(tokens)])
    fresh = []
    for of_number, values in zip(tokens, records, strict=True):
        if known.isdisjoint(of_number):
            known.add(of_number[0])
            fresh.append(values)
    return fresh
