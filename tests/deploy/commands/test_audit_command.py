"""`casework audit`: what is proved here holds elsewhere, and a watcher ends when the log is not what it was."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from compliance.audit.deeds import Deed
from compliance.audit.seal import seal_keys, seal_pending
from compliance.audit.unit import unit_of_work
from deploy import datadir
from deploy.commands.cli import run_command
from deploy.exits import ExitCode
from deploy.settings import load_settings
from deploy.stores import Stores, build_vault, open_stores, prepare_embedded
from deploy.values import Settings
from tests.compliance.audit.logs import intruder

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CASE = "main." + "0" * 25 + "1"


@dataclass
class House:
    """An installation that does not run; `seal` is its sealer."""

    settings: Settings
    stores: Stores
    capsys: pytest.CaptureFixture[str]

    def record(self, count: int, *, target: str = CASE) -> list[str]:
        ids = []
        for number in range(count):
            at = NOW + timedelta(seconds=number)
            deed = Deed(tenant="main", action="task.claimed", target=target, actor="stf_x", at=at)
            with unit_of_work(self.stores.data, deed) as unit:
                pass
            ids += unit.event_ids
        return ids

    def seal(self) -> None:
        keys = seal_keys(build_vault(self.settings, self.stores, lambda: NOW))
        while seal_pending(self.stores.data, keys, now=NOW, anchor=self.settings.anchor):
            pass

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = run_command(["audit", *arguments, "--data", str(self.settings.data.root)])
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def house(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    settings = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data")})
    settings.data.root.mkdir(parents=True)
    datadir.prepare(settings.data)
    with open_stores(settings) as stores:
        prepare_embedded(settings, stores, now=NOW)
        yield House(settings, stores, capsys)


def alone(export: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(export / "verify.py"), *arguments],
        cwd=export,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_proof_made_here_is_checked_there(house: House, tmp_path: Path) -> None:
    ids = house.record(9)
    assert house.run("prove", ids[4])[0] == ExitCode.TEMPORARY
    house.seal()
    code, told, _ = house.run("prove", ids[4], "--json")
    assert code == 0
    assert json.loads(told)["index"] == 4
    assert house.run("prove", ids[4])[1].startswith("c2sp.org/tlog-proof@v1\nindex 4\n")
    assert house.run("prove", "01890000-0000-7000-8000-000000000000")[0] == ExitCode.DATA
    (tmp_path / "p.json").write_text(told)
    assert house.run("export", "--to", str(tmp_path / "out"))[0] == 0
    assert alone(tmp_path / "out", str(tmp_path / "p.json")).returncode == 0
    checked = alone(tmp_path / "out", "--checkpoints", str(house.settings.anchor))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "9 events of a log of 9" in checked.stdout
    assert house.run("export", "--to", str(tmp_path / "out"))[0] == ExitCode.CANNOT_CREATE
    house.seal()
    with house.stores.data.read() as session:
        exported = session.execute(text("SELECT count(*) FROM audit_events WHERE action = 'audit.exported'"))
        assert exported.scalar_one() == 1


def test_growth_is_proved_between_sizes_and_files(house: House, tmp_path: Path) -> None:
    house.record(5)
    house.seal()
    early = json.loads(house.settings.anchor.read_text().splitlines()[-1])
    (tmp_path / "early").write_text(early)
    house.record(4)
    house.seal()
    code, said, _ = house.run("consistency", str(tmp_path / "early"), str(house.settings.anchor))
    assert (code, said.splitlines()[0]) == (0, "the log of 9 events (signed) begins with that of 5 (signed)")
    assert house.run("consistency", "3", "9")[0] == 0
    assert house.run("consistency", "9", "3")[0] == ExitCode.DATA
    assert house.run("consistency", "3", "10")[0] == ExitCode.DATA
    (tmp_path / "forged").write_text(early.replace("\n5\n", "\n4\n"))
    assert house.run("consistency", str(tmp_path / "forged"), "9")[0] == ExitCode.FAILED


def test_a_watcher_from_cron_ends_badly_when_the_log_was_cut(house: House, tmp_path: Path) -> None:
    state = tmp_path / "watch" / "state"
    house.record(5)
    house.seal()
    assert house.run("watch", "--state", str(state), "--once")[0] == 0
    house.record(3)
    house.seal()
    code, said, _ = house.run("watch", "--state", str(state), "--once", "--json")
    assert (code, json.loads(said)["grown"]) == (0, 3)
    house.settings.kek.file.unlink()
    assert house.run("watch", "--state", str(state), "--once")[0] == 0, "it needs no secret"
    with intruder(house.stores.data) as connection:
        connection.execute(text("DELETE FROM audit_checkpoints WHERE size > 5"))
        connection.execute(text("DELETE FROM audit_leaves WHERE idx >= 5"))
    code, _, said = house.run("watch", "--state", str(state), "--once")
    assert (code, "NOT WHAT IT WAS" in said) == (ExitCode.FAILED, True)


def test_a_case_that_is_not_there_has_no_account(house: House) -> None:
    assert house.run("account", CASE)[0] == ExitCode.DATA
    assert house.run("export", "--to", "/nowhere/x", "--case", CASE)[0] == ExitCode.DATA
