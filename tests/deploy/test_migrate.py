"""Migrated schema and tables in code are the same; newer schemas are refused; embedded stores are copied first."""

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import DateTime, inspect, text
from sqlalchemy.exc import DBAPIError

from compliance.vault.tables import KeyTable
from deploy.migrate import Store, configuration, current, migrate, newest, refuse_other_schema
from models.database.engine import Database, open_database
from models.database.types import UtcDateTime
from models.errors import SchemaNewer, UnsafeSetting
from models.tables.all import METADATA
from models.tables.triggers import trigger_ddl
from tests.support.databases import PostgresDatabases

METADATA_OF = {Store.DATA: METADATA, Store.KEYS: KeyTable.metadata}
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Empty = Callable[[], AbstractContextManager[Database]]


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Empty:
    """Makes empty databases without any schema."""
    serial = iter(range(100))

    @contextmanager
    def on_sqlite() -> Iterator[Database]:
        database = open_database(f"sqlite:///{tmp_path}/{next(serial)}.db")
        try:
            yield database
        finally:
            database.dispose()

    def on_postgres() -> AbstractContextManager[Database]:
        databases: PostgresDatabases = request.getfixturevalue("postgres")
        return databases.fresh(_no_schema)

    return on_sqlite if request.param == "sqlite" else on_postgres


def _no_schema(_database: Database) -> None:
    """Nothing."""


def schema(database: Database) -> dict[str, object]:
    """What the database itself says about its schema: columns, keys, indexes with their conditions, triggers."""
    if database.is_sqlite:
        query = (
            "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND tbl_name != 'alembic_version'"
        )
    else:
        query = (
            "SELECT indexname, 'index', indexdef FROM pg_indexes "
            "WHERE schemaname='public' AND tablename!='alembic_version' "
            "UNION SELECT conrelid::regclass || ' ' || conname, 'constraint', pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace='public'::regnamespace "
            "AND conrelid::regclass::text!='alembic_version' "
            "UNION SELECT table_name || '.' || column_name, 'column', data_type || ' ' || is_nullable || ' ' "
            "|| coalesce(character_maximum_length::text, '') || coalesce(column_default, '') "
            "FROM information_schema.columns WHERE table_schema='public' AND table_name!='alembic_version' "
            "UNION SELECT tgrelid::regclass || ' ' || tgname, 'trigger', pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE NOT tgisinternal"
        )
    with database.engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {f"{kind} {name}": _columns(database, name) if kind == "table" else sql for name, kind, sql in rows}


def _columns(database: Database, table: str) -> object:
    """A table of SQLite by what it means: its text differs in spaces and in the order of constraints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of indexes on expressions, which are compared by their text
        look = inspect(database.engine)
        return {
            # Not in order: a column that comes later stands last in a table that was there before.
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(table)
            ),
            "key": look.get_pk_constraint(table),
            "foreign": sorted(str(key) for key in look.get_foreign_keys(table)),
            "unique": sorted(str(key) for key in look.get_unique_constraints(table)),
            "check": sorted(str(key) for key in look.get_check_constraints(table)),
        }


@pytest.mark.parametrize("store", list(Store))
def test_the_migrated_schema_is_the_one_in_code(empty: Empty, store: Store) -> None:
    with empty() as migrated, empty() as created:
        assert migrate(migrated, store=store).before is None
        with created.engine.begin() as connection:
            METADATA_OF[store].create_all(connection)
            if store is Store.DATA:
                for statement in trigger_ddl(connection.dialect.name):
                    connection.exec_driver_sql(statement)
        in_migration, in_code = schema(migrated), schema(created)
        hint = "make migration STORE=… NAME=…"
        assert {name for name in in_code if name not in in_migration} == set(), hint
        assert {name for name in in_migration if name not in in_code} == set(), hint
        assert {
            name: (in_migration[name], in_code[name]) for name in in_code if in_migration[name] != in_code[name]
        } == {}


@pytest.mark.parametrize("store", list(Store))
def test_alembic_finds_no_difference(empty: Empty, store: Store) -> None:
    def same(_context: object, _column: object, _meta: object, there: object, here: object) -> bool | None:
        return False if isinstance(there, DateTime) and isinstance(here, UtcDateTime) else None

    def readable(item: object, _name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        """Alembic cannot read indexes on expressions in SQLite; the test above does."""
        return kind != "index" or not (database.is_sqlite and str(_name).startswith("ix_tasks_open_"))

    with empty() as database:
        migrate(database, store=store)
        with database.engine.connect() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context = MigrationContext.configure(connection, opts={"compare_type": same, "include_object": readable})
            assert compare_metadata(context, METADATA_OF[store]) == []


def test_the_audit_events_cannot_be_changed_after_a_migration(empty: Empty) -> None:
    with empty() as database:
        migrate(database, store=Store.DATA)
        insert = (
            "INSERT INTO audit_events (id, tenant, at, action, target, actor, body) "
            "VALUES ('1', 'main', '2026-11-23 02:00:00', 'a', 'b', 'c', 'd')"
        )
        with database.engine.begin() as connection:
            connection.execute(text(insert))
        for change in ("UPDATE audit_events SET body = 'x'", "DELETE FROM audit_events"):
            with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
                connection.execute(text(change))


def test_a_second_migration_changes_nothing(empty: Empty) -> None:
    with empty() as database:
        assert migrate(database, store=Store.DATA).changed
        assert not migrate(database, store=Store.DATA).changed
        assert current(database) == newest(Store.DATA)
        refuse_other_schema(database, store=Store.DATA)


def test_a_newer_schema_is_refused_and_left_alone(empty: Empty) -> None:
    with empty() as database:
        migrate(database, store=Store.DATA)
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        for attempt in (migrate, refuse_other_schema):
            with pytest.raises(SchemaNewer, match="9999"):
                attempt(database, store=Store.DATA)
        assert current(database) == "9999"


def test_a_process_that_does_not_migrate_refuses_an_older_schema(empty: Empty) -> None:
    with empty() as database, pytest.raises(UnsafeSetting, match="casework migrate"):
        refuse_other_schema(database, store=Store.DATA)


def test_a_store_that_holds_anything_is_copied_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "casework.db"
    database = open_database(f"sqlite:///{path}")
    assert migrate(database, store=Store.DATA, copies=tmp_path / "copies", now=NOW).copy is None  # nothing to lose yet
    with database.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO tenants (code, name, sandbox, created_at) VALUES ('main', 'Bank', 0, :at)"),
            {"at": str(NOW)},
        )
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    known = Path(str(configuration(Store.DATA).get_main_option("version_locations")))
    for script in known.glob("[0-9]*.py"):
        (scripts / script.name).write_text(script.read_text())
    last = newest(Store.DATA)
    (scripts / "9999_more.py").write_text(
        f"from alembic import op\nrevision = '9999'\ndown_revision = '{last}'\n"
        "def upgrade():\n    op.execute('CREATE TABLE more (id TEXT PRIMARY KEY)')\n"
    )
    later = configuration(Store.DATA)
    later.set_main_option("version_locations", str(scripts))
    monkeypatch.setattr("deploy.migrate.configuration", lambda _store: later)
    done = migrate(database, store=Store.DATA, copies=tmp_path / "copies", now=NOW)
    database.dispose()
    assert (done.before, done.after) == (last, "9999")
    assert done.copy is not None
    assert done.copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(done.copy)) as copy:
        assert copy.execute("SELECT code FROM tenants").fetchall() == [("main",)]
        assert copy.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall() == []


def test_a_script_that_fails_leaves_nothing_behind(
    empty: Empty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "0001_bad.py").write_text(
        "from alembic import op\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.execute('CREATE TABLE half (id TEXT PRIMARY KEY)')\n    raise RuntimeError('stop')\n"
    )
    bad = configuration(Store.DATA)
    bad.set_main_option("version_locations", str(scripts))
    monkeypatch.setattr("deploy.migrate.configuration", lambda _store: bad)
    with empty() as database:
        with pytest.raises(RuntimeError, match="stop"):
            migrate(database, store=Store.DATA)
        assert inspect(database.engine).get_table_names() == []


def test_every_pooled_connection_has_the_durable_settings(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/casework.db")
    held = [database.engine.connect() for _ in range(12)]  # more than the pool keeps
    try:
        for connection in held:
            read = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            connection.rollback()
            assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    finally:
        for connection in held:
            connection.close()
        database.dispose()
