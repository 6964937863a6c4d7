"""What every exercise of a transfer job works with: a scratch copy of the stores, and what it asks of them."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from sqlmodel import Session, col, func, select

from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.states import MoveState, WaveState
from models.queries.transfers.report_facts import hops_of, sources_of
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferChange, TransferRow, TransferWave
from workflows.ports.transfers import BackupPort, CollectPort, NoticePort, WavePort


class DrillFault(StrEnum):
    """What can be injected."""

    WORKER_KILLED = "worker-killed"  # 批次更新中途终止工作进程
    BACKUP_CORRUPTED = "backup-corrupted"  # 备份损坏
    KEYS_LOST = "keys-lost"  # 密钥提供方失联
    POISON_FILE = "poison-file"  # 毒文件：解压炸弹
    GATEWAY_DOWN = "gateway-down"  # 通知网关中断


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


class MessageDesk(Protocol):
    """A provider of messages that can be away, and the time by which notices are due."""

    down: bool
    taken: dict[str, int]
    turned_away: int

    def advance(self, seconds: int) -> None:
        """Have time pass for the notices."""


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
        exchange: where the scratch copy's sources lie: a folder below it for each tenant.
        desk: who takes the scratch copy's notices; nothing of them leaves the process.
    """

    job: str
    database: Database
    waves: WavePort
    backups: BackupPort
    start_worker: Callable[[ChunkStep], Worker]
    lose_keys: Callable[[], None]
    find_keys: Callable[[], None]
    containers: Path
    exchange: Path
    collect: CollectPort
    notices: NoticePort
    desk: "MessageDesk"
    clock: Clock


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


def moved(bench: Bench, wave: int) -> int:
    """How many rows of a wave have moved."""
    return len(moved_rows(bench, wave))


def moved_rows(bench: Bench, wave: int) -> set[int]:
    """Their numbers."""
    with bench.database.read() as session:
        return set(
            session.exec(
                select(TransferRow.number).where(
                    TransferRow.job == bench.job, TransferRow.wave == wave, TransferRow.move == MoveState.MOVED
                )
            )
        )


def twice(bench: Bench) -> int:
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


def conserved(bench: Bench) -> bool:
    """Whether the rows of the job add up at each hop."""
    with bench.database.read() as session:
        return _hops_hold(session, bench.job)


def _hops_hold(session: Session, job: str) -> bool:
    return all(hop.holds for hop in hops_of(session, job, sources_of(session, job)))


def records(bench: Bench) -> int:
    """How many customers the target has."""
    with bench.database.read() as session:
        tenant = bench.job.partition(".")[0]
        return session.exec(
            select(func.count()).select_from(CustomerRecord).where(CustomerRecord.tenant == tenant)
        ).one()


def milliseconds(began: float) -> int:
    """Since an instant of the monotonic clock."""
    return int((time.monotonic() - began) * 1000)
