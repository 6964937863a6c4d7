"""A process that moves a job's waves, or rolls them back, until it is done or dies: `wave_course PHASE ATTEMPT`.

Stores and key come by the environment. It says `ready` before its first step, so that whoever kills it hits work.
"""

import os
import sys
from datetime import UTC, datetime

from activities.transfers.waves import SqlWaves
from compliance.vault.kek import EnvKek
from compliance.vault.keyring import open_vault
from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import open_database
from tests.support.transfer_waves import JOB


def _now() -> datetime:
    return datetime.now(UTC)


def main(phase: str, attempt: int) -> None:
    """Do every wave's part of the phase; what is done already is found done."""
    data, keys = open_database(os.environ["WAVES_DATA"]), open_database(os.environ["WAVES_KEYS"])
    vault = open_vault(keys, EnvKek(os.environ["WAVES_KEK"]), _now)
    steps = SqlWaves(data, vault, _now, chunk=5)
    print("ready", flush=True)
    waves = steps.plan_waves(JobStep(job=JOB)).waves
    for wave in range(1, waves + 1) if phase == "move" else range(waves, 0, -1):
        step = ChunkStep(job=JOB, wave=wave, attempt=attempt)
        if phase == "move":
            steps.begin_wave(step)
            assert steps.move_rows(step).stopped is None
            assert steps.end_wave(step).root_equal
        else:
            steps.undo_rows(step)
            assert steps.end_undo(step).root_equal


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
