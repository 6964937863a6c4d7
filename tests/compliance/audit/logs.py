"""A small sealed log to work on, and the hand of somebody who edits it with SQL."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from compliance.audit.deeds import Deed
from compliance.audit.seal import SealKeys, seal_pending
from compliance.audit.unit import unit_of_work
from compliance.audit.verify import LogReport, verify_database
from models.database.engine import Database
from models.tables.triggers import APPEND_ONLY

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
KEYS = SealKeys(mac_key=b"m" * 32, signing_key=Ed25519PrivateKey.from_private_bytes(b"s" * 32))


def record(database: Database, number: int) -> str:
    """One deed; returns its event's id."""
    deed = Deed(
        tenant="main",
        action="task.decided",
        target=f"tsk_{number:026d}",
        actor="stf_anna",
        at=NOW + timedelta(seconds=number),
        facts={"outcome": "approve", "amount_minor": number},
    )
    with unit_of_work(database, deed) as unit:
        pass
    return unit.event_ids[0]


def fill(database: Database, anchor: Path, *, events: int, sealed_every: int = 7) -> list[str]:
    """Events, all of them sealed, with a checkpoint after every few; returns their ids in the order of the log."""
    ids = []
    for number in range(events):
        ids.append(record(database, number))
        if number % sealed_every == sealed_every - 1:
            seal(database, anchor)
    seal(database, anchor)
    return ids


def seal(database: Database, anchor: Path, *, limit: int = 1000) -> int:
    """One round of the sealer."""
    return seal_pending(database, KEYS, now=NOW, anchor=anchor, limit=limit)


def check(database: Database, anchor: Path | None) -> LogReport:
    """The verifier's report."""
    return verify_database(database, mac_key=KEYS.mac_key, public_key=KEYS.public_key, anchor=anchor)


@contextlib.contextmanager
def intruder(database: Database) -> Iterator[Connection]:
    """A connection of somebody who may do everything in the database: triggers and foreign keys are out of the way."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            # Outside a transaction, where alone SQLite listens to it.
            raw = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys=OFF")
            for table in APPEND_ONLY:
                for name in ("no_update", "no_delete", "no_replace"):
                    raw.execute(f"DROP TRIGGER IF EXISTS {table}_{name}")
        with connection.begin():
            if not database.is_sqlite:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
        if database.is_sqlite:
            raw.execute("PRAGMA foreign_keys=ON")
