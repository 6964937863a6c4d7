"""Operator commands: what they do beside a running installation, and that their exit codes tell the truth."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploy import datadir
from deploy.commands.cli import run_command
from deploy.values import DataDir
from tests.support.temporal import TemporalServer

REPOSITORY = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command on an installation of this test; returns exit code, output, errors."""
    for name in [name for name in os.environ if name.startswith("CASEWORK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CASEWORK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    mask = os.umask(0o022)

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(arguments)
        out, errors = capfd.readouterr()
        return code, out, errors

    yield call
    os.umask(mask)


@pytest.fixture
def installed(run: Run, tmp_path: Path) -> DataDir:
    """An installation that was set up by hand."""
    assert run("keys", "init")[0] == 0
    assert run("migrate")[0] == 0
    return DataDir(tmp_path / "data")


def test_the_embedded_stack_has_no_builds_to_choose_from(run: Run) -> None:
    for arguments in (("status",), ("promote", "2026.12")):
        code, _, errors = run("rollout", *arguments)
        assert code == 64
        assert "the embedded stack has one build" in errors


def test_keys_init_makes_a_private_key_once(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("keys", "init", "--json")
    made = json.loads(out)
    key = tmp_path / "data.kek"
    content = key.read_bytes()
    assert (code, made["made"]) == (0, True)
    assert key.stat().st_mode & 0o777 == 0o600
    code, out, _ = run("keys", "init", "--json")
    assert (code, json.loads(out)) == (0, {**made, "made": False})
    assert key.read_bytes() == content


def test_a_lost_key_is_not_replaced(run: Run, installed: DataDir) -> None:
    installed.beside(".kek").unlink()
    for command in (("keys", "init"), ("keys", "status")):
        code, _, errors = run(*command)
        assert code == 78, errors
        assert str(installed.beside(".kek")) in errors
    assert not installed.beside(".kek").exists()


def test_another_key_is_refused(run: Run, installed: DataDir, tmp_path: Path) -> None:
    installed.beside(".kek").unlink()
    code, _, _ = run("keys", "init", "--data", str(tmp_path / "other"))
    assert code == 0
    (tmp_path / "other.kek").rename(installed.beside(".kek"))
    code, _, errors = run("keys", "status")
    assert code == 78
    assert "does not open this key store" in errors


def test_keys_status_counts(run: Run, installed: DataDir) -> None:
    code, out, _ = run("keys", "status", "--json")
    status = json.loads(out)
    assert code == 0
    assert status["opens"] is True
    assert (status["subject_keys"], status["shredded"]) == (0, 0)


def test_beside_a_running_up_some_work_and_the_others_say_so(run: Run, installed: DataDir, tmp_path: Path) -> None:
    archives = run("backup", "--to", str(tmp_path / "before"), "--json")[1]
    data, keys = (json.loads(archives)[half] for half in ("data", "keys"))
    with datadir.held(installed, purpose="up"):
        refused: tuple[tuple[str, ...], ...] = (
            ("migrate",),
            ("keys", "init"),
            ("restore", data, keys),
            ("tenant", "create", "second", "--name", "Second", "--admin", "one", "--admin", "two"),
        )
        for command in refused:
            code, _, errors = run(*command)
            assert code == 75, (command, errors)
            assert f"process {os.getpid()} (`casework up`)" in errors
        allowed: tuple[tuple[str, ...], ...] = (
            ("backup", "--to", str(tmp_path / "beside")),
            ("audit", "verify"),
            ("keys", "status"),
            ("book", "generate", "--size", "1", "--out", str(tmp_path / "book.csv")),
        )
        for working in allowed:
            code, _, errors = run(*working)
            assert code == 0, (working, errors)


def test_a_backup_and_a_restore_by_command(run: Run, installed: DataDir, tmp_path: Path) -> None:
    code, out, _ = run("backup", "--to", str(tmp_path / "backups"), "--json")
    assert code == 0
    archives = json.loads(out)
    shutil.copytree(installed.beside(".epochs"), tmp_path / "new.epochs")
    code, out, _ = run("restore", archives["data"], archives["keys"], "--data", str(tmp_path / "new"), "--json")
    assert code == 0
    assert json.loads(out)["requeued"] == 0
    code, _, errors = run("restore", archives["data"], archives["keys"], "--data", str(tmp_path / "new"))
    assert code == 73, errors
    code, _, errors = run("restore", archives["keys"], archives["data"], "--data", str(tmp_path / "third"))
    assert code == 65, errors


def test_a_tenant_needs_two_administrators_and_is_made_once(run: Run, installed: DataDir) -> None:
    arguments = ("tenant", "create", "second", "--name", "Second Bank", "--admin", "first.admin")
    code, _, errors = run(*arguments)
    assert code == 65
    assert "two" in errors
    code, out, _ = run(*arguments, "--admin", "second.admin", "--json")
    assert code == 0
    staff = json.loads(out)["staff"]
    assert [one["login"] for one in staff] == ["first.admin", "second.admin"]
    assert len({one["password"] for one in staff}) == 2
    code, _, errors = run(*arguments, "--admin", "second.admin")
    assert code == 73, errors
    code, out, _ = run("audit", "verify", "--json")
    report = json.loads(out)
    assert (code, report["ok"], report["pending"] + report["leaves"]) == (0, True, 1)


def test_audit_verify_names_a_fault_and_exits_1(run: Run, installed: DataDir) -> None:
    run("tenant", "create", "second", "--name", "Second", "--admin", "a1", "--admin", "b2")
    from models.database.engine import open_database

    database = open_database(f"sqlite:///{installed.database}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_pending")  # as if the queue had been cut
    database.dispose()
    code, out, _ = run("audit", "verify", "--json")
    assert code == 1
    assert json.loads(out)["faults"]


def test_without_an_installation_commands_say_so(run: Run) -> None:
    for command in (("backup", "--to", "x"), ("audit", "verify"), ("keys", "status")):
        code, _, errors = run(*command)
        assert code == 65, errors
        assert "holds no installation" in errors


def test_client_commands_without_a_log_in_or_an_api(run: Run) -> None:
    code, _, errors = run("staff", "list")
    assert code == 77
    assert "casework login" in errors
    code, _, errors = run("login", "nobody", "--dev")
    assert code == 65, errors


def test_a_wrong_command_line_exits_2_and_no_command_shows_help(run: Run) -> None:
    assert run("migrate", "--nonsense")[0] == 2
    assert run("nonsense")[0] == 2
    code, out, _ = run("--help")
    assert code == 0
    for command in ("up", "api", "worker", "migrate", "backup", "restore", "keys", "audit", "book", "staff", "login"):
        assert command in out
    assert "app " not in out  # the supervisor's own


def test_an_unexpected_error_shows_no_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("王小明 110101199003070011")

    monkeypatch.setattr("deploy.commands.stores.settings_from", fail)
    code, out, errors = run("migrate")
    assert code == 1
    assert "RuntimeError" in errors
    assert "王小明" not in out + errors


ENDS = """
import asyncio, sys
from temporalio.client import Client
from deploy.commands import cli

def run_command(_):
    async def talk():
        client = await Client.connect(sys.argv[1], namespace=sys.argv[2])
        for _ in range(50):
            await client.count_workflows()
    asyncio.run(talk())
    print("done")
    return int(sys.argv[3])

cli.run_command = run_command
cli.main()
"""


@pytest.mark.temporal
@pytest.mark.long
def test_the_exit_code_is_the_commands_own_after_talking_to_temporal(temporal_server: TemporalServer) -> None:
    """Left in the ordinary way, a process that used the SDK's client aborts (134) in about one of five runs."""

    def once(number: int) -> tuple[int, str]:
        ended = subprocess.run(
            [sys.executable, "-c", ENDS, temporal_server.address, temporal_server.namespace, str(number % 2)],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        return ended.returncode - number % 2, ended.stdout

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(once, range(20))) == {(0, "done\n")}
