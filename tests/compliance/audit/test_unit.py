"""The two commits of the product: a change lands with its event or not at all, and nothing else may commit."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from compliance.audit.deeds import Deed
from compliance.audit.unit import BOOKKEEPING_TABLES, Unchanged, bookkeeping, unit_of_work
from models.database.engine import Database
from models.errors import DatabaseBusy
from models.tables.all import METADATA
from models.tables.audit import AuditEvent, AuditPending
from models.tables.platform import Lease
from models.tables.tenants import Tenant

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def deed(action: str = "tenant.created") -> Deed:
    return Deed(tenant="main", action=action, target="main", actor="operator", at=AT)


def tenant() -> Tenant:
    return Tenant(code="main", name="A bank", created_at=AT)


def kept(database: Database) -> tuple[int, int, int]:
    """Rows of the change, of the log, and of the queue to the log."""
    with database.read() as session:
        counts = [session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in TABLES]
    return counts[0], counts[1], counts[2]


TABLES = ("tenants", "audit_events", "audit_pending")


# unit_of_work ---------------------------------------------------------------------------------------------------------


def test_a_change_lands_with_its_event(database: Database) -> None:
    with unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
        unit.deed.facts["sandbox"] = False  # known only while the unit runs
    assert kept(database) == (1, 1, 1)
    with database.read() as session:
        event = session.execute(select(AuditEvent)).scalar_one()
        pending = session.execute(select(AuditPending)).scalar_one()
    assert unit.event_ids == [event.id] == [pending.event_id]
    assert (event.tenant, event.action, event.target, event.actor, event.at) == (
        "main",
        "tenant.created",
        "main",
        "operator",
        AT,
    )
    assert json.loads(event.body) == {
        "id": event.id,
        "tenant": "main",
        "at": "2026-11-23T02:00:00.000000+00:00",
        "action": "tenant.created",
        "target": "main",
        "actor": "operator",
        "facts": {"sandbox": False},
    }


def test_one_unit_may_record_several_deeds(database: Database) -> None:
    with unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
        for number in range(20):
            unit.also(deed(f"tenant.step-{number}"))
    assert kept(database) == (1, 21, 21)
    assert len(set(unit.event_ids)) == 21


def test_no_event_no_change(database: Database) -> None:
    """The log cannot be written to: what was to be recorded has not happened."""
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_events RENAME TO audit_events_away"))
    with pytest.raises(DatabaseBusy), unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM tenants")).scalar_one() == 0


def test_no_place_in_the_queue_no_change(database: Database) -> None:
    """An event that the sealer would never see is no event."""
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_pending RENAME TO audit_pending_away"))
    with pytest.raises(DatabaseBusy), unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
    with database.read() as session:
        for name in ("tenants", "audit_events"):
            assert session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == 0


@pytest.mark.parametrize("fact", [float("nan"), float("inf"), {1, 2}, AT])
def test_a_fact_without_one_spelling_is_no_event_and_no_change(database: Database, fact: object) -> None:
    with pytest.raises((TypeError, ValueError)), unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
        unit.deed.facts["odd"] = fact
    assert kept(database) == (0, 0, 0)


def test_a_failed_change_leaves_no_event(database: Database) -> None:
    with pytest.raises(LookupError), unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
        unit.also(deed("tenant.opened"))
        raise LookupError
    assert kept(database) == (0, 0, 0)


def test_a_change_that_fails_at_the_end_leaves_no_event(database: Database) -> None:
    with pytest.raises(SQLAlchemyError), unit_of_work(database, deed()) as unit:
        unit.session.add(Tenant(code="main", name=None, created_at=AT))
    assert kept(database) == (0, 0, 0)


def test_unchanged_writes_nothing(database: Database) -> None:
    with unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
        unit.session.flush()
        raise Unchanged
    assert kept(database) == (0, 0, 0)
    assert unit.event_ids == []


# bookkeeping ----------------------------------------------------------------------------------------------------------


def test_bookkeeping_leaves_no_event(database: Database) -> None:
    with bookkeeping(database) as session:
        session.add(Lease(name="sealer", holder="one", expires_at=AT))
    with database.read() as session:
        assert session.get_one(Lease, "sealer").holder == "one"
    assert kept(database) == (0, 0, 0)


def test_bookkeeping_knows_only_tables_that_exist() -> None:
    assert set(METADATA.tables) >= BOOKKEEPING_TABLES


def _by_orm(session: Session) -> None:
    session.add(tenant())


def _by_flushed_orm(session: Session) -> None:
    session.add(tenant())
    session.flush()


def _statement(statement: str) -> Callable[[Session], None]:
    def write(session: Session) -> None:
        session.execute(text(statement))

    write.__name__ = statement[:30]
    return write


@pytest.mark.parametrize(
    "write",
    [
        _by_orm,
        _by_flushed_orm,
        _statement("INSERT INTO tenants (code, name, sandbox, created_at) VALUES ('x', 'n', false, '2026-01-01')"),
        _statement('UPDATE "staff" SET name = name'),
        _statement("  delete\n from four_eyes"),
        _statement("WITH gone AS (SELECT 1) UPDATE decisions SET outcome = 'approve'"),
        _statement("WITH gone AS (SELECT 1) DELETE FROM decisions"),
        _statement("-- a remark\nDELETE FROM decisions"),
        _statement("/* a remark */ DELETE FROM decisions"),
        _statement("DROP TABLE audit_events"),
        _statement("ALTER TABLE audit_events RENAME TO away"),
    ],
    ids=lambda write: write.__name__,
)
def test_bookkeeping_refuses_every_other_table(database: Database, write: Callable[[Session], None]) -> None:
    with pytest.raises(AssertionError, match="bookkeeping may not"), bookkeeping(database) as session:
        session.add(Lease(name="sealer", holder="one", expires_at=AT))
        session.flush()
        write(session)
    with database.read() as session:
        assert session.get(Lease, "sealer") is None  # the allowed part is gone with the rest
    assert kept(database) == (0, 0, 0)


def test_bookkeeping_may_lock_and_upsert(database: Database) -> None:
    lock = "" if database.is_sqlite else " FOR UPDATE SKIP LOCKED"
    with bookkeeping(database) as session:
        for holder in ("one", "two"):
            session.execute(
                text(
                    "INSERT INTO leases (name, holder, token, expires_at) VALUES ('sealer', :holder, 1, '2026-01-01') "
                    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder"
                ),
                {"holder": holder},
            )
        session.execute(text(f"SELECT code FROM tenants{lock}"))
        session.execute(text("WITH seen AS (SELECT code FROM tenants) SELECT count(*) FROM seen"))
        session.execute(text("WITH gone AS (SELECT name FROM leases) UPDATE leases SET token = 2"))
    with database.read() as session:
        lease = session.get_one(Lease, "sealer")
    assert (lease.holder, lease.token) == ("two", 2)


def test_the_guard_goes_with_the_bookkeeping(database: Database) -> None:
    """The same pooled connection may write anything again in a unit of work."""
    with bookkeeping(database) as session:
        session.add(Lease(name="sealer", holder="one", expires_at=AT))
    with unit_of_work(database, deed()) as unit:
        unit.session.add(tenant())
    assert kept(database) == (1, 1, 1)
