"""A file of a run is put on record: one file for one run, and the same bytes once in a tenant. Over a session."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from models.domain.batches.files.layout import Layout
from models.domain.batches.states import RowState
from models.domain.canonical import digest
from models.errors import WrongState
from models.tables.batch_imports import BatchImport, BatchLayout, BatchRow

_LAYOUTS: Final[Table] = BatchLayout.__table__  # type: ignore[attr-defined]
_IMPORTS: Final[Table] = BatchImport.__table__  # type: ignore[attr-defined]


def add_import(session: Session, taken: BatchImport) -> str | None:
    """Write what was received.

    Returns:
        None; or the run that has the same bytes already, and nothing was written.

    Raises:
        WrongState: the run has another file.
    """
    if _insert(session, _IMPORTS, {column.name: getattr(taken, column.name) for column in _IMPORTS.columns}):
        return None
    same = (col(BatchImport.tenant) == taken.tenant, col(BatchImport.digest) == taken.digest)
    known = session.exec(select(BatchImport.run).where(*same)).first()
    if known is None or known == taken.run:
        raise WrongState(detail=taken.run, params={"state": "file-taken"})
    return known


def discard_row(session: Session, subject: str, *, tenant: str, reason_code: str) -> int:
    """A quarantined row is rejected for good; its number.

    Raises:
        WrongState: it is not in quarantine any more.
    """
    row = session.exec(
        select(BatchRow)
        .where(col(BatchRow.subject_id) == subject, col(BatchRow.tenant) == tenant)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or row.state != RowState.HELD:
        raise WrongState(params={"state": "not-quarantined"})
    row.state, row.reason_code, row.version = RowState.REJECTED.value, reason_code, row.version + 1
    session.add(row)
    session.flush()
    return row.number


def keep_layout(
    session: Session, tenant: str, name: str, version: str, layout: Layout, *, by: str, now: datetime
) -> bool:
    """Put a version of a layout on record, by which files are read; False: it is there, and stays as it is."""
    body = layout.model_dump(mode="json", exclude_none=True)
    values = {
        "tenant": tenant,
        "name": name,
        "version": version,
        "body": body,
        "body_hash": digest(body),
        "made_by": by,
        "created_at": now,
    }
    return _insert(session, _LAYOUTS, values)


def _insert(session: Session, table: Table, values: dict[str, Any]) -> bool:
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    once = make(table).values(values).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return session.connection().execute(once).first() is not None
