"""The only two commits of the product.

`unit_of_work` writes a change and its audit event together or not at all. `bookkeeping` is for what is no deed: marks
of the outbox, leases, leaves of the log, stored answers; any other table in it is refused.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from compliance.audit.deeds import Deed, canonical
from models.database.bulk import insert_many
from models.database.engine import Database
from models.domain.tokens import uuid7
from models.errors import DatabaseBusy
from models.tables.audit import AuditEvent, AuditPending

BOOKKEEPING_TABLES: Final = frozenset(
    {
        "outbox",
        "leases",
        "audit_pending",
        "audit_leaves",
        "audit_checkpoints",
        "audit_tree",
        "audit_nodes",
        "idempotency_keys",
        "login_throttles",
    }
)
# Every word that writes, also behind a remark or a WITH. `FOR UPDATE` and `DO UPDATE SET` name no table of their own.
_WRITE: Final = re.compile(
    r"\b(?:(?:INSERT(?:\s+OR\s+\w+)?|REPLACE|MERGE)\s+INTO|DELETE\s+FROM|TRUNCATE|COPY|CREATE|DROP|ALTER"
    r"|(?<!FOR\s)(?<!KEY\s)(?<!DO\s)UPDATE(?!\s+SET))\s+\"?(\w+)\"?",
    re.IGNORECASE,
)
# Marks the connection of a bookkeeping transaction. A listener of its own for each cost more than what it guards.
_KEPT: Final = "casework_bookkeeping"
_KEEPING: Final = {_KEPT: True}

_EVENTS: Final[Table] = AuditEvent.__table__  # type: ignore[attr-defined]
_PENDING: Final[Table] = AuditPending.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class Unit:
    """A transaction under way, with the deeds it will record. `deed` is the first; `also` adds more."""

    session: Session
    deed: Deed
    _more: list[Deed] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)

    def also(self, deed: Deed) -> None:
        """Record a second deed of the same transaction."""
        self._more.append(deed)

    def record(self) -> None:
        """Write the events and queue them for the sealer."""
        events = [_row(uuid7(deed.at), deed) for deed in (self.deed, *self._more)]
        self.event_ids = [row["id"] for row in events]
        # Two statements for all, past the session's bookkeeping of objects: a tenth of the time.
        insert_many(self.session, _EVENTS, events)
        insert_many(self.session, _PENDING, [{"event_id": event_id} for event_id in self.event_ids])


def _row(event_id: str, deed: Deed) -> dict[str, Any]:
    return {
        "id": event_id,
        "tenant": deed.tenant,
        "at": deed.at,
        "action": deed.action,
        "target": deed.target,
        "actor": deed.actor,
        "body": canonical(event_id, deed),
    }


class Unchanged(Exception):
    """Raised inside a unit to say that there was nothing to do: nothing is written, not even an event."""


@contextmanager
def unit_of_work(database: Database, deed: Deed) -> Iterator[Unit]:
    """Change and event land together or not at all. At most 50 ms, no `await`, no outside call inside.

    An effect that finds itself already done raises `Unchanged` inside; the unit ends quietly without an event.

    Raises:
        DatabaseBusy: the database does not answer, or cannot take the event: then nothing has changed either.
    """
    try:
        with database.write() as session:
            unit = Unit(session, deed)
            yield unit
            session.flush()
            _record(unit)
    except Unchanged:
        return


def _record(unit: Unit) -> None:
    """Whatever keeps the event from being written is a fault of ours and may pass: 503, never a change without one."""
    try:
        unit.record()
    except DBAPIError as error:
        raise DatabaseBusy(detail=f"the audit event cannot be written: {type(error.orig).__name__}") from None


@contextmanager
def bookkeeping(database: Database) -> Iterator[Session]:
    """A commit without an event, for the tables in `BOOKKEEPING_TABLES` only.

    Raises:
        AssertionError: another table was written; the transaction is rolled back.
    """
    with database.write() as session:
        session.connection(execution_options=_KEEPING)
        yield session
        session.flush()


@event.listens_for(Engine, "before_cursor_execute")
def _refuse_other_tables(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if _KEPT not in connection.get_execution_options():
        return
    for match in _WRITE.finditer(statement):
        if match.group(1) not in BOOKKEEPING_TABLES:
            raise AssertionError(f"bookkeeping may not write {match.group(1)}: use unit_of_work")
