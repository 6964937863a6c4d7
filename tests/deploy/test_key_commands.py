"""`casework keys` as an operator uses it: on a stopped embedded stack, and on PostgreSQL beside what serves."""

import asyncio
import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from compliance.vault.cells import CellAddress
from compliance.vault.tables import KeyHolder, KeyJournal, SubjectKey
from deploy import datadir, keks
from deploy.clock import wall_clock
from deploy.commands.cli import run_command
from deploy.heartbeat import beating
from deploy.settings import load_settings
from deploy.stores import build_vault, open_stores
from deploy.values import DataDir, Settings
from models.tables.audit import AuditEvent
from tests.support import softhsm
from tests.support.softhsm import SoftTokens

Run = Callable[..., tuple[int, str, str]]
NAME = CellAddress("_", "subjects", "name_cell", "sub_a", "sub_a")
NO_TOKENS = softhsm.missing()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command on an installation of this test; returns exit code, output, errors."""
    for name in [name for name in os.environ if name.startswith("CASEWORK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CASEWORK_DATA_DIR", str(tmp_path / "data"))
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
    """An embedded installation, stopped, with one person in it."""
    assert run("keys", "init")[0] == 0
    assert run("migrate")[0] == 0
    _with_a_person(load_settings())
    return DataDir(tmp_path / "data")


def _with_a_person(settings: Settings) -> None:
    with open_stores(settings) as stores:
        vault = build_vault(settings, stores, wall_clock)
        vault.create_subject(tenant="_", subject_id="sub_a")
        sealed = vault.seal(NAME, "王小明")
        (settings.data.root / "sealed").write_bytes(sealed)


def _reads(settings: Settings) -> str:
    with open_stores(settings) as stores:
        vault = build_vault(settings, stores, wall_clock)
        return vault.open_text(NAME, (settings.data.root / "sealed").read_bytes())


def _events(settings: Settings) -> set[str]:
    with open_stores(settings) as stores:
        with stores.keys.read() as session:
            assert session.exec(select(KeyJournal).where(KeyJournal.recorded_at == None)).all() == []  # noqa: E711
        with stores.data.read() as session:
            actions = session.exec(select(AuditEvent.action)).all()
    return {action for action in actions if action.startswith("key.")}


def test_the_key_encryption_key_changes_from_file_to_file(run: Run, installed: DataDir) -> None:
    key = installed.beside(".kek")
    old = key.read_bytes()
    code, out, errors = run("keys", "rotate", "--kek", "--json")
    assert code == 0, errors
    done = json.loads(out)
    assert key.read_bytes() != old
    assert key.stat().st_mode & 0o777 == 0o600
    assert Path(done["old_file"]).read_bytes() == old
    assert not key.with_name(key.name + ".next").exists()
    assert _reads(load_settings()) == "王小明"
    assert json.loads(run("keys", "status", "--json")[1])["kek"] == done["kek"]
    key.rename(key.with_name("new"))
    Path(done["old_file"]).rename(key)
    code, _, errors = run("keys", "status")
    assert code == 78
    assert "does not open this key store" in errors
    assert done["kek"] in errors
    assert "key.kek-rotated" in _events_after(run, key)


def _events_after(run: Run, key: Path) -> set[str]:
    key.unlink()
    key.with_name("new").rename(key)
    return _events(load_settings())


def test_a_change_that_was_killed_before_the_files_were_renamed_is_finished_by_any_command(
    run: Run, installed: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = installed.beside(".kek")
    with monkeypatch.context() as patched:
        patched.setattr(keks, "settle_files", _killed)
        code, _, _ = run("keys", "rotate", "--kek")
        assert code != 0
    assert _reads(load_settings()) == "王小明"  # whoever starts now finds the key under its first name
    kek = json.loads(run("keys", "status", "--json")[1])["kek"]
    code, _, errors = run("keys", "rewrap", "--tenant", "_")
    assert code == 0, errors
    assert not key.with_name(key.name + ".next").exists()
    assert json.loads(run("keys", "status", "--json")[1])["kek"] == kek


def _killed(settings: Settings, kek_id: str) -> str | None:
    next_file = settings.kek.next_file
    if next_file.exists() and keks.FileKek(next_file).id == kek_id:
        raise KeyboardInterrupt
    return None


def test_the_key_encryption_key_moves_from_file_to_environment_and_on(
    run: Run, installed: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, errors = run("keys", "rotate", "--kek", "--to", "env")
    assert code == 78
    assert "CASEWORK_KEK" in errors
    first, second = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    monkeypatch.setenv("CASEWORK_KEK", first)
    code, _, errors = run("keys", "rotate", "--kek", "--to", "env")
    assert code == 0, errors
    installed.beside(".kek").unlink()
    assert _reads(load_settings()) == "王小明"
    monkeypatch.setenv("CASEWORK_KEK_NEXT", second)
    code, _, errors = run("keys", "rotate", "--kek")
    assert code == 0, errors
    assert _reads(load_settings()) == "王小明"
    monkeypatch.setenv("CASEWORK_KEK", second)
    monkeypatch.delenv("CASEWORK_KEK_NEXT")
    assert _reads(load_settings()) == "王小明"


def test_a_branch_key_rotates_is_rewrapped_retired_and_destroyed(run: Run, installed: DataDir) -> None:
    key = ("--tenant", "_", "--purpose", "subject-wrap")
    code, out, errors = run("keys", "rotate", *key, "--json")
    assert (code, json.loads(out)) == (0, {"tenant": "_", "purpose": "subject-wrap", "version": 2}), errors
    code, _, errors = run("keys", "retire", *key, "--version", "1")
    assert code == 1
    assert "1 keys lie under" in errors
    code, out, _ = run("keys", "rewrap", "--tenant", "_", "--json")
    assert (code, json.loads(out)["rewrapped"], json.loads(out)["version"]) == (0, 1, 2)
    for step in ("retire", "reinstate", "retire", "destroy"):
        code, _, errors = run("keys", step, *key, "--version", "1")
        assert code == 0, errors
    assert _reads(load_settings()) == "王小明"
    assert _events(load_settings()) >= {
        "key.created",
        "key.published",
        "key.activated",
        "key.superseded",
        "key.rewrapped",
        "key.retired",
        "key.reinstated",
        "key.destroyed",
    }


def test_a_rewrap_says_by_its_exit_code_that_a_key_does_not_open(run: Run, installed: DataDir) -> None:
    run("keys", "rotate", "--tenant", "_", "--purpose", "subject-wrap")
    with open_stores(load_settings()) as stores, stores.keys.write() as session:
        row = session.exec(select(SubjectKey)).one()
        row.wrapped = row.wrapped[:-1] + bytes([row.wrapped[-1] ^ 1])
        session.add(row)
    code, _, errors = run("keys", "rewrap", "--tenant", "_")
    assert code == 1
    assert "1 keys do not open" in errors
    assert "sub_a" in errors


def test_the_tokens_key_rotates_only_while_nothing_runs_and_old_tokens_stay_valid(run: Run, installed: DataDir) -> None:
    settings = load_settings()
    with open_stores(settings) as stores:
        [(old, _)] = build_vault(settings, stores, wall_clock).token_keys()
    code, _, errors = run("keys", "rotate", "--tenant", "_", "--purpose", "token-es256")
    assert code == 0, errors
    with open_stores(settings) as stores:
        (new, _), (still, _) = build_vault(settings, stores, wall_clock).token_keys()
    assert (still, new != old) == (old, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("rotate",),
        ("rotate", "--kek", "--tenant", "_"),
        ("rotate", "--tenant", "_"),
        ("rotate", "--kek", "--to", "paper"),
    ],
    ids=["nothing", "both", "half", "paper"],
)
def test_a_rotate_that_names_no_key_or_two_is_refused(run: Run, installed: DataDir, arguments: tuple[str, ...]) -> None:
    assert run("keys", *arguments)[0] == 2


def test_beside_a_running_up_keys_are_shown_and_not_changed(run: Run, installed: DataDir) -> None:
    with datadir.held(installed, purpose="up"):
        for command in (
            ("rotate", "--kek"),
            ("rotate", "--tenant", "_", "--purpose", "subject-wrap"),
            ("rewrap", "--tenant", "_"),
            ("retire", "--tenant", "_", "--purpose", "subject-wrap", "--version", "1"),
        ):
            code, _, errors = run("keys", *command)
            assert code == 75, (command, errors)
            assert "casework up" in errors
        for command in (("status",), ("inventory",)):
            assert run("keys", *command)[0] == 0


def test_status_tells_versions_and_who_lives(run: Run, installed: DataDir) -> None:
    run("keys", "rotate", "--tenant", "_", "--purpose", "subject-wrap")
    status = json.loads(run("keys", "status", "--json")[1])
    assert status["held_in"] == "file"
    wraps = [one for one in status["versions"] if one["purpose"] == "subject-wrap"]
    assert [(one["version"], one["state"], one["users"]) for one in wraps] == [
        (1, "decrypt-only", 1),
        (2, "active", 0),
    ]
    assert {one["purpose"]: one["rotates"] for one in status["versions"]}["blind-index"] == "by re-sealing"
    assert status["processes"] == []
    code, out, _ = run("keys", "status")
    assert code == 0
    assert "decrypt-only" in out


def test_the_inventory_names_algorithm_length_place_and_use_of_every_key(run: Run, installed: DataDir) -> None:
    items: list[dict[str, Any]] = json.loads(run("keys", "inventory", "--json")[1])["items"]
    by_purpose = {item["purpose"]: item for item in items}
    assert by_purpose["kek"]["held_in"] == "file"
    assert (by_purpose["subject-wrap"]["algorithm"], by_purpose["subject-wrap"]["key_bits"]) == ("AES-256-GCM", 256)
    assert by_purpose["audit-mac"]["algorithm"] == "HMAC-SHA256"
    assert by_purpose["person"]["keys"] == 1
    files = {"case_documents.file", "batch_imports.file", "transfer_evidence.file"}
    assert {"subjects.name_cell", *files} <= set(by_purpose["person"]["used_in"])
    assert "subjects.id_index" in by_purpose["blind-index"]["used_in"]
    assert {item["kind"] for item in items} >= {"kek", "branch", "person", "outside"}
    assert all(item["age_days"] == 0 for item in items if item["created_at"])
    assert run("keys", "inventory", "--tenant", "nobody")[0] == 0


# Tokens ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokens() -> SoftTokens:
    return softhsm.tokens()


@pytest.mark.skipif(NO_TOKENS is not None, reason=NO_TOKENS or "")
def test_the_key_encryption_key_moves_from_a_file_into_a_token(
    run: Run, installed: DataDir, tokens: SoftTokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tokens.make("moved-in")
    pin = tmp_path / "pin"
    pin.write_text(softhsm.PIN + "\n", encoding="utf-8")
    pin.chmod(0o600)
    for name, value in (
        ("MODULE", str(place.module)),
        ("TOKEN", place.token),
        ("KEY", place.key),
        ("PIN_FILE", str(pin)),
    ):
        monkeypatch.setenv(f"CASEWORK_KEK_PKCS11_{name}", value)
    assert _reads(load_settings()) == "王小明"  # named is not in force
    code, _, errors = run("keys", "rotate", "--kek", "--to", "pkcs11")
    assert code == 0, errors
    installed.beside(".kek").unlink()
    assert _reads(load_settings()) == "王小明"
    status = json.loads(run("keys", "status", "--json")[1])
    assert (status["held_in"], status["kek"]) == ("pkcs11", "pkcs11:bank/moved-in")
    code, _, errors = run("keys", "rotate", "--kek")
    assert code == 78
    assert "CASEWORK_KEK_PKCS11_NEXT_KEY" in errors
    tokens.make("next-one")
    monkeypatch.setenv("CASEWORK_KEK_PKCS11_NEXT_KEY", "next-one")
    code, _, errors = run("keys", "rotate", "--kek")
    assert code == 0, errors
    assert _reads(load_settings()) == "王小明"
    pin.chmod(0o644)
    code, _, errors = run("keys", "status")
    assert code == 78
    assert "CASEWORK_KEK_PKCS11_PIN_FILE" in errors


# Beside processes that serve ------------------------------------------------------------------------------------------


@pytest.fixture
def served(request: pytest.FixtureRequest, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation on PostgreSQL, initialised, with one person in it."""
    data = request.getfixturevalue("postgres_database")
    keys = request.getfixturevalue("postgres_keys_database")
    for name, database in (("DATABASE_URL", data), ("KEYS_DATABASE_URL", keys)):
        monkeypatch.setenv(f"CASEWORK_{name}", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr("deploy.stores.refuse_other_schema", lambda *_, **__: None)  # the tables, not the migrations
    monkeypatch.setattr("deploy.stores.migrate", lambda *_, **__: None)
    (tmp_path / "data").mkdir()
    assert run("keys", "init")[0] == 0
    settings = load_settings()
    _with_a_person(settings)
    return settings


async def test_keys_change_beside_processes_that_serve(served: Settings, run: Run) -> None:
    with open_stores(served) as stores:
        vault = build_vault(served, stores, wall_clock)
        sealed = (served.data.root / "sealed").read_bytes()
        failed: list[str] = []
        done = asyncio.Event()

        async def reads() -> None:
            while not done.is_set():
                try:
                    vault.branches.forget()  # as if everything in memory were old all the time
                    vault._subjects.clear()
                    assert await asyncio.to_thread(vault.open_text, NAME, sealed) == "王小明"
                except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of this test
                    failed.append(repr(error))
                await asyncio.sleep(0.01)

        async with beating(served, vault, component="api", name="test-host:1"):
            reading = asyncio.create_task(reads())
            beats = asyncio.create_task(_beat_often(served, stores, vault, done))
            for command in (
                ("rotate", "--tenant", "_", "--purpose", "subject-wrap"),
                ("rewrap", "--tenant", "_"),
                ("rotate", "--kek"),
                ("retire", "--tenant", "_", "--purpose", "subject-wrap", "--version", "1"),
            ):
                code, _, errors = await asyncio.to_thread(run, "keys", *command)
                assert code == 0, (command, errors)
            done.set()
            await reading
            await beats
        assert failed == []
        with stores.keys.read() as session:
            assert "test-host:1" not in " ".join(session.exec(select(KeyHolder.process)).all())


async def _beat_often(settings: Settings, stores: Any, vault: Any, done: asyncio.Event) -> None:
    """The process of the test beats every ten seconds; this one stands for its next beats."""
    from compliance.vault import holders
    from compliance.vault.holders import Process

    while not done.is_set():
        with stores.keys.read() as session:
            names = session.exec(select(KeyHolder)).all()
        for holder in names:
            process = Process(
                name=holder.process,
                component=holder.component,
                keks=keks.usable_keks(settings, set()),
                started_at=holder.started_at,
            )
            await asyncio.to_thread(holders.beat, vault.branches, process)
        await asyncio.sleep(0.05)


async def test_a_process_that_does_not_follow_is_named_and_nothing_changes(served: Settings, run: Run) -> None:
    with open_stores(served) as stores:
        vault = build_vault(served, stores, wall_clock)
        async with beating(served, vault, component="worker", name="other-host:7"):
            key = ("--tenant", "_", "--purpose", "subject-wrap")
            for command in (("rotate", *key), ("rotate", "--kek")):
                code, _, errors = await asyncio.to_thread(run, "keys", *command, "--wait", "0")
                assert code == 75, (command, errors)
                assert "other-host:7" in errors
                assert "(worker)" in errors
    status = json.loads(run("keys", "status", "--json")[1])
    wraps = {one["version"]: one["state"] for one in status["versions"] if one["purpose"] == "subject-wrap"}
    assert wraps == {1: "active", 2: "published"}
    code, _, errors = run("keys", "rotate", *key)  # it ended: the command is simply run again
    assert code == 0, errors
    code, _, errors = run("keys", "rotate", "--kek")
    assert code == 0, errors
    assert _reads(served) == "王小明"
