"""The book of the company that hands over, where it is a tenant of this installation too: its records, opened as rows.

The line of a row is its place in the order of record ids, whatever their state, so that a repeated reading counts the
same although records have left the book meanwhile, with this job or another, or were erased.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import select

from activities.support.tabular.rows import RowSource
from compliance.vault.customer_layout import STORED_COLUMNS, StoredCustomer, open_customers
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.customers.record import FIELDS
from models.domain.customers.showing import CustomerState
from models.domain.tabular.rows import ReadRow
from models.tables.customers import CustomerRecord

_CHUNK: Final = 500
_RECORDS: Any = CustomerRecord.__table__  # type: ignore[attr-defined]


class BookSource(RowSource):
    """Every active record of a tenant."""

    header = FIELDS

    def __init__(self, database: Database, vault: Vault, tenant: str) -> None:
        self._database, self._vault, self._tenant = database, vault, tenant

    def rows(self) -> Iterator[ReadRow]:
        """Records in the order of their ids, opened a chunk at a time."""
        line, after = 0, ""
        columns = [_RECORDS.c[name] for name in ("id", "subject_id", "state", "erased_at", *STORED_COLUMNS)]
        query = select(*columns).where(_RECORDS.c.tenant == self._tenant).order_by(_RECORDS.c.id).limit(_CHUNK)
        while True:
            with self._database.read() as session:
                found = session.connection().execute(query.where(_RECORDS.c.id > after)).mappings().all()
            if not found:
                return
            lines = {row["id"]: at for at, row in enumerate(found, start=line + 1)}
            line += len(found)
            stored = [
                StoredCustomer(row["id"], row["subject_id"], dict(row))
                for row in found
                if row["state"] == CustomerState.ACTIVE and row["erased_at"] is None
            ]
            for customer in open_customers(self._vault, tenant=self._tenant, stored=stored):
                yield ReadRow(lines[customer.id], [customer.values.get(name) or "" for name in FIELDS])
            after = found[-1]["id"]
