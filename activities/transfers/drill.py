"""The emergency exercise of a transfer job (应急演练): one fault into a scratch copy, recovery measured.

A drill has teeth: it first makes sure that the fault was really there (a worker died with rows left to move, a proof
saw the flipped byte, a step was refused for want of keys), or it says that nothing was injected and proves nothing.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from sqlmodel import Session, col, func, select

from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.domain.transfers.states import MoveState, Side, WaveState
from models.errors import KeysUnavailable
from models.queries.transfers.report_facts import hops_of, sources_of
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferChange, TransferRow, TransferWave
from workflows.ports.transfers import BackupPort, WavePort

_LOOK_S: Final = 0.005
_MOST_S: Final = 300.0


class DrillFault(StrEnum):
    """What can be injected."""

    WORKER_KILLED = "worker-killed"  # 批次更新中途终止工作进程
    BACKUP_CORRUPTED = "backup-corrupted"  # 备份损坏
    KEYS_LOST = "keys-lost"  # 密钥提供方失联


@dataclass(frozen=True, kw_only=True, slots=True)
class Drilled:
    """What an exercise showed.

    Attributes:
        detected: by which code or sign the product showed the fault.
        rto_ms: from the moment at which recovery could begin until work went on (恢复时间).
        rpo_records: records that were there before the fault and are not there after recovery (丢失数据).
        checks: what had to hold afterwards, each with its answer.
    """

    fault: DrillFault
    job: str
    injected: bool
    detected: str
    rto_ms: int
    rpo_records: int
    checks: dict[str, bool]
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def recovered(self) -> bool:
        """Whether the fault was there, and everything holds again."""
        return self.injected and bool(self.checks) and all(self.checks.values()) and self.rpo_records == 0

    def facts(self) -> dict[str, Any]:
        """As the audit log keeps it, and the report reads it."""
        told = asdict(self)
        return {
            "fault": self.fault.value,
            "recovered": self.recovered,
            "injected": self.injected,
            "detected": self.detected,
            "rtoMs": self.rto_ms,
            "rpoRecords": self.rpo_records,
            "checks": told["checks"],
            "figures": told["figures"],
        }


class Worker(Protocol):
    """A process of its own that works on the scratch copy."""

    def kill(self) -> None:
        """End it as `kill -9` does."""

    def join(self) -> int:
        """Wait for its end; its exit code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A scratch copy of the stores with everything that a drill may break.

    Attributes:
        start_worker: begins a process that moves the rows of a wave from its beginning.
        lose_keys: makes the provider of the key-encryption key answer no more; `find_keys`: again.
        containers: where the scratch copy's backups lie.
    """

    job: str
    database: Database
    waves: WavePort
    backups: BackupPort
    start_worker: Callable[[ChunkStep], Worker]
    lose_keys: Callable[[], None]
    find_keys: Callable[[], None]
    containers: Path


def hold(bench: Bench, fault: DrillFault) -> Drilled:
    """Inject one fault and measure how the work goes on."""
    return _SCENARIOS[fault](bench)


# 批次更新中途终止工作进程


def _worker_killed(bench: Bench) -> Drilled:
    wave = open_wave(bench)
    step = ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt)
    first = bench.start_worker(step)
    deadline = time.monotonic() + _MOST_S
    while _moved(bench, wave.number) == 0 and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    first.kill()
    began = time.monotonic()
    committed = _moved_rows(bench, wave.number)
    left = wave.rows - len(committed)
    second = bench.start_worker(step)
    while left and _moved(bench, wave.number) <= len(committed) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    rto_ms = _milliseconds(began)
    ended = second.join() == 0
    answer = bench.waves.end_wave(step)
    lost = len(committed - _moved_rows(bench, wave.number))
    return Drilled(
        fault=DrillFault.WORKER_KILLED,
        job=bench.job,
        injected=bool(committed) and left > 0,
        detected="process-gone",
        rto_ms=rto_ms,
        rpo_records=lost,
        checks={
            "worker-ended": ended,
            "wave-moved": answer.state == WaveState.MOVED,
            "no-row-twice": _twice(bench) == 0,
            "conserved": _conserved(bench),
        },
        figures={"wave": wave.number, "rows": wave.rows, "movedAtKill": len(committed)},
    )


# 密钥提供方失联


def _keys_lost(bench: Bench) -> Drilled:
    wave = open_wave(bench)
    step = ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt)
    before = _moved(bench, wave.number)
    bench.lose_keys()
    detected = "none"
    try:
        bench.waves.move_rows(step)
    except KeysUnavailable as refused:
        detected = refused.code
    untouched = _moved(bench, wave.number) == before
    bench.find_keys()
    began = time.monotonic()
    moved_on = walk_wave(bench.waves, step)
    rto_ms = _milliseconds(began)
    answer = bench.waves.end_wave(step)
    return Drilled(
        fault=DrillFault.KEYS_LOST,
        job=bench.job,
        injected=detected == KeysUnavailable.code,
        detected=detected,
        rto_ms=rto_ms,
        rpo_records=max(0, before - _moved(bench, wave.number)),
        checks={
            "nothing-written-without-keys": untouched,
            "went-on": moved_on,
            "wave-moved": answer.state == WaveState.MOVED,
            "conserved": _conserved(bench),
        },
        figures={"wave": wave.number, "rows": wave.rows},
    )


# 备份损坏


def _backup_corrupted(bench: Bench) -> Drilled:
    step = ChunkStep(job=bench.job, side=Side.TARGET.value)
    bench.backups.snapshot(step)
    broken = flip_byte(bench.containers)
    answer = bench.backups.prove_backup(step)
    began = time.monotonic()
    again = bench.backups.prove_backup(step)  # makes another one first, since this one was found wrong
    rto_ms = _milliseconds(began)
    return Drilled(
        fault=DrillFault.BACKUP_CORRUPTED,
        job=bench.job,
        injected=broken and answer.stopped is not None,
        detected=answer.stopped or "none",
        rto_ms=rto_ms,
        rpo_records=0 if again.stopped is None else _records(bench),
        checks={"fault-named": answer.stopped is not None, "proven-again": again.stopped is None},
        figures={"records": _records(bench)},
    )


def flip_byte(folder: Path) -> bool:
    """Change one bit in the middle of the newest container; False where there is none."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"]
    if not found:
        return False
    newest = max(found, key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(bytes(content))
    return True


_SCENARIOS: Final[dict[DrillFault, Callable[[Bench], Drilled]]] = {
    DrillFault.WORKER_KILLED: _worker_killed,
    DrillFault.KEYS_LOST: _keys_lost,
    DrillFault.BACKUP_CORRUPTED: _backup_corrupted,
}


# What all of them need ------------------------------------------------------------------------------------------------


def open_wave(bench: Bench) -> TransferWave:
    """A wave of the scratch copy that moves and has rows left: a planned one, or the last one, rolled back and begun.

    Raises:
        LookupError: the job has no rows that could be moved.
    """
    waves = _waves(bench)
    if not waves:
        bench.waves.plan_waves(JobStep(job=bench.job))
        waves = _waves(bench)
    wave = next((each for each in waves if each.state == WaveState.PLANNED), None)
    attempt = wave.attempt if wave is not None else 0
    if wave is None:
        wave = next((each for each in reversed(waves) if each.state == WaveState.MOVED), None)
        if wave is None:
            raise LookupError(bench.job)
        undo = ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt)
        while (done := bench.waves.undo_rows(undo)).after is not None:
            undo = ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt, after=done.after)
        bench.waves.end_undo(ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt))
        attempt = wave.attempt + 1
    bench.waves.begin_wave(ChunkStep(job=bench.job, wave=wave.number, attempt=attempt))
    return next(each for each in _waves(bench) if each.number == wave.number)


def walk_wave(waves: WavePort, step: ChunkStep) -> bool:
    """All parts of a wave, as a worker does; whether it came to its end."""
    after = ""
    while True:
        done = waves.move_rows(ChunkStep(job=step.job, wave=step.wave, attempt=step.attempt, after=after))
        if done.after is None or done.stopped or done.paused:
            return done.stopped is None and not done.paused
        after = done.after


def _waves(bench: Bench) -> list[TransferWave]:
    with bench.database.read() as session:
        query = select(TransferWave).where(TransferWave.job == bench.job).order_by(col(TransferWave.number))
        return list(session.exec(query))


def _moved(bench: Bench, wave: int) -> int:
    return len(_moved_rows(bench, wave))


def _moved_rows(bench: Bench, wave: int) -> set[int]:
    with bench.database.read() as session:
        return set(
            session.exec(
                select(TransferRow.number).where(
                    TransferRow.job == bench.job, TransferRow.wave == wave, TransferRow.move == MoveState.MOVED
                )
            )
        )


def _twice(bench: Bench) -> int:
    """Rows with more than one standing line in the journal."""
    with bench.database.read() as session:
        return len(
            session.exec(
                select(TransferChange.row_number)
                .where(TransferChange.job == bench.job, col(TransferChange.undone_at).is_(None))
                .group_by(col(TransferChange.row_number))
                .having(func.count() > 1)
            ).all()
        )


def _conserved(bench: Bench) -> bool:
    with bench.database.read() as session:
        return _hops_hold(session, bench.job)


def _hops_hold(session: Session, job: str) -> bool:
    return all(hop.holds for hop in hops_of(session, job, sources_of(session, job)))


def _records(bench: Bench) -> int:
    with bench.database.read() as session:
        tenant = bench.job.partition(".")[0]
        return session.exec(
            select(func.count()).select_from(CustomerRecord).where(CustomerRecord.tenant == tenant)
        ).one()


def _milliseconds(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
