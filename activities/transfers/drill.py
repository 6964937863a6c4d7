"""The emergency exercise of a transfer job (应急演练): one fault into a scratch copy, recovery measured.

A drill has teeth: it first makes sure that the fault was really there (a worker died with rows left to move, a proof
saw the flipped byte, a step was refused for want of keys, a file would have burst, a provider turned messages away),
or it says that nothing was injected and proves nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from activities.transfers.drill_bench import (
    Bench,
    Drilled,
    DrillFault,
    conserved,
    milliseconds,
    moved,
    moved_rows,
    open_wave,
    records,
    twice,
    walk_wave,
)
from activities.transfers.drill_gateway import gateway_down
from activities.transfers.drill_poison import poison_file
from models.contracts.transfers import ChunkStep
from models.domain.transfers.states import Side, WaveState
from models.errors import KeysUnavailable

_LOOK_S: Final = 0.005
_MOST_S: Final = 300.0


def hold(bench: Bench, fault: DrillFault) -> Drilled:
    """Inject one fault and measure how the work goes on."""
    return _SCENARIOS[fault](bench)


# 批次更新中途终止工作进程


def _worker_killed(bench: Bench) -> Drilled:
    wave = open_wave(bench)
    step = ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt)
    first = bench.start_worker(step)
    deadline = time.monotonic() + _MOST_S
    while moved(bench, wave.number) == 0 and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    first.kill()
    began = time.monotonic()
    committed = moved_rows(bench, wave.number)
    left = wave.rows - len(committed)
    second = bench.start_worker(step)
    while left and moved(bench, wave.number) <= len(committed) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    rto_ms = milliseconds(began)
    ended = second.join() == 0
    answer = bench.waves.end_wave(step)
    lost = len(committed - moved_rows(bench, wave.number))
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
            "no-row-twice": twice(bench) == 0,
            "conserved": conserved(bench),
        },
        figures={"wave": wave.number, "rows": wave.rows, "movedAtKill": len(committed)},
    )


# 密钥提供方失联


def _keys_lost(bench: Bench) -> Drilled:
    wave = open_wave(bench)
    step = ChunkStep(job=bench.job, wave=wave.number, attempt=wave.attempt)
    before = moved(bench, wave.number)
    bench.lose_keys()
    detected = "none"
    try:
        bench.waves.move_rows(step)
    except KeysUnavailable as refused:
        detected = refused.code
    untouched = moved(bench, wave.number) == before
    bench.find_keys()
    began = time.monotonic()
    moved_on = walk_wave(bench.waves, step)
    rto_ms = milliseconds(began)
    answer = bench.waves.end_wave(step)
    return Drilled(
        fault=DrillFault.KEYS_LOST,
        job=bench.job,
        injected=detected == KeysUnavailable.code,
        detected=detected,
        rto_ms=rto_ms,
        rpo_records=max(0, before - moved(bench, wave.number)),
        checks={
            "nothing-written-without-keys": untouched,
            "went-on": moved_on,
            "wave-moved": answer.state == WaveState.MOVED,
            "conserved": conserved(bench),
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
    rto_ms = milliseconds(began)
    return Drilled(
        fault=DrillFault.BACKUP_CORRUPTED,
        job=bench.job,
        injected=broken and answer.stopped is not None,
        detected=answer.stopped or "none",
        rto_ms=rto_ms,
        rpo_records=0 if again.stopped is None else records(bench),
        checks={"fault-named": answer.stopped is not None, "proven-again": again.stopped is None},
        figures={"records": records(bench)},
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
    DrillFault.POISON_FILE: poison_file,
    DrillFault.GATEWAY_DOWN: gateway_down,
}
