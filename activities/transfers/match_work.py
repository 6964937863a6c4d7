"""What the steps of duplicate detection share beside rests, beats and events: a job's people as they are compared."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from activities.transfers.chunked import JobWork
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.matching.person import Person, person_of
from models.domain.matching.settling import row_name, row_number
from models.domain.shanghai import shanghai_date
from models.errors import NotFound
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferJob, TransferRow

COMPARED_FIELDS: Final = (
    "name", "id_type", "id_number", "mobile", "email", "account", "sex", "birth_date", "address"
)  # fmt: skip


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
        return cls(database, clock, job, time.monotonic(), vault)

    def present(self) -> TransferJob:
        """The job as it stands now."""
        with self.database.read() as session:
            return session.get_one(TransferJob, self.job.token)

    def people_of_rows(self, rows: Sequence[TransferRow]) -> dict[str, Person]:
        """Rows, opened, as they are compared; by name."""
        names = {row.subject_id: row_name(row.number) for row in rows}
        opened = open_rows(self.vault, tenant=self.job.tenant, rows=[(row.subject_id, row.row_cell) for row in rows])
        return {names[subject]: self._person(values) for subject, values in opened}

    def people_of_customers(self, records: Iterable[CustomerRecord]) -> dict[str, Person]:
        """Records of the target's book, opened as far as they are compared; by name."""
        opened = open_customers(
            self.vault,
            tenant=self.job.tenant,
            stored=[stored_of(record) for record in records],
            fields=COMPARED_FIELDS,
        )
        return {customer.id: self._person(customer.values) for customer in opened}

    def people(self, session: Session, names: Iterable[str]) -> dict[str, Person]:
        """The records with these names, of either side; what is gone is left out."""
        wanted = set(names)
        numbers = sorted(number for name in wanted if (number := row_number(name)) is not None)
        rows = session.exec(
            select(TransferRow).where(col(TransferRow.job) == self.job.token, col(TransferRow.number).in_(numbers))
        ).all()
        records = session.exec(
            select(CustomerRecord).where(
                col(CustomerRecord.tenant) == self.job.tenant,
                col(CustomerRecord.id).in_(sorted(name for name in wanted if row_number(name) is None)),
                col(CustomerRecord.erased_at).is_(None),
            )
        ).all()
        return self.people_of_rows(rows) | self.people_of_customers(records)

    def _person(self, values: Mapping[str, str | None]) -> Person:
        return person_of(values, today=shanghai_date(self.clock()))
