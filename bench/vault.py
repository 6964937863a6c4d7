"""The vault: cells and records a second beside the bare primitive, and the way of a book into SQLite and out of it."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from itertools import count as count_from
from random import Random
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from sqlalchemy import Executable, bindparam, insert, select, text

from bench.measuring import Stores, empty_stores, kept_stores, seconds, tell
from bench.registry import Figure, Floor, measures
from compliance.vault.blind import BlindField
from compliance.vault.records import Indexed, Record, RecordLayout, RecordVault, SealedRecord
from compliance.vault.suites import AES_256_GCM, SM4_GCM, Suite
from compliance.vault.tables import SubjectKey
from models.database.engine import Database

FIELD_BYTES: Final = 100
COLUMNS: Final = tuple(f"field_{number}" for number in range(10))
ROUNDS: Final = 60  # at most: the best of them counts
ROUNDS_S: Final = 25.0
LEAST_ROUNDS: Final = 3
RECORDS: Final = 500  # a round: one chunk
LOADED: Final = 50_000
ROWS: Final = {AES_256_GCM.id: 1_000_000, SM4_GCM.id: 200_000}  # of the book that is looked into
EVERY: Final = 10  # of so many of its rows one is a customer's; those between are there to be passed over
LOOKED_UP: Final = 20_000
BATCH: Final = 500
TOLD: Final = 20_000
TARGET: Final = {AES_256_GCM.id: 0.40, SM4_GCM.id: 0.75}
CELLS_ONLY: Final = RecordLayout(table="bench", cells=COLUMNS)
PACKED: Final = RecordLayout(table="bench", cells=(), packed=COLUMNS)
BOOK: Final = RecordLayout(
    table="book",
    cells=("id_cell", "name_cell", "mobile_cell"),
    packed=COLUMNS[3:],
    indexes={
        "id_index": Indexed("id_cell", BlindField.ID_NUMBER),
        "mobile_index": Indexed("mobile_cell", BlindField.MOBILE),
    },
)
STORED: Final = ("row", "id_cell", "name_cell", "mobile_cell", "packed_cell", "id_index", "mobile_index")


@measures("vault")
def vault(scale: float) -> Iterable[Figure]:
    """Seal, open, load and find personal data under each suite, beside the same work without the vault."""
    for suite in (AES_256_GCM, SM4_GCM):
        with empty_stores(suite=suite) as stores:
            yield from _cells(stores, suite)
    for suite in (AES_256_GCM, SM4_GCM):
        with empty_stores(suite=suite) as stores:
            yield _loading(stores, suite, max(2_000, int(LOADED * scale)))
    for suite in (AES_256_GCM, SM4_GCM):
        rows = max(20_000, int(ROWS[suite.id] * scale))
        with kept_stores(f"book-{suite.code}-{rows}", partial(_fill, rows), suite) as stores:
            yield from _lookups(_Sealed(stores, RecordVault(stores.vault, tenant="main", layout=BOOK), rows), suite)


# Cells ----------------------------------------------------------------------------------------------------------------


def _cells(stores: Stores, suite: Suite) -> Iterator[Figure]:
    code, count, vault = suite.code, RECORDS * len(COLUMNS), stores.vault
    separate = RecordVault(vault, tenant="main", layout=CELLS_ONLY)
    packed = RecordVault(vault, tenant="main", layout=PACKED)
    vault.ensure_tenant("main")
    value = os.urandom(FIELD_BYTES // 2).hex()
    values = dict.fromkeys(COLUMNS, value)
    known = [Record(f"row_{number:022d}", f"sub_{number:022d}", values) for number in range(RECORDS)]
    stored = [record._replace(subject=f"cold_{record.subject}") for record in known]
    for record in known:
        vault.create_subject(tenant="main", subject_id=record.subject)  # its key stays in memory
    _use_up(separate.seal(stored, create=True))  # their keys do not
    fresh = _fresh_subjects(values)
    sealed, sealed_packed = list(separate.seal(known)), list(packed.seal(known))
    times = _best(
        {
            "bare": lambda: _bare(suite, value.encode(), count),
            "bare open": lambda: _bare_open(suite, value.encode(), count),
            "seal": lambda: _use_up(separate.seal(known)),
            "open": lambda: _use_up(separate.open(sealed)),
            "packed": lambda: _use_up(packed.seal(known)),
            "open packed": lambda: _use_up(packed.open(sealed_packed)),
            "read": lambda: _use_up(separate.seal(stored)),
            "new": lambda: _use_up(separate.seal(next(fresh), create=True)),
        },
        rounds=ROUNDS,
        seconds_at_most=ROUNDS_S,
    )
    floor = Floor(name=f"bare {code}, sealed/s", value=count / times["bare"])
    floor_open = Floor(name=f"bare {code}, opened/s", value=count / times["bare open"])
    sealed_cells = partial(Figure, unit="/s", floor=floor)
    yield sealed_cells(
        name=f"{code}, cells sealed, keys in memory", value=count / times["seal"], ratio_at_least=TARGET[suite.id]
    )
    yield sealed_cells(name=f"{code}, cells sealed, keys read from the store", value=count / times["read"])
    yield sealed_cells(name=f"{code}, cells sealed, keys made and committed", value=count / times["new"])
    yield Figure(name=f"{code}, cells opened, keys in memory", value=count / times["open"], unit="/s", floor=floor_open)
    for name, key in (
        ("sealed in 10 cells", "seal"), ("sealed packed", "packed"),
        ("opened from 10 cells", "open"), ("opened packed", "open packed"),
    ):  # fmt: skip
        yield Figure(name=f"{code}, records of 10 fields {name}", value=RECORDS / times[key], unit="/s")


def _fresh_subjects(values: dict[str, str]) -> Iterator[list[Record]]:
    for turn in count_from(1):
        yield [Record(f"row_{turn}_{number}", f"new_{turn}_{number:020d}", values) for number in range(RECORDS)]


def _bare(suite: Suite, value: bytes, count: int) -> None:
    key = suite.new_key()
    if suite is AES_256_GCM:
        encrypt, urandom = AESGCM(key).encrypt, os.urandom
        for _ in range(count):
            encrypt(urandom(12), value, None)
        return
    algorithm = SM4(key)
    for _ in range(count):
        encryptor = Cipher(algorithm, GCM(os.urandom(12))).encryptor()
        _ = encryptor.update(value) + encryptor.finalize() + encryptor.tag


def _bare_open(suite: Suite, value: bytes, count: int) -> None:
    key, nonce = suite.new_key(), os.urandom(12)
    sealed = suite.aead(key).encrypt(nonce, value, None)
    if suite is AES_256_GCM:
        decrypt = AESGCM(key).decrypt
        for _ in range(count):
            decrypt(nonce, sealed, None)
        return
    algorithm, body, tag = SM4(key), sealed[:-16], sealed[-16:]
    for _ in range(count):
        decryptor = Cipher(algorithm, GCM(nonce, tag)).decryptor()
        _ = decryptor.update(body) + decryptor.finalize()


def _best(
    work: dict[str, Callable[[], None]], *, rounds: int, seconds_at_most: float = float("inf")
) -> dict[str, float]:
    """Seconds of processor time, the best of many short rounds in turn: what else the machine does only adds to it."""
    best, end = dict.fromkeys(work, float("inf")), time.perf_counter() + seconds_at_most
    for number in range(rounds):
        if number >= LEAST_ROUNDS and time.perf_counter() > end:
            break
        for name, one in work.items():
            began = time.process_time()
            one()
            best[name] = min(best[name], time.process_time() - began)
    return best


def _use_up(records: Iterable[object]) -> None:
    for _ in records:
        pass


# A book in SQLite -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sealed:
    """A book of so many rows, sealed and in clear, in two tables of the same shape.

    Every tenth row is a customer's, sealed under a key of their own. The rows and keys between are random bytes of the
    same lengths under scattered ids: a look-up walks the same indexes and pages past them, and nobody ever opens one.
    """

    stores: Stores
    records: RecordVault
    rows: int

    @property
    def customers(self) -> int:
        """How many of the rows are real."""
        return self.rows // EVERY


def _loading(stores: Stores, suite: Suite, rows: int) -> Figure:
    """Customers alone, into tables with their indexes."""
    stores.vault.ensure_tenant("main")
    book = _Sealed(stores, RecordVault(stores.vault, tenant="main", layout=BOOK), rows * EVERY)
    _run(stores, [*_tables(), *_indexes()])
    plain = sealed = 0.0
    for first in range(0, rows, BATCH):
        end = min(first + BATCH, rows)
        plain += seconds(partial(_load_clear, book, first, end))
        sealed += seconds(partial(_load_sealed, book, first, end))
    return Figure(
        name=f"{suite.code}, records sealed, indexed and loaded, {rows:,} rows", value=rows / sealed, unit="/s",
        floor=Floor(name="loaded in clear, records/s", value=rows / plain),
    )  # fmt: skip


def _fill(rows: int, stores: Stores) -> None:
    """A book to look into; the indexes are made at its end, as that takes a tenth of the time."""
    stores.vault.ensure_tenant("main")
    book = _Sealed(stores, RecordVault(stores.vault, tenant="main", layout=BOOK), rows)
    _run(stores, _tables())
    for first in range(0, book.customers, BATCH):
        end = min(first + BATCH, book.customers)
        _load_clear(book, first, end)
        _stand_between(book, first, end, _load_sealed(book, first, end))
        if end % TOLD == 0:
            tell(f"vault: {end * EVERY:,} of {book.rows:,} rows loaded")
    _keys_between(book)
    _run(stores, [*_indexes(), "ANALYZE"])


def _lookups(book: _Sealed, suite: Suite) -> Iterator[Figure]:
    random = Random(20_261_123)
    wanted = [_id_number(each) for each in random.sample(range(book.customers), min(LOOKED_UP, book.customers))]
    times = _best(
        {
            "clear": lambda: _find_clear(book, wanted),
            "sealed": lambda: _find_sealed(book, wanted),
            "one clear": lambda: _one_by_one(book, wanted[:2_000], _find_clear),
            "one sealed": lambda: _one_by_one(book, wanted[:2_000], _find_sealed),
        },
        rounds=3,
    )
    among = f"{book.customers:,} among {book.rows:,} rows"
    yield Figure(
        name=f"{suite.code}, found by blind index and opened, {BATCH} a query, of {among}",
        value=len(wanted) / times["sealed"], unit="/s",
        floor=Floor(name="found in clear, rows/s", value=len(wanted) / times["clear"]),
        at_least=20_000,
    )  # fmt: skip
    ones = min(2_000, len(wanted))
    yield Figure(
        name=f"{suite.code}, found by blind index and opened, one a query, of {among}",
        value=ones / times["one sealed"], unit="/s",
        floor=Floor(name="found in clear, rows/s", value=ones / times["one clear"]),
    )  # fmt: skip


def _tables() -> list[str]:
    cells = ", ".join(f"{name} BLOB NOT NULL" for name in STORED[1:])
    clear = ", ".join(f"{name} TEXT NOT NULL" for name in STORED[1:5])
    return [
        f"CREATE TABLE bench_sealed (row TEXT NOT NULL, {cells})",
        f"CREATE TABLE bench_clear (row TEXT NOT NULL, {clear})",
    ]


def _indexes() -> list[str]:
    return [
        # As the product's own tables lie: rows by number, and the key beside them as an index.
        *(f"CREATE UNIQUE INDEX key_{table} ON bench_{table} (row)" for table in ("sealed", "clear")),
        *(f"CREATE INDEX sealed_{name} ON bench_sealed ({name})" for name in STORED[5:]),
        *(f"CREATE INDEX clear_{name} ON bench_clear ({name})" for name in ("id_cell", "mobile_cell")),
    ]


def _run(stores: Stores, statements: Iterable[str]) -> None:
    with stores.data.write() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def _id_number(number: int) -> str:
    return f"110101{1950 + number % 50}{number:08d}"


def _records(first: int, end: int) -> Iterator[Record]:
    filler = os.urandom(FIELD_BYTES // 2).hex()
    cold = dict.fromkeys(COLUMNS[3:], filler)
    for number in range(first, end):
        person = {"id_cell": _id_number(number), "name_cell": filler, "mobile_cell": f"138{number:08d}"}
        token = _token(number * EVERY)
        yield Record(token, token, person | cold)


def _token(number: int) -> str:
    return f"sub_{number * 2_654_435_761 % 4_294_967_296:010d}{number:012d}"  # scattered, as tokens are


def _load_clear(book: _Sealed, first: int, end: int) -> None:
    batch = []
    for record in _records(first, end):
        packed = "".join(str(record.values[name]) for name in COLUMNS[3:])
        batch.append({"row": record.row, "packed_cell": packed, **record.values})
    _insert(book.stores.data, _INTO_CLEAR, batch)


def _load_sealed(book: _Sealed, first: int, end: int) -> dict[str, object]:
    """Answers one of the rows."""
    sealed = book.records.seal(_records(first, end), create=True)
    rows = [{"row": record.row, **record.cells, **record.indexes} for record in sealed]
    _insert(book.stores.data, _INTO_SEALED, rows)
    return rows[0]


def _stand_between(book: _Sealed, first: int, end: int, example: dict[str, object]) -> None:
    """Rows of nobody, as long as those of somebody."""
    numbers = [number for number in range(first * EVERY, end * EVERY) if number % EVERY]
    lengths = {name: len(value) for name, value in example.items() if isinstance(value, bytes)}
    _insert(
        book.stores.data,
        _INTO_SEALED,
        [{"row": _token(number), **{name: os.urandom(lengths[name]) for name in lengths}} for number in numbers],
    )
    packed = "0" * FIELD_BYTES * len(COLUMNS[3:])
    _insert(
        book.stores.data,
        _INTO_CLEAR,
        [
            {"row": _token(number), "id_cell": f"9{number:017d}", "name_cell": packed[:FIELD_BYTES],
             "mobile_cell": f"139{number:08d}", "packed_cell": packed}
            for number in numbers
        ],
    )  # fmt: skip


def _keys_between(book: _Sealed) -> None:
    """A key for each row of nobody, as long as those of somebody; in the order of the key store's index."""
    keys, columns = book.stores.vault.branches.database, SubjectKey.__table__.c  # type: ignore[attr-defined]
    with keys.read() as session:
        example = session.connection().execute(select(columns).limit(1)).mappings().one()
    subjects = sorted(_token(number) for number in range(book.rows) if number % EVERY)
    for first in range(0, len(subjects), TOLD):
        rows = [
            {**example, "subject_id": subject, "wrapped": os.urandom(len(example["wrapped"]))}
            for subject in subjects[first : first + TOLD]
        ]
        _insert(keys, insert(SubjectKey.__table__), rows)  # type: ignore[attr-defined]


def _insert(database: Database, statement: Executable, batch: Sequence[dict[str, object]]) -> None:
    with database.write() as session:
        session.connection().execute(statement, batch)


_INTO_CLEAR: Final = text("INSERT INTO bench_clear VALUES (:row, :id_cell, :name_cell, :mobile_cell, :packed_cell)")
_INTO_SEALED: Final = text(f"INSERT INTO bench_sealed VALUES ({', '.join(f':{name}' for name in STORED)})")
_CLEAR: Final = text("SELECT * FROM bench_clear WHERE id_cell IN :wanted").bindparams(
    bindparam("wanted", expanding=True)
)
_SEALED: Final = text(
    "SELECT row, id_cell, name_cell, mobile_cell, packed_cell FROM bench_sealed WHERE id_index IN :wanted"
).bindparams(bindparam("wanted", expanding=True))


def _find_clear(book: _Sealed, wanted: Sequence[str]) -> None:
    found = 0
    for begin in range(0, len(wanted), BATCH):
        with book.stores.data.read() as session:
            rows = session.connection().execute(_CLEAR, {"wanted": wanted[begin : begin + BATCH]}).all()
        found += sum(len(row) == 5 for row in rows)
    assert found == len(wanted)


def _find_sealed(book: _Sealed, wanted: Sequence[str]) -> None:
    found = 0
    for begin in range(0, len(wanted), BATCH):
        tokens = [*chain.from_iterable(book.records.tokens("id_index", wanted[begin : begin + BATCH]))]
        with book.stores.data.read() as session:
            rows = session.connection().execute(_SEALED, {"wanted": tokens}).all()
        sealed = [
            SealedRecord(row, row, {"id_cell": a, "name_cell": b, "mobile_cell": c, "packed_cell": d})
            for row, a, b, c, d in rows
        ]
        found += sum(len(record.values) == 10 for record in book.records.open(sealed))
    assert found == len(wanted)


def _one_by_one(book: _Sealed, wanted: Sequence[str], find: Callable[[_Sealed, Sequence[str]], None]) -> None:
    for value in wanted:
        find(book, [value])
