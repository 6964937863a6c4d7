"""What became of keys, out of the key store's journal and into the audit log.

No transaction spans the two stores, so the order is: the change and its line in the journal commit together in the key
store; then the event is written here; then the line is marked. Killed between, the next run finds the event by the
line's id and only marks the line: each change is one event.
"""

import json
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlmodel import Session, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.store import mark_recorded, unrecorded
from compliance.vault.tables import KeyJournal
from models.database.engine import Database
from models.tables.audit import AuditEvent

CHUNK: Final = 200
_RECORDING: Final = 7_318_402_552  # an advisory lock of PostgreSQL: two recorders must not both find no event


def record_key_deeds(data: Database, keys: Database, *, now: datetime, limit: int = CHUNK) -> int:
    """Record what the audit log does not have yet, the oldest first. Returns how many lines were marked.

    Raises:
        KeysUnavailable: the key store does not answer.
        DatabaseBusy: the data store does not answer; the lines stay open.
    """
    lines = unrecorded(keys, limit=limit)
    for line in lines:
        _record(data, line)
    if lines:
        mark_recorded(keys, [line.id for line in lines], at=now)
    return len(lines)


def _record(data: Database, line: KeyJournal) -> None:
    deed = Deed(
        tenant=line.tenant,
        action=line.action,
        target=line.target,
        actor=line.actor,
        at=line.at,
        facts={**json.loads(line.facts), "journal": line.id},
    )
    with unit_of_work(data, deed) as unit:
        if not data.is_sqlite:
            unit.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _RECORDING})
        if _is_recorded(unit.session, line):
            raise Unchanged


def _is_recorded(session: Session, line: KeyJournal) -> bool:
    bodies = session.exec(
        select(AuditEvent.body).where(
            AuditEvent.target == line.target, AuditEvent.tenant == line.tenant, AuditEvent.action == line.action
        )
    ).all()
    return any(json.loads(body)["facts"].get("journal") == line.id for body in bodies)
