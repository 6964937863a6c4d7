"""A scratch book: a table of customers in a temporary SQLite file, sealed under keys that live in memory only.

A backup is restored into one to prove it: through the same layout, constraints and columns as the real book. Nothing
lies there in the clear, and once the process ends nobody opens what is left.
"""

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, insert, select
from sqlalchemy.exc import IntegrityError

from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_stream import BackedUp
from compliance.vault.blind import BlindField
from compliance.vault.bulk_keys import SubjectKeys
from compliance.vault.customer_layout import CUSTOMER_LAYOUT, Customer, open_customers, seal_customers, stored_of
from compliance.vault.suites import SealingKey, Suite
from models.tables.base import DataTable
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant

_TENANT: Final = "scratch"
_CHUNK: Final = 500
_TABLE: Final[Table] = CustomerRecord.__table__  # type: ignore[attr-defined]
_TENANTS: Final[Table] = Tenant.__table__  # type: ignore[attr-defined]  # what the table of customers refers to
# A number of a customer stands once in a book; nobody searches here by anything else.
_UNIQUE: Final = "customer_no_index"
_LAYOUT: Final = replace(CUSTOMER_LAYOUT, indexes={_UNIQUE: CUSTOMER_LAYOUT.indexes[_UNIQUE]})
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


class _ScratchKeys:
    """One key for all; cells are bound to their rows and subjects anyhow."""

    def __init__(self, suite: Suite) -> None:
        self._key = SealingKey(suite, suite.new_key(), version=1)
        self._index = SealingKey(suite, suite.new_key(), version=1)
        self._keys = SubjectKeys(self._key, {1: self._key})

    def subject_keys(
        self, *, tenant: str, subject_ids: Collection[str], create: bool = False
    ) -> Mapping[str, SubjectKeys]:
        """The one key, for each."""
        del tenant, create
        return dict.fromkeys(subject_ids, self._keys)

    def index_keys(self, *, tenant: str, field: BlindField) -> tuple[SealingKey, ...]:
        """A key for all indexes."""
        del tenant, field
        return (self._index,)


class ScratchBook:
    """Customers restored for a proof; `scratch_book` makes one."""

    def __init__(self, engine: Engine, suite: Suite) -> None:
        """Over an empty database file."""
        self._engine = engine
        self._keys = _ScratchKeys(suite)
        self._restored = 0
        DataTable.metadata.create_all(engine, tables=[_TENANTS, _TABLE])

    def restore(self, records: Iterable[BackedUp]) -> int:
        """Put records into the book.

        Returns:
            How many.

        Raises:
            BackupFault: a book does not take a record, with its number.
        """
        chunk: list[BackedUp] = []
        with self._engine.begin() as connection:
            for record in records:
                chunk.append(record)
                if len(chunk) == _CHUNK:
                    self._insert(connection, chunk)
                    chunk = []
            if chunk:
                self._insert(connection, chunk)
        return self._restored

    def customers(self) -> Iterator[Customer]:
        """What is in the book, opened again, in the rising order of the ids."""
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=_CHUNK).execute(select(_TABLE).order_by(_TABLE.c.id))
            stored = (stored_of(row) for row in rows.mappings())
            yield from open_customers(self._keys, tenant=_TENANT, stored=stored)

    def _insert(self, connection: Connection, records: list[BackedUp]) -> None:
        try:
            connection.execute(insert(_TABLE), self._rows(records))
        except IntegrityError:  # rows go in one by one, so those before it are there
            there = connection.execute(select(func.count()).select_from(_TABLE)).scalar_one()
            raise BackupFault(FaultCode.RECORD_REFUSED, record=there + 1) from None
        except ValueError:
            refused = next(number for number, record in enumerate(records, start=1) if not self._fits(record))
            raise BackupFault(FaultCode.RECORD_REFUSED, record=self._restored + refused) from None
        self._restored += len(records)

    def _fits(self, record: BackedUp) -> bool:
        try:
            self._rows([record])
        except ValueError:
            return False
        return True

    def _rows(self, records: list[BackedUp]) -> list[dict[str, Any]]:
        sealed = seal_customers(
            self._keys,
            tenant=_TENANT,
            customers=(record.customer for record in records),
            layout=_LAYOUT,
        )
        return [
            {
                "id": stored.id,
                "tenant": _TENANT,
                "subject_id": stored.subject,
                "version": record.version,
                "state": record.state,
                "person_link": record.person_link or None,
                "created_at": _LONG_AGO,
                "updated_at": _LONG_AGO,
                **stored.columns,
                "id_index": b"",
            }
            for stored, record in zip(sealed, records, strict=True)
        ]


@contextlib.contextmanager
def scratch_book(folder: Path, suite: Suite, *, stem: str) -> Iterator[ScratchBook]:
    """A new scratch book in that folder, gone at the end; what a killed try has left under the same stem goes first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f".scratch-{stem}.db"
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    event.listen(engine, "connect", _for_once)
    try:
        yield ScratchBook(engine, suite)
    finally:
        engine.dispose()
        path.unlink(missing_ok=True)


def _for_once(dbapi: Any, _record: Any) -> None:
    # Nothing here has to outlive a crash.
    for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF", "temp_store=MEMORY"):
        dbapi.execute(f"PRAGMA {pragma}")
