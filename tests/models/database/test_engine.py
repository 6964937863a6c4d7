"""The SQL discipline: no update is lost, no setting missing on any connection, no wait without end, no value leaks."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import POOL_SIZE, Database, open_database
from models.errors import DatabaseBusy
from models.tables.platform import Lease
from models.tables.staff import Staff
from models.tables.tenants import Tenant
from tests.support.clock import FakeClock

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
THREADS, INCREMENTS = 8, 50


def tenant(code: str = "main", created_at: datetime = AT) -> Tenant:
    return Tenant(code=code, name="A bank", created_at=created_at)


def deed(at: datetime) -> Deed:
    return Deed(tenant="main", action="probe.counted", target="probe", actor="operator", at=at)


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Another process holds the write lock of the SQLite file."""
    with closing(sqlite3.connect(str(database.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def impatient(database: Database) -> None:
    """Give up on a lock after 0.2 s instead of 5 s, on connections to come."""
    database.engine.dispose()

    @event.listens_for(database.engine, "connect")
    def _shorten(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.execute("PRAGMA busy_timeout=200")


# Settings -------------------------------------------------------------------------------------------------------------


def test_every_pooled_connection_is_durable_and_checks_foreign_keys(sqlite_database: Database) -> None:
    with ExitStack() as held:
        for _ in range(POOL_SIZE + 20):  # the whole pool with its overflow, all at once
            connection = held.enter_context(sqlite_database.engine.connect().execution_options(read_only=True))
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
            assert settings == ["wal", 2, 1, 5000]


def test_a_missing_parent_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text("INSERT INTO audit_pending VALUES ('no-such-event')"))


# Concurrency ----------------------------------------------------------------------------------------------------------


def test_no_increment_is_lost_on_sqlite(sqlite_database: Database) -> None:
    """Read, then write: with SQLAlchemy's own defaults most of these updates are lost or refused."""
    _prepare_counter(sqlite_database)

    def work(_: int) -> None:
        for _ in range(INCREMENTS):
            with unit_of_work(sqlite_database, deed(AT)) as unit:
                counter = unit.session.get_one(Lease, "counter")
                counter.token = counter.token + 1

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert _counter(sqlite_database) == (THREADS * INCREMENTS, THREADS * INCREMENTS)


def test_no_compare_and_set_is_lost(database: Database) -> None:
    """What must hold on both databases is a compare-and-set; who comes second sees it and tries again."""
    _prepare_counter(database)

    def increment() -> bool:
        with database.read() as session:
            seen = session.get_one(Lease, "counter").token
        with database.write() as session:
            result = session.execute(
                update(Lease).where(Lease.name == "counter", Lease.token == seen).values(token=seen + 1)  # type: ignore[arg-type]
            )
            return bool(result.rowcount == 1)  # type: ignore[attr-defined]

    def work(_: int) -> int:
        tries = 0
        for _ in range(10):
            tries += 1
            while not increment():
                tries += 1
        return tries

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert _counter(database)[0] == THREADS * 10


def _prepare_counter(database: Database) -> None:
    with database.write() as session:
        session.add(Lease(name="counter", holder="nobody", token=0, expires_at=AT))


def _counter(database: Database) -> tuple[int, int]:
    with database.read() as session:
        events = session.execute(text("SELECT count(*) FROM audit_events")).scalar_one()
        return session.get_one(Lease, "counter").token, events


def test_writers_of_one_process_queue_behind_each_other(sqlite_database: Database) -> None:
    """No second transaction is begun, so that nobody burns the busy time-out of the file."""
    impatient(sqlite_database)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite_database.write() as session:
            session.add(tenant("slow"))
            entered.set()
            assert leave.wait(10)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(hold)
        assert entered.wait(10)
        quick = pool.submit(_write_tenant, sqlite_database, "quick")
        threading.Event().wait(0.5)  # longer than the busy time-out of 0.2 s
        assert not quick.done()
        leave.set()
        slow.result(10)
        quick.result(10)
    assert _tenants(sqlite_database) == ["quick", "slow"]


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.write() as session:
        session.add(tenant())
        session.flush()
        assert _tenants(database) == []
    assert _tenants(database) == ["main"]


def test_a_locked_database_is_reported_within_the_busy_time_out(sqlite_database: Database) -> None:
    impatient(sqlite_database)
    with locked(sqlite_database):
        began = time.monotonic()
        with pytest.raises(DatabaseBusy) as refused, sqlite_database.write() as session:
            session.execute(text("SELECT 1"))  # the first statement opens the transaction, be it only a question
            pytest.fail("read in a unit without the lock")
        assert 0.15 < time.monotonic() - began < 3
    assert refused.value.retryable
    assert refused.value.status == 503
    _write_tenant(sqlite_database, "main")  # the process-wide lock was given back
    assert _tenants(sqlite_database) == ["main"]


def test_a_database_that_went_away_is_reported_as_busy(postgres_database: Database) -> None:
    with pytest.raises(DatabaseBusy), postgres_database.write() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    _write_tenant(postgres_database, "main")  # a dead connection leaves the pool
    assert _tenants(postgres_database) == ["main"]


def test_a_database_that_is_not_there_is_reported_as_busy(tmp_path: Path) -> None:
    nowhere = open_database(f"postgresql+psycopg://postgres@/casework?host={tmp_path}")
    with pytest.raises(DatabaseBusy), nowhere.read() as session:
        session.execute(text("SELECT 1"))
    nowhere.dispose()


def test_a_pool_without_a_free_connection_is_reported_as_busy(database: Database) -> None:
    database.engine.pool._timeout = 0.1  # type: ignore[attr-defined]
    with ExitStack() as held:
        for _ in range(POOL_SIZE + 20):
            held.enter_context(database.engine.connect())
        with pytest.raises(DatabaseBusy), database.read() as session:
            session.execute(text("SELECT 1"))


# Transactions ---------------------------------------------------------------------------------------------------------


def test_a_failed_unit_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(tenant())
        session.flush()
        _ = 1 // 0
    assert _tenants(database) == []


def test_nothing_done_in_a_read_is_kept(database: Database) -> None:
    with database.read() as session:
        session.add(tenant())
        session.flush()
    assert _tenants(database) == []


def test_what_was_read_can_be_used_afterwards(database: Database) -> None:
    _write_tenant(database, "main")
    with database.read() as session:
        seen = session.get_one(Tenant, "main")
    assert seen.name == "A bank"


def _write_tenant(database: Database, code: str) -> None:
    with database.write() as session:
        session.add(tenant(code))


def _tenants(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.execute(select(Tenant.code)).scalars())  # type: ignore[call-overload]


# Instants -------------------------------------------------------------------------------------------------------------


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.write() as session:
        session.add(tenant(created_at=datetime(2026, 11, 23, 2, 0)))


def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    shanghai = timezone(timedelta(hours=8))
    with database.write() as session:
        session.add(tenant(created_at=datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=shanghai)))
    with database.read() as session:
        read = session.get_one(Tenant, "main").created_at
    assert read == datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)
    assert read.utcoffset() == timedelta(0)


def test_instants_of_other_zones_are_compared_as_instants(database: Database, clock: FakeClock) -> None:
    with database.write() as session:
        session.add(tenant(created_at=clock()))
    later = (clock() + timedelta(minutes=1)).astimezone(timezone(timedelta(hours=-8)))  # an earlier wall-clock reading
    with database.read() as session:
        found = session.execute(select(Tenant.code).where(Tenant.created_at < later)).scalars().all()  # type: ignore[call-overload]
    assert found == ["main"]


# Values ---------------------------------------------------------------------------------------------------------------


SECRET = "zhang-san-13800138000"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tenants (code, name, sandbox, created_at) VALUES (:value, 'n', false, '2026-01-01')",
        "INSERT INTO tenants (code, name, sandbox, created_at) VALUES ('other', :value, NULL, '2026-01-01')",
        "SELECT :value FROM no_such_table",
        "SELECT CAST(:value AS integer), no_such_column",
    ],
)
def test_no_value_reaches_an_error_text(database: Database, statement: str) -> None:
    short = SECRET[:16]
    with database.write() as session:
        session.add(tenant(short))
    with pytest.raises(SQLAlchemyError) as refused, database.write() as session:
        session.execute(text(statement), {"value": short})
    told: BaseException | None = refused.value
    while told is not None:
        assert short not in str(told)
        assert short not in repr(told)
        told = told.__cause__ or told.__context__


def test_a_value_of_the_wrong_type_reaches_no_error_text(postgres_database: Database) -> None:
    with pytest.raises(SQLAlchemyError) as refused, postgres_database.write() as session:
        session.execute(text("SELECT CAST(:value AS integer)"), {"value": SECRET})
    assert SECRET not in str(refused.value)
    assert SECRET not in str(refused.value.__cause__)


def test_a_broken_constraint_is_named(database: Database) -> None:
    person = {"tenant": "main", "person_id": "prs_1", "login": "li.si", "name": "n", "branch": "b", "created_at": AT}
    with database.write() as session:
        session.add(tenant())
        session.flush()
        session.add(Staff(id="stf_1", **person))
    with pytest.raises(IntegrityError) as refused, database.write() as session:
        session.add(Staff(id="stf_2", **person))
    assert "staff" in str(refused.value.orig)
    assert "login" in str(refused.value.orig)
