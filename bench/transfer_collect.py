"""Collecting a transfer job: parse, spell, check, seal and load a CSV, beside parse + AEAD + bulk insert alone."""

import csv
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Engine, Index, MetaData, Table, UniqueConstraint

from activities.transfers.collect_steps import SqlCollect
from activities.transfers.sources.desk import Sources
from bench.measuring import NOW, Stores, empty_stores
from bench.registry import Figure, Floor, measures
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.tables import SubjectKey
from models.contracts.transfers import ChunkDone, ChunkStep
from models.domain.bank_card import luhn_digit
from models.domain.canonical import digest
from models.domain.customers.uscc import uscc_character
from models.domain.customers.validity import check_record
from models.domain.resident_id import check_character
from models.domain.transfers.mapping import FieldRule, TransferMapping
from models.domain.transfers.states import JobStage
from models.queries.transfers.conservation import conservation_of
from models.tables.all import METADATA
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.training import sponsored

ROWS: Final = 100_000
BATCH: Final = 500
FIELDS: Final = (
    "customer_no", "name", "id_type", "id_number", "id_valid_until", "mobile", "email", "account", "sex", "birth_date",
    "nationality", "occupation", "employer", "employer_uscc", "address", "postcode",
)  # fmt: skip
JOB: Final = "main.00000000000000000000000000"
TIMES: Final = 2.0  # of the floor
CANONICAL_AT_LEAST: Final = 30_000
_PEAK_UNITS: Final = 1 << 20 if sys.platform == "darwin" else 1 << 10  # in a MiB
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英"


@measures("transfer-collect")
def transfer_collect(scale: float) -> Iterable[Figure]:
    """A book of customers with sixteen fields, one in a hundred of them faulty, from a CSV file into sealed rows."""
    rows = max(2_000, int(ROWS * scale))
    with empty_stores() as stores:
        path = stores.folder / "exchange" / "main" / "book.csv"
        path.parent.mkdir(parents=True)
        _write(path, rows)
        yield _canonical(path)
        steps = _open(stores, path)
        floor = _floor(stores, path)
        collecting = _seconds(lambda: _to_the_end(steps.collect))
        verifying = _seconds(lambda: _to_the_end(steps.verify_rows))
        with stores.data.read() as session:
            assert conservation_of(session, JOB).holds
        base = Floor(name="csv.reader + AES-GCM of row and key + bulk insert of both, records/s", value=rows / floor)
        yield Figure(
            name=f"parsed, spelt, sealed and loaded, {rows:,} rows", value=rows / collecting, unit="/s", floor=base,
            ratio_at_least=1 / TIMES,
        )  # fmt: skip
        yield Figure(name=f"opened, checked and decided, {rows:,} rows", value=rows / verifying, unit="/s", floor=base)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        yield Figure(
            name="peak memory of the process", value=peak / (1024 if sys.platform != "darwin" else 1 << 20), unit="MiB"
        )


def _seconds(work: Callable[[], object]) -> float:
    """Of processor time, this process alone: what else the machine does is in neither figure."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _canonical(path: Path) -> Figure:
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        next(reader)
        values = [dict(zip(FIELDS, row, strict=True)) for row in islice(reader, 5_000)]
    today = NOW.date()

    def check() -> None:
        for each in values:
            check_record(each, today=today)

    best = min(_seconds(check) for _ in range(5))
    return Figure(name="records spelt and checked", value=len(values) / best, unit="/s", at_least=CANONICAL_AT_LEAST)


def _people(rows: int) -> Iterator[list[str]]:
    for number in range(rows):
        born = f"{1950 + number % 50}{1 + number % 12:02d}{1 + number % 28:02d}"
        body = f"11010{1 + number % 9}{born}{number // 600 % 1_000:03d}"
        card, code = f"622999{number:09d}", f"9111010{number % 10}MA{number % 10_000_000:07d}"
        given = _GIVEN[number % len(_GIVEN)] + _GIVEN[number // 7 % len(_GIVEN)]
        yield [
            f"K{number:09d}", f"王{given}", "身份证", body + check_character(body), "20350101",
            f"138{number % 100_000_000:08d}" if number % 100 else "12345", f"user{number}@example.com",
            card + luhn_digit(card), "男" if int(body[16]) % 2 else "女", born, "中国", "职员",
            f"第{number % 997}科技有限公司",
            code + uscc_character(code), f"北京市海淀区中关村大街{number % 999}号{number % 30}室", "100080",
        ]  # fmt: skip


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(FIELDS)
        writer.writerows(_people(rows))


def _open(stores: Stores, path: Path) -> SqlCollect:
    METADATA.create_all(stores.data.engine)
    stores.vault.ensure_tenant("main")
    mapping = TransferMapping(version=1, fields={name: FieldRule(column=name) for name in FIELDS}).as_document()
    deed = Deed(tenant="main", action="bench", target=JOB, actor="bench", at=NOW)
    with unit_of_work(stores.data, deed) as unit:
        unit.session.add(Tenant(code="main", name="main", created_at=NOW))
        unit.session.flush()
        unit.session.add(
            TransferJob(
                token=JOB,
                tenant="main",
                branch="hq",
                plan_hash=digest({}),
                stage=JobStage.COLLECTING.value,
                created_by="bench",
                created_by_person="bench",
                created_at=NOW,
                updated_at=NOW,
            )
        )
        unit.session.flush()
        sponsored(unit.session, JOB, tenant="main")
        unit.session.add(
            TransferSource(
                id="tsr_bench",
                tenant="main",
                job=JOB,
                number=1,
                kind="csv",
                place=path.name,
                mapping=mapping,
                mapping_hash=digest(mapping),
            )
        )
    sources = Sources(path.parent.parent, {}, stores.vault)
    return SqlCollect(stores.data, stores.vault, sources, lambda: NOW)


def _to_the_end(step: object) -> None:
    done = ChunkDone(after="")
    while done.after is not None:
        done = step(ChunkStep(job=JOB, after=done.after))  # type: ignore[operator]


def _floor(stores: Stores, path: Path) -> float:
    """The least: parse; one AEAD of each row under its own key, one of that key; both inserted, in the same chunks.

    The tables are copies of those that collecting fills, with their keys and indexes, in the same two databases.
    """
    rows_into = _copy(stores.data.engine, TransferRow.__table__)  # type: ignore[attr-defined]
    keys_into = _copy(stores.vault.branches.database.engine, SubjectKey.__table__)  # type: ignore[attr-defined]
    wrapping = AESGCM(os.urandom(32))

    def load() -> None:
        with path.open(encoding="utf-8", newline="") as source:
            reader = csv.reader(source)
            next(reader)
            number = 0
            while chunk := list(islice(reader, BATCH)):
                rows, keys = [], []
                for row in chunk:
                    number += 1
                    key, subject = os.urandom(32), f"sub_{number:026d}"
                    wrapped = wrapping.encrypt(os.urandom(12), key, None)
                    cell = AESGCM(key).encrypt(os.urandom(12), "\x00".join(row).encode(), None)
                    keys.append(
                        {
                            "tenant": "main", "subject_id": subject, "version": 1, "suite": 1, "branch_version": 1,
                            "wrapped": wrapped, "commitment": wrapped[:16], "state": "active", "created_at": NOW,
                        }
                    )  # fmt: skip
                    rows.append(
                        {
                            "job": JOB, "number": number, "tenant": "main", "source": "tsr_bench", "line": number + 1,
                            "subject_id": subject, "row_cell": cell, "faults": [], "digest": wrapped[:32],
                            "move": "waiting", "version": 1,
                        }
                    )  # fmt: skip
                with stores.vault.branches.database.write() as session:
                    session.connection().execute(keys_into, keys)
                with stores.data.write() as session:
                    session.connection().execute(rows_into, rows)

    return _seconds(load)


def _copy(engine: Engine, table: Table) -> Any:
    """An empty table of the same shape, without references to others; the statement that fills it."""
    columns = [
        Column(each.name, each.type, primary_key=each.primary_key, nullable=each.nullable, autoincrement=False)
        for each in table.columns
    ]
    indexes = [Index(f"bench_{each.name}", *each.columns.keys(), unique=each.unique) for each in table.indexes]
    unique = [
        UniqueConstraint(*each.columns.keys()) for each in table.constraints if isinstance(each, UniqueConstraint)
    ]
    copied = Table(f"bench_{table.name}", MetaData(), *columns, *indexes, *unique)
    copied.create(engine)
    return copied.insert()
