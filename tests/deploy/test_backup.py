"""Two archives that belong together, verified byte by byte, into an empty directory only; the key in neither."""

import gzip
import io
import json
import os
import shutil
import sqlite3
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.epochs import EpochKeys
from deploy import datadir
from deploy.backup import Archives, backup, restore
from deploy.erasures import reapply_erasures
from deploy.exits import CommandFailed, ExitCode
from deploy.keks import kek_of
from deploy.settings import load_settings
from deploy.snapshot import copy_sqlite
from deploy.stores import after_restore, build_vault, key_counts, open_stores, prepare_embedded
from deploy.values import Settings
from models.domain.states import CaseStage, OutboxKind
from models.errors import SubjectShredded
from models.tables.audit import AuditEvent
from models.tables.platform import OutboxEntry
from models.tables.tenants import Tenant

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CELL = CellAddress(tenant="main", table="subjects", column="name", row="sub_1", subject="sub_1")
NAME = "王小明"


def settings_in(folder: Path) -> Settings:
    return load_settings({"CASEWORK_DATA_DIR": str(folder / "data")})


@pytest.fixture
def installation(tmp_path: Path) -> tuple[Settings, bytes]:
    """A small installation: a tenant, a subject with a sealed name, a sealed file, a Temporal store; and the cell."""
    settings = settings_in(tmp_path / "old")
    settings.data.root.mkdir(parents=True)
    datadir.prepare(settings.data)
    with open_stores(settings) as stores:
        prepare_embedded(settings, stores, now=NOW)
        vault = build_vault(settings, stores, lambda: NOW)
        vault.ensure_tenant("main")
        vault.create_subject(tenant="main", subject_id="sub_1")
        cell = vault.seal(CELL, NAME)
        deed = Deed(tenant="main", action="tenant.created", target="main", actor="operator", at=NOW)
        with unit_of_work(stores.data, deed) as unit:
            unit.session.add(Tenant(code="main", name="Bank", created_at=NOW))
    (settings.data.files / "main").mkdir()
    (settings.data.files / "main" / "doc_1").write_bytes(os.urandom(3000))
    with closing(sqlite3.connect(settings.data.temporal)) as temporal:
        temporal.execute("CREATE TABLE executions (id TEXT)")
        temporal.execute("INSERT INTO executions VALUES ('installments/1')")
        temporal.commit()
    return settings, cell


def beside(old: Settings, folder: Path) -> Settings:
    """Settings of a new installation to which the keys of the backup epochs were brought."""
    new = settings_in(folder)
    shutil.copytree(old.epochs, new.epochs)
    return new


def taken(settings: Settings, tmp_path: Path) -> Archives:
    return backup(settings, target=tmp_path / "backups", now=NOW)


def test_what_was_backed_up_is_there_after_a_restore(installation: tuple[Settings, bytes], tmp_path: Path) -> None:
    old, cell = installation
    archives = taken(old, tmp_path)
    new = beside(old, tmp_path / "new")
    restore(new, data_archive=archives.data, keys_archive=archives.keys)
    old.kek.file.rename(new.kek.file)  # out of escrow
    assert (new.data.files / "main" / "doc_1").read_bytes() == (old.data.files / "main" / "doc_1").read_bytes()
    with closing(sqlite3.connect(new.data.temporal)) as temporal:
        assert temporal.execute("SELECT id FROM executions").fetchall() == [("installments/1",)]
    with open_stores(new) as stores:
        assert key_counts(stores, kek_of(new))["subject_keys"] == 1
        assert build_vault(new, stores, lambda: NOW).open_text(CELL, cell) == NAME
        with stores.data.read() as session:
            assert session.get_one(Tenant, "main").name == "Bank"
    for path in new.data.root.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_key_is_in_neither_archive_and_each_half_stands_alone(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    settings, _ = installation
    archives = taken(settings, tmp_path)
    key = settings.kek.file.read_bytes().strip()
    names = {}
    for archive in (archives.data, archives.keys):
        assert archive.stat().st_mode & 0o777 == 0o600
        content = archive.read_bytes()
        if archive == archives.keys:
            content = b"".join(EpochKeys(settings.epochs).open(archive))
        assert key not in gzip.decompress(content)
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            names[archive] = set(tar.getnames())
    assert names[archives.data] == {"temporal.db", "casework.db", "files/main/doc_1", "manifest.json"}
    assert names[archives.keys] == {"keys.db", "manifest.json"}
    assert list((tmp_path / "backups").glob(".partial*")) == []


def test_a_backup_beside_a_writer_is_consistent(installation: tuple[Settings, bytes], tmp_path: Path) -> None:
    settings, _ = installation
    stop = threading.Event()

    def write() -> None:
        with open_stores(settings) as stores:
            number = 0
            while not stop.is_set():
                number += 1
                deed = Deed(tenant="main", action="test.done", target=str(number), actor="operator", at=NOW)
                with unit_of_work(stores.data, deed):
                    pass

    writer = threading.Thread(target=write)
    writer.start()
    try:
        archives = taken(settings, tmp_path)
    finally:
        stop.set()
        writer.join()
    new = beside(settings, tmp_path / "new")
    restore(new, data_archive=archives.data, keys_archive=archives.keys)
    with closing(sqlite3.connect(new.data.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        events, pending = (
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("audit_events", "audit_pending")
        )
    assert events == pending > 0  # each event has its queue row: both were written in one transaction


def test_open_work_is_queued_again_and_the_restore_is_recorded(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    old, _ = installation
    with closing(sqlite3.connect(old.data.database)) as database:
        _insert_case(database, "main.open", next(stage for stage in CaseStage if stage is not CaseStage.ENDED))
        _insert_case(database, "main.ended", CaseStage.ENDED)
        database.commit()
    old.data.beside(".anchor").write_text("ahead\n")
    archives = taken(old, tmp_path)
    new = beside(old, tmp_path / "new")
    manifest = restore(new, data_archive=archives.data, keys_archive=archives.keys)
    new.data.beside(".anchor").write_text("ahead\n")
    with open_stores(new) as stores:
        assert after_restore(new, stores, now=NOW, backup_id=manifest["pair"]) == 1
        with stores.data.read() as session:
            assert session.get_one(OutboxEntry, "out-main.open").done_at is None
            assert session.get_one(OutboxEntry, "out-main.ended").done_at is not None
            recorded = session.exec(select(AuditEvent).where(AuditEvent.action == "installation.restored")).all()
    assert json.loads(recorded[0].body)["facts"] == {"backup": manifest["pair"], "requeued": 1}
    assert not new.data.beside(".anchor").exists()
    assert new.data.beside(".anchor.before-20261123T020000Z").read_text() == "ahead\n"


def _insert_case(database: sqlite3.Connection, token: str, stage: CaseStage) -> None:
    """A case whose start has arrived, in whatever columns the tables have."""
    for table, values in (
        ("installment_cases", {"token": token, "tenant": "main", "stage": stage.value}),
        (
            "outbox",
            {
                "id": f"out-{token}", "tenant": "main", "kind": OutboxKind.START.value, "business_key": token,
                "workflow_id": f"installments/{token}", "done_at": "2026-11-23 02:00:00",
            },
        ),
    ):  # fmt: skip
        columns = database.execute(f"PRAGMA table_info({table})").fetchall()
        row = {
            name: values.get(name, _filler(kind))
            for _, name, kind, not_null, _, _ in columns
            if name in values or not_null
        }
        marks = ", ".join("?" for _ in row)
        database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def _filler(kind: str) -> object:
    if "DATETIME" in kind:
        return "2026-11-23 02:00:00"
    if "JSON" in kind:
        return "{}"
    return b"" if "BLOB" in kind else 0 if kind.startswith(("INT", "BIG", "BOOL")) else "x"


def damaged(archive: Path, *, drop: str | None = None, add: str | None = None, change: str | None = None) -> Path:
    """The archive with one member dropped, added or changed; its manifest stays as it was."""
    target = archive.with_name("damaged-" + archive.name)
    with tarfile.open(archive) as source, tarfile.open(target, "w:gz") as out:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            data = content.read()
            if member.name == drop:
                continue
            if member.name == change:
                data = data[:-1] + bytes([data[-1] ^ 1])
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
        if add is not None:
            extra = tarfile.TarInfo(add)
            extra.size = 1
            out.addfile(extra, io.BytesIO(b"x"))
    return target


@pytest.mark.parametrize(
    "damage",
    [
        {"drop": "files/main/doc_1"},
        {"drop": "manifest.json"},
        {"change": "casework.db"},
        {"add": "files/main/doc_2"},
        {"add": "../outside"},
        {"add": "/tmp/outside"},
    ],
    ids=str,
)
def test_a_damaged_archive_is_refused_and_leaves_nothing(
    installation: tuple[Settings, bytes], tmp_path: Path, damage: dict[str, str]
) -> None:
    archives = taken(installation[0], tmp_path)
    new = settings_in(tmp_path / "new")
    with pytest.raises(CommandFailed) as caught:
        restore(new, data_archive=damaged(archives.data, **damage), keys_archive=archives.keys)
    assert caught.value.code is ExitCode.DATA
    assert list(new.data.root.iterdir()) == []
    assert not (tmp_path / "new" / "outside").exists()


def test_an_archive_cut_short_is_refused(installation: tuple[Settings, bytes], tmp_path: Path) -> None:
    archives = taken(installation[0], tmp_path)
    archives.data.write_bytes(archives.data.read_bytes()[:-200])
    with pytest.raises(CommandFailed) as caught:
        restore(settings_in(tmp_path / "new"), data_archive=archives.data, keys_archive=archives.keys)
    assert caught.value.code is ExitCode.DATA


def test_halves_of_two_backups_or_in_the_wrong_order_are_refused(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    settings, _ = installation
    first = backup(settings, target=tmp_path / "one", now=NOW)
    second = backup(settings, target=tmp_path / "two", now=NOW)
    new = beside(settings, tmp_path / "new")
    for data, keys in ((first.data, second.keys), (first.keys, first.data)):
        with pytest.raises(CommandFailed) as caught:
            restore(new, data_archive=data, keys_archive=keys)
        assert caught.value.code is ExitCode.DATA


def test_a_directory_that_holds_anything_is_not_restored_into(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    settings, _ = installation
    archives = taken(settings, tmp_path)
    with pytest.raises(CommandFailed) as caught:
        restore(settings, data_archive=archives.data, keys_archive=archives.keys)
    assert caught.value.code is ExitCode.CANNOT_CREATE


def test_nothing_to_back_up_and_postgresql_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        backup(settings_in(tmp_path), target=tmp_path / "backups", now=NOW)
    assert caught.value.code is ExitCode.DATA
    on_postgres = load_settings(
        {
            "CASEWORK_DATA_DIR": str(tmp_path / "data"),
            "CASEWORK_DATABASE_URL": "postgresql+psycopg://casework@127.0.0.1/data",
            "CASEWORK_KEYS_DATABASE_URL": "postgresql+psycopg://casework@127.0.0.1/keys",
        }
    )
    with pytest.raises(CommandFailed, match="pg_dump") as caught:
        backup(on_postgres, target=tmp_path / "backups", now=NOW)
    assert caught.value.code is ExitCode.USAGE


def test_a_store_without_its_keys_or_its_key_is_never_given_new_ones(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    settings, _ = installation
    kept = settings.kek.file.read_bytes()
    settings.kek.file.unlink()
    with open_stores(settings) as stores, pytest.raises(CommandFailed, match="put it back") as caught:
        prepare_embedded(settings, stores, now=NOW)
    assert caught.value.code is ExitCode.CONFIG
    assert not settings.kek.file.exists()
    settings.kek.file.write_bytes(kept)
    settings.kek.file.chmod(0o600)
    settings.data.keys.unlink()
    with open_stores(settings) as stores, pytest.raises(CommandFailed, match="restore it from its backup") as caught:
        prepare_embedded(settings, stores, now=NOW)
    assert caught.value.code is ExitCode.DATA
    assert not settings.data.keys.exists()


# Epochs ---------------------------------------------------------------------------------------------------------------


def test_the_keys_of_a_destroyed_epoch_are_dark_and_those_of_a_later_backup_open_older_data(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    old, cell = installation
    first = taken(old, tmp_path)
    later = backup(old, target=tmp_path / "backups", now=NOW + timedelta(days=7))
    epochs = EpochKeys(old.epochs)
    assert epochs.destroy_old(NOW + timedelta(days=6), keep_days=7) == []
    assert epochs.destroy_old(NOW + timedelta(days=7), keep_days=7) == [NOW.date()]
    dark = beside(old, tmp_path / "dark")
    with pytest.raises(CommandFailed, match=r"is dark: .* 2026-11-23") as caught:
        restore(dark, data_archive=first.data, keys_archive=first.keys)
    assert caught.value.code is ExitCode.DATA
    new = beside(old, tmp_path / "new")
    restore(new, data_archive=first.data, keys_archive=later.keys)
    old.kek.file.rename(new.kek.file)
    with open_stores(new) as stores:
        assert build_vault(new, stores, lambda: NOW).open_text(CELL, cell) == NAME


def test_keys_of_an_earlier_backup_or_of_another_installation_are_refused(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    old, _ = installation
    first = taken(old, tmp_path)
    later = backup(old, target=tmp_path / "backups", now=NOW + timedelta(days=1))
    other = settings_in(tmp_path / "other")
    other.data.root.mkdir(parents=True)
    with open_stores(other) as stores:
        prepare_embedded(other, stores, now=NOW + timedelta(hours=1))
    foreign = backup(other, target=tmp_path / "others", now=NOW + timedelta(days=2))
    for data, keys, epochs in ((later.data, first.keys, old), (first.data, foreign.keys, other)):
        new = beside(epochs, tmp_path / f"new-{epochs.data.root.parent.name}")
        with pytest.raises(CommandFailed, match="not of one backup"):
            restore(new, data_archive=data, keys_archive=keys)


def test_an_altered_or_cut_archive_of_keys_is_named_damaged(
    installation: tuple[Settings, bytes], tmp_path: Path
) -> None:
    old, _ = installation
    archives = taken(old, tmp_path)
    whole = archives.keys.read_bytes()
    for broken in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-30]):
        archives.keys.write_bytes(broken)
        with pytest.raises(CommandFailed, match="damaged"):
            restore(beside(old, tmp_path / os.urandom(4).hex()), data_archive=archives.data, keys_archive=archives.keys)


def test_no_copy_of_the_key_store_touches_the_place_of_the_archives(
    installation: tuple[Settings, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = installation
    copied: list[Path] = []

    def watched(source: Path, target: Path) -> Path:
        copied.append(target)
        return copy_sqlite(source, target)

    monkeypatch.setattr("deploy.backup.copy_sqlite", watched)
    taken(settings, tmp_path)
    of_keys = [path for path in copied if path.name == "keys.db"]
    assert of_keys
    assert all(settings.data.root in path.parents and not path.exists() for path in of_keys)


def test_a_restore_within_the_horizon_erases_again(installation: tuple[Settings, bytes], tmp_path: Path) -> None:
    """The backup holds the person's key still; the list beside the epoch keys does not forget them."""
    old, cell = installation
    archives = taken(old, tmp_path)
    EpochKeys(old.epochs).note_erased("main", "sub_1", NOW)
    EpochKeys(old.epochs).note_erased("main", "sub_1", NOW)
    assert len(EpochKeys(old.epochs).erased()) == 1
    new = beside(old, tmp_path / "new")
    restore(new, data_archive=archives.data, keys_archive=archives.keys)
    old.kek.file.rename(new.kek.file)
    with open_stores(new) as stores:
        after_restore(new, stores, now=NOW, backup_id="pair")
        assert reapply_erasures(new, stores, now=NOW) == 0  # no row of theirs in this small installation
        with pytest.raises(SubjectShredded):
            build_vault(new, stores, lambda: NOW).open_text(CELL, cell)
