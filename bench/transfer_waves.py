"""Waves of a transfer: records/s moved, reconciled and rolled back, beside parsing, sealing and bulk insert alone."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import insert

from activities.transfers.waves import SqlWaves
from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from compliance.vault.customer_layout import CUSTOMER_LAYOUT, STORED_COLUMNS, Customer, seal_customers
from compliance.vault.transfer_rows import seal_rows
from models.contracts.transfers import ChunkStep, JobStep
from models.operations.transfers.wave_moves import RECORDS
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.training import sponsored

ROWS: Final = 20_000
_KNOWN: Final = 5  # every fifth row is a customer whom the target has
_TENANT: Final = "main"
_JOB: Final = f"{_TENANT}.00000000000000000000000001"
_CHUNK: Final = 500
_WAVES: Final = 4
_THEN: Final = NOW - timedelta(days=30)
_FIELDS: Final = (
    "customer_no", "name", "id_type", "id_number", "mobile", "email", "account", "sex", "birth_date", "address",
    "employer", "language",
)  # fmt: skip


def _person(number: int, prefix: str) -> dict[str, str]:
    return {
        "customer_no": f"{prefix}{number:08d}",
        "name": "欧阳晓雯",
        "id_type": "passport",
        "id_number": f"E{number:08d}",
        "mobile": f"+86138{number:08d}",
        "email": f"customer{number}@example.com",
        "account": f"62220212{number:08d}",
        "sex": "F",
        "birth_date": "1949-12-31",
        "address": "上海市浦东新区某某路一百二十八弄六号五〇二室",
        "employer": "某某科技（上海）有限公司",
        "language": "zh-CN",
    }


@measures("transfer-waves")
def transfer_waves(scale: float) -> Iterable[Figure]:
    """Move, reconcile, roll back and move again; a fifth of the rows are merged into records that are there."""
    rows = max(500, int(ROWS * scale))
    with empty_stores() as stores:
        _job(stores, rows)
        steps = SqlWaves(stores.data, stores.vault, lambda: NOW)
        waves = steps.plan_waves(JobStep(job=_JOB)).waves
        numbers = list(range(1, waves + 1))
        moving = seconds(partial(_walk, steps, "move_rows", numbers, 1))
        ending = seconds(lambda: [_end(steps, number, 1) for number in numbers])
        reconciling = seconds(lambda: _none(steps.reconcile(JobStep(job=_JOB)).stopped))
        undoing = seconds(partial(_walk, steps, "undo_rows", list(reversed(numbers)), 1))
        proving = seconds(lambda: [_undone(steps, number, 1) for number in reversed(numbers)])
    with empty_stores() as stores:
        _tenant(stores)
        floor = Floor(
            name="parse, seal and insert alone, records/s", value=rows / seconds(partial(_bare, stores, rows))
        )
    yield Figure(name=f"{rows:,} rows moved in {waves} waves", value=rows / moving, unit="records/s", floor=floor)
    yield Figure(name="waves held against their rows", value=rows / ending, unit="records/s", floor=floor)
    yield Figure(name="the whole job reconciled", value=rows / reconciling, unit="records/s", floor=floor)
    yield Figure(
        name="moved and reconciled", value=rows / (moving + ending + reconciling), unit="records/s", floor=floor
    )
    yield Figure(name="rolled back and proven", value=rows / (undoing + proving), unit="records/s", floor=floor)


def _tenant(stores: Stores) -> None:
    stores.vault.ensure_tenant(_TENANT)
    with stores.data.write() as session:
        session.add(Tenant(code=_TENANT, name="-", created_at=NOW))


def _job(stores: Stores, rows: int) -> None:
    _tenant(stores)
    plan = {"waveRows": -(-rows // _WAVES), "asOf": NOW.isoformat()}
    with stores.data.write() as session:
        session.add(
            TransferJob(
                token=_JOB, tenant=_TENANT, branch="hq", plan=plan, plan_hash="-", stage="updating", created_by="-",
                created_by_person="-", created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        sponsored(session, _JOB, tenant=_TENANT)
        session.add(
            TransferSource(
                id="tsr_1", tenant=_TENANT, job=_JOB, number=1, kind="csv", place="-", mapping_hash="-", read_rows=rows,
                finished_at=NOW,
            )
        )  # fmt: skip
    for first in range(1, rows + 1, _CHUNK):
        _some(stores, range(first, min(first + _CHUNK, rows + 1)))


def _some(stores: Stores, numbers: Sequence[int]) -> None:
    known = [number for number in numbers if number % _KNOWN == 0]
    less = [{k: v for k, v in _person(number, "T").items() if k != "email"} for number in known]
    customers = [Customer(f"cus_{n:026d}", f"sub_t{n:025d}", each) for n, each in zip(known, less, strict=True)]
    stored = list(seal_customers(stores.vault, tenant=_TENANT, customers=customers, create=True))
    rows = [(f"sub_r{number:025d}", _person(number, "S")) for number in numbers]
    cells = list(seal_rows(stores.vault, tenant=_TENANT, rows=rows, create=True))
    with stores.data.write() as session:
        session.add_all(
            CustomerRecord(
                id=each.id, tenant=_TENANT, subject_id=each.subject, created_at=_THEN, updated_at=_THEN, **each.columns
            )
            for each in stored
        )
        session.add_all(
            TransferRow(
                job=_JOB, number=number, tenant=_TENANT, source="tsr_1", line=number, subject_id=subject, row_cell=cell,
                outcome="accepted" if number % _KNOWN else "merged",
                target_record=None if number % _KNOWN else f"cus_{number:026d}",
            )
            for number, (subject, cell) in zip(numbers, cells, strict=True)
        )  # fmt: skip


def _walk(steps: SqlWaves, step: str, waves: Sequence[int], attempt: int) -> None:
    for wave in waves:
        if step == "move_rows":
            steps.begin_wave(ChunkStep(job=_JOB, wave=wave, attempt=attempt))
        after: str | None = ""
        while after is not None:
            done = getattr(steps, step)(ChunkStep(job=_JOB, wave=wave, attempt=attempt, after=after))
            _none(done.stopped)
            after = done.after


def _end(steps: SqlWaves, wave: int, attempt: int) -> None:
    if not steps.end_wave(ChunkStep(job=_JOB, wave=wave, attempt=attempt)).root_equal:
        raise RuntimeError("a wave differs from its rows")


def _undone(steps: SqlWaves, wave: int, attempt: int) -> None:
    if not steps.end_undo(ChunkStep(job=_JOB, wave=wave, attempt=attempt)).root_equal:
        raise RuntimeError("a wave was not put back")


def _none(stopped: str | None) -> None:
    if stopped is not None:
        raise RuntimeError(f"the job stopped: {stopped}")


def _bare(stores: Stores, rows: int) -> None:
    """A plain script: CSV in, one key and one sealed record a person, bulk insert; no journal, no event, no undo."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _FIELDS)
    writer.writeheader()
    writer.writerows(_person(number, "S") for number in range(rows))
    text.seek(0)
    reader = enumerate(csv.DictReader(text))
    customers = (Customer(f"cus_{number:026d}", f"sub_{number:026d}", values) for number, values in reader)
    chunk: list[dict[str, object]] = []
    columns = dict.fromkeys((*STORED_COLUMNS, *CUSTOMER_LAYOUT.indexes))
    for stored in seal_customers(stores.vault, tenant=_TENANT, customers=customers, create=True):
        chunk.append(
            {
                **columns, **stored.columns, "id": stored.id, "tenant": _TENANT, "subject_id": stored.subject,
                "state": "active", "person_link": None, "version": 1, "origin": None, "created_at": NOW,
                "updated_at": NOW, "erased_at": None,
            }
        )  # fmt: skip
        if len(chunk) == _CHUNK:
            _insert(stores, chunk)
    _insert(stores, chunk)


def _insert(stores: Stores, chunk: list[dict[str, object]]) -> None:
    if chunk:
        with stores.data.write() as session:
            session.connection().execute(insert(RECORDS), list(chunk))
        chunk.clear()
