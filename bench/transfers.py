"""A transfer from the first byte of its file to reconciliation, stage by stage, beside its floor."""

import csv
import json
import os
import resource
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table

from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from bench.transfer_stages import TENANT, back_up, open_job, open_tenant, stages
from deploy.customers import load_customers
from deploy.demo.transfer_book import SOURCE, TARGET, TransferBook, write_transfer_book
from deploy.demo.transfers.recipe import RECIPES

SIZES: Final = (100_000, 1_000_000)
_OVERLAP: Final = 200  # per mille
_SEED: Final = 20_261_122
_LEAST: Final = 500
_CHUNK: Final = 500
_NONCE_BYTES: Final = 12
_LINEAR: Final = 1.25  # seconds a record of the larger book, beside those of the smaller one
_MEGABYTE: Final = 1024  # in the units of `ru_maxrss`
_MATCHED: Final = 50_000
_MATCHED_WITHIN_S: Final = 10


@measures("transfers")
def transfers(scale: float) -> Iterable[Figure]:
    """Move generated customers into a book of half their number; each stage, the whole beside its floor, the memory."""
    per_record: list[float] = []
    for size in SIZES:
        customers = max(_LEAST, int(size * scale))
        with empty_stores() as stores:
            yield from _loaded(stores, customers)
            floor = _floor(stores, stores.folder / SOURCE)
            ports = open_job(stores, stores.folder / SOURCE)
            for name, work in back_up(ports):
                yield _rate(name, customers // 2, seconds(work))
            total = 0.0
            for name, work in stages(ports):
                took = seconds(work)
                total += took
                yield _rate(name, customers, took)
        per_record.append(total / customers)
        yield Figure(
            name=f"{customers:,} customers from parse to reconcile",
            value=total,
            unit="s",
            floor=Floor(name="parse, AEAD and bulk insert alone, s", value=floor),
            ratio_at_most=2,
        )
        yield Figure(name=f"peak memory with {customers:,}", value=_peak_megabytes(), unit="MB")
    yield Figure(
        name="a record of the larger book",
        value=per_record[-1] * 1e6,
        unit="µs",
        floor=Floor(name="of the smaller one, µs", value=per_record[0] * 1e6),
        ratio_at_most=_LINEAR,
    )


@measures("transfer-matching")
def transfer_matching(scale: float) -> Iterable[Figure]:
    """Find 50,000 customers in a book of 50,000: tokens of both sides, candidates, score and policy."""
    customers = max(_LEAST, int(_MATCHED * scale))
    with empty_stores() as stores:
        _books(stores, customers, customers)
        ports = open_job(stores, stores.folder / SOURCE)
        took = 0.0
        for name, work in stages(ports):
            if name in {"move in waves", "reconcile"}:
                break
            spent = seconds(work)
            took += spent if name not in {"collect", "verify"} else 0.0
    yield Figure(name=f"{customers:,} × {customers:,}", value=took, unit="s", at_most=_MATCHED_WITHIN_S)


def _loaded(stores: Stores, customers: int) -> Iterable[Figure]:
    """Write both books and load the acquirer's: a load in bulk is a figure too."""
    book = max(_LEAST // 2, customers // 2)
    took = _books(stores, customers, book)
    yield _rate("load a book", book, took)


def _books(stores: Stores, source: int, target: int) -> float:
    recipe = RECIPES["gentle"]
    write_transfer_book(
        stores.folder, TransferBook(source=source, target=target, overlap=_OVERLAP, seed=_SEED, recipe=recipe)
    )
    open_tenant(stores)
    load = partial(load_customers, stores.data, stores.vault, stores.folder / TARGET, tenant=TENANT, clock=lambda: NOW)
    return seconds(load)


def _floor(stores: Stores, file: Path) -> float:
    """Read the file as CSV, seal each line as one cell under one key, insert it: what no transfer can do without."""
    metadata = MetaData()
    table = Table("floor_rows", metadata, Column("id", Integer, primary_key=True), Column("cell", LargeBinary))
    metadata.create_all(stores.data.engine)
    took = seconds(partial(_parse_seal_insert, stores, file, table))
    metadata.drop_all(stores.data.engine)
    return took


def _parse_seal_insert(stores: Stores, file: Path, table: Table) -> None:
    cipher = AESGCM(os.urandom(32))
    with file.open(encoding="utf-8", newline="") as lines:
        rows: Any = enumerate(csv.reader(lines))
        while chunk := list(islice(rows, _CHUNK)):
            values = []
            for number, line in chunk:
                nonce = os.urandom(_NONCE_BYTES)
                plain = json.dumps(line, ensure_ascii=False).encode()
                values.append({"id": number, "cell": nonce + cipher.encrypt(nonce, plain, number.to_bytes(8))})
            with stores.data.write() as session:
                session.execute(table.insert(), values)


def _rate(name: str, records: int, took: float) -> Figure:
    return Figure(name=f"{name}, {records:,}", value=records / took if took else 0.0, unit="records/s")


def _peak_megabytes() -> float:
    """Of this process so far: sizes grow, so it is the last one's."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE
