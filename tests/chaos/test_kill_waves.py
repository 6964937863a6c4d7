"""`kill -9` in the middle of waves and of their rollback: conservation every time, and the book bit for bit."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from sqlmodel import col, func, select

from compliance.vault.kek import EnvKek
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from models.database.engine import Database, open_database
from models.domain.transfers.states import WaveState
from models.tables.transfers import TransferChange
from tests.support.clock import FakeClock
from tests.support.databases import create_data_schema, create_keys_schema
from tests.support.transfer_waves import WaveOffice, persons

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

_ROWS, _KNOWN = 450, 90
_KILLS_A_PHASE = 5
_PHASES = (("move", 1), ("undo", 1), ("move", 2))


def _stores(folder: Path, kek: str, clock: FakeClock) -> tuple[Database, WaveOffice, dict[str, str]]:
    urls = {name: f"sqlite:///{folder / name}.db" for name in ("WAVES_DATA", "WAVES_KEYS")}
    data, keys = open_database(urls["WAVES_DATA"]), open_database(urls["WAVES_KEYS"])
    create_data_schema(data)
    create_keys_schema(keys)
    initialise_key_store(keys, kek=EnvKek(kek), clock=clock)
    office = WaveOffice(data, open_vault(keys, EnvKek(kek), clock), clock)
    office.plan["waveRows"] = 150
    return keys, office, {**os.environ, **urls, "WAVES_KEK": kek, "PYTHONPATH": str(Path.cwd())}


def _standing(office: WaveOffice) -> int:
    """Rows of the job that the book holds now."""
    with office.database.read() as session:
        query = select(func.count()).select_from(TransferChange).where(col(TransferChange.undone_at).is_(None))
        return session.exec(query).one()


def _run(
    phase: str, attempt: int, environment: dict[str, str], *, kill_when: Callable[[], bool] = lambda: False
) -> bool:
    """Whether the process came to its end; otherwise it was killed while it worked."""
    command = [sys.executable, "-m", "tests.chaos.wave_course", phase, str(attempt)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        deadline = time.monotonic() + 300
        while process.poll() is None and not kill_when():
            assert time.monotonic() < deadline
            time.sleep(0.002)
        if process.poll() is not None:
            assert process.returncode == 0
            return True
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        return False


def _after_rows(office: WaveOffice, chance: Random) -> Callable[[], bool]:
    """True so many rows on from here, and a moment later: by work done, so that a quick machine is hit as often."""
    begun, rows, pause = _standing(office), chance.randrange(_ROWS // _KILLS_A_PHASE - 5), chance.uniform(0, 0.03)

    def is_due() -> bool:
        if abs(_standing(office) - begun) < rows:
            return False
        time.sleep(pause)
        return True

    return is_due


@pytest.mark.parametrize("seed", [31])
def test_waves_and_rollback_survive_random_kills(tmp_path: Path, clock: FakeClock, seed: int) -> None:
    chance, kek = Random(seed), base64.b64encode(os.urandom(32)).decode()
    keys, office, environment = _stores(tmp_path, kek, clock)
    office.open()
    theirs = [{k: v for k, v in each.items() if k not in ("email", "account")} for each in persons(_KNOWN, prefix="T")]
    ids = office.book(theirs)
    office.rows(persons(_ROWS, prefix="S"), into=dict(enumerate(ids)))
    before, meant, hit = office.stored(), "", []
    for phase, attempt in _PHASES:
        for _ in range(_KILLS_A_PHASE):
            if _run(phase, attempt, environment, kill_when=_after_rows(office, chance)):
                break
            hit.append((phase, _standing(office)))
            office.assert_conserved()
        assert _run(phase, attempt, environment)
        office.assert_conserved()
        if phase == "undo":
            assert office.stored() == before, "bit for bit"
            assert {office.wave(number).state for number in (1, 2, 3)} == {WaveState.UNDONE}
        else:
            meant = meant or office.meant()
            assert office.meant() == meant, "run again, the same book"
    assert office.reconcile() is None
    office.database.dispose()
    keys.dispose()
    # Teeth: the kills hit work, at different places.
    print(f"seed {seed}: {len(hit)} kills, rows in the book at each: {[rows for _, rows in hit]}")
    assert len(hit) >= 10
    assert len({rows for _, rows in hit}) >= 6
