"""What the steps of duplicate detection share beside rests, beats and events: a job's people as they are compared."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlmodel import Session

from activities.transfers.chunked import JobWork
from compliance.vault.customer_layout import CELL_COLUMNS, PACKED_COLUMN, StoredCustomer, open_customers
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.matching.person import Person, person_of
from models.domain.matching.settling import row_name, row_number
from models.domain.shanghai import shanghai_date
from models.errors import NotFound
from models.queries.transfers.match_candidates import SealedRow, customers_by_id, sealed_rows
from models.tables.transfers import TransferJob

COMPARED_FIELDS: Final = (
    "name", "id_type", "id_number", "mobile", "email", "account", "sex", "birth_date", "address"
)  # fmt: skip
# Of a record of the target's book, behind its id: what is read to open these fields of it.
CUSTOMER_COLUMNS: Final = (
    "subject_id", *(CELL_COLUMNS[name] for name in COMPARED_FIELDS if name in CELL_COLUMNS), PACKED_COLUMN, "id_type"
)  # fmt: skip
_AT_ONCE: Final = 500  # names in one IN (…)


@dataclass(frozen=True, slots=True)
class MatchWork(JobWork):
    """One step of one job; also from the API, when a person has asked."""

    vault: Vault

    @classmethod
    def reading(cls, database: Database, vault: Vault, clock: Clock, token: str) -> "MatchWork":
        """Read the job and start the watch.

        Raises:
            NotFound: no such job.
        """
        with database.read() as session:
            job = session.get(TransferJob, token)
        if job is None:
            raise NotFound(detail=token)
        return cls(database, clock, job.tenant, job.token, time.monotonic(), job, vault)

    def present(self) -> TransferJob:
        """The job as it stands now."""
        with self.database.read() as session:
            return session.get_one(TransferJob, self.job.token)

    def people_of_rows(self, rows: Sequence[SealedRow]) -> dict[str, Person]:
        """Rows, opened, as they are compared; by name."""
        today, names = self._today, {subject: row_name(number) for number, subject, _ in rows}
        opened = open_rows(self.vault, tenant=self.job.tenant, rows=[(subject, cell) for _, subject, cell in rows])
        return {names[subject]: person_of(values, today=today) for subject, values in opened}

    def people_of_customers(self, records: Iterable[Sequence[Any]]) -> dict[str, Person]:
        """Records of the target's book, read as `CUSTOMER_COLUMNS`, opened as far as they are compared; by name."""
        today = self._today
        stored = [
            StoredCustomer(name, subject, dict(zip(CUSTOMER_COLUMNS[1:], columns, strict=True)))
            for name, subject, *columns in records
        ]
        opened = open_customers(self.vault, tenant=self.job.tenant, stored=stored, fields=COMPARED_FIELDS)
        return {customer.id: person_of(customer.values, today=today) for customer in opened}

    def people(self, session: Session, names: Iterable[str]) -> dict[str, Person]:
        """The records with these names, of either side; what is gone is left out."""
        wanted = sorted(set(names))
        numbers = [number for name in wanted if (number := row_number(name)) is not None]
        ids = [name for name in wanted if row_number(name) is None]
        found: dict[str, Person] = {}
        for first in range(0, len(numbers), _AT_ONCE):
            found |= self.people_of_rows(sealed_rows(session, self.job.token, numbers[first : first + _AT_ONCE]))
        for first in range(0, len(ids), _AT_ONCE):
            some = customers_by_id(session, self.job.tenant, CUSTOMER_COLUMNS, ids[first : first + _AT_ONCE])
            found |= self.people_of_customers(some)
        return found

    @property
    def _today(self) -> date:
        return shanghai_date(self.clock())
