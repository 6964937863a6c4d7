"""The exercise with a poison file (毒文件): a workbook that would burst is handed in as a source of the job."""

import csv
import resource
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sqlmodel import col, delete, func, select, update

from activities.transfers.drill_bench import Bench, Drilled, DrillFault, conserved, milliseconds
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.contracts.transfers import ChunkDone, ChunkStep
from models.domain.canonical import digest
from models.domain.tokens import new_token
from models.domain.transfers.mapping import parse_mapping
from models.tables.transfers import TransferJob, TransferRow, TransferSource

_POISON, _GOOD = "drill-poison.xlsx", "drill-good.csv"
_MEGABYTES: Final = 200
_ROWS: Final = 20
_MOST_MS: Final = 2_000
_MOST_GROWN_KB: Final = 50 << 10
_COLUMNS: Final = ("customer_no", "name", "id_type", "id_number", "mobile")
_MAPPING: Final = "version = 1\n" + "".join(f'[fields.{name}]\ncolumn = "{name}"\n' for name in _COLUMNS)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def poison_file(bench: Bench) -> Drilled:
    """The file is refused in time and memory, nothing of it is read, and a good one in its place is."""
    with bench.database.read() as session:
        job = session.get_one(TransferJob, bench.job)
    folder = bench.exchange / job.tenant
    folder.mkdir(parents=True, exist_ok=True)
    _write_bomb(folder / _POISON)
    _register(bench, job, kind="xlsx", place=_POISON)
    before, peak, began = _read(bench), _peak_kb(), time.monotonic()
    answer = bench.collect.collect(ChunkStep(job=bench.job))
    refused_ms, grown = milliseconds(began), _peak_kb() - peak
    untouched = _read(bench) == before
    began = time.monotonic()
    _write_good(folder / _GOOD)
    _register(bench, job, kind="csv", place=_GOOD)
    went_on = _walk(bench, "collect") and _walk(bench, "verify_rows")
    rto_ms, read = milliseconds(began), _read(bench) - before
    return Drilled(
        fault=DrillFault.POISON_FILE,
        job=bench.job,
        injected=_unpacked(folder / _POISON) >= _MEGABYTES << 20 and answer.stopped is not None,
        detected=answer.stopped or "none",
        rto_ms=rto_ms,
        rpo_records=max(0, before - _read(bench)),
        checks={
            "refused-in-time": refused_ms <= _MOST_MS,
            "memory-kept": grown <= _MOST_GROWN_KB,
            "nothing-read-of-it": untouched,
            "good-file-read": went_on and read == _ROWS,
            "conserved": conserved(bench),
        },
        figures={"refusedMs": refused_ms, "grownKb": grown, "rows": read},
    )


def _register(bench: Bench, job: TransferJob, *, kind: str, place: str) -> None:
    """The file becomes the one source that is not read yet; what the drill put there before is taken out."""
    now, mapping = bench.clock(), parse_mapping(_MAPPING).as_document()
    deed = Deed(tenant=job.tenant, action="transfer.drill-source", target=job.token, actor="operator", at=now)
    with unit_of_work(bench.database, deed) as unit:
        session: Any = unit.session
        session.exec(
            delete(TransferSource).where(
                col(TransferSource.job) == job.token, col(TransferSource.place).in_((_POISON, _GOOD))
            )
        )
        session.exec(
            update(TransferSource)
            .where(col(TransferSource.job) == job.token, col(TransferSource.finished_at).is_(None))
            .values(finished_at=now)
        )
        session.exec(update(TransferJob).where(col(TransferJob.token) == job.token).values(paused_at=None))
        last = session.exec(select(func.max(TransferSource.number)).where(TransferSource.job == job.token)).one()
        source = TransferSource(
            id=new_token("tsr"),
            tenant=job.tenant,
            job=job.token,
            number=(last or 0) + 1,
            kind=kind,
            place=place,
            mapping=mapping,
            mapping_hash=digest(mapping),
        )
        session.add(source)


def _walk(bench: Bench, step: str) -> bool:
    after = ""
    while True:
        done: ChunkDone = getattr(bench.collect, step)(ChunkStep(job=bench.job, after=after))
        if done.after is None or done.stopped or done.paused:
            return done.stopped is None and not done.paused
        after = done.after


def _read(bench: Bench) -> int:
    with bench.database.read() as session:
        return session.exec(select(func.count()).select_from(TransferRow).where(TransferRow.job == bench.job)).one()


def _peak_kb() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _write_bomb(path: Path) -> None:
    blank = b" " * (1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(_MEGABYTES):
                part.write(blank)


def _unpacked(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(part.file_size for part in archive.infolist())


def _write_good(path: Path) -> None:
    """People who do not exist, each with a number that could be one."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for number in range(1, _ROWS + 1):
            born = date(1980, 1, 1) + timedelta(days=97 * number)
            first = f"110101{born:%Y%m%d}{number:03d}"
            check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True)) % 11]
            row = (f"DRILL{number:05d}", "演练甲", "resident-id", first + check, f"1390000{number:04d}")
            writer.writerow(row)
