"""How a transfer's customers are reached: name and contact points, opened for the length of one part, kept nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.database.engine import Database
from models.domain.transfers.notice_facts import LANGUAGES
from models.domain.transfers.notice_policy import Way
from models.errors import SubjectShredded
from models.tables.customers import CustomerRecord
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferRow

_FIELDS = ("name", "mobile", "email", "address", "postcode", "language")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Reach:
    """One customer's contact points, in clear. Lives in memory for the length of one part."""

    name: str = ""
    mobile: str | None = None
    email: str | None = None
    address: str | None = None
    postcode: str | None = None
    language: str = LANGUAGES[0]

    def point(self, way: Way) -> str | None:
        """Where a channel reaches the customer; None: nowhere."""
        return {Way.SMS: self.mobile, Way.EMAIL: self.email, Way.POST: self.address}.get(way)


@dataclass(frozen=True, slots=True)
class Reaching:
    """Opens contact points: of the customer's record once there is one, of the row that was read before."""

    database: Database
    vault: Vault

    def of_rows(self, tenant: str, rows: Sequence[TransferRow]) -> dict[int, Reach]:
        """By number of the row; who was erased has nothing.

        Raises:
            CannotOpen, KeysUnavailable: as the vault says.
        """
        records = {row.number: row.target_record for row in rows if row.target_record is not None}
        found = self._of_records(tenant, set(records.values()))
        reached = {number: found[record] for number, record in records.items() if record in found}
        left = [row for row in rows if row.number not in reached]
        numbers = {row.subject_id: row.number for row in left}
        shredded = shredded_of(self.vault, tenant, list(numbers))
        cells = [(row.subject_id, row.row_cell) for row in left if row.subject_id not in shredded]
        for subject, values in open_rows(self.vault, tenant=tenant, rows=cells):
            reached[numbers[subject]] = _reach(values)
        return reached

    def of_notices(self, notices: Sequence[TransferNotice]) -> dict[str, Reach]:
        """By id of the notice; who was erased is missing.

        Raises:
            CannotOpen, KeysUnavailable: as the vault says.
        """
        if not notices:
            return {}
        job, tenant = notices[0].job, notices[0].tenant
        with self.database.read() as session:
            rows = session.exec(
                select(TransferRow).where(
                    col(TransferRow.job) == job, col(TransferRow.number).in_([each.row_number for each in notices])
                )
            ).all()
        by_number = self.of_rows(tenant, rows)
        return {each.id: by_number[each.row_number] for each in notices if each.row_number in by_number}

    def of_record(self, tenant: str, record_id: str) -> Reach | None:
        """Of one record; None if it is gone or erased."""
        return self._of_records(tenant, {record_id}).get(record_id)

    def _of_records(self, tenant: str, ids: set[str]) -> dict[str, Reach]:
        with self.database.read() as session:
            records = session.exec(
                select(CustomerRecord).where(
                    col(CustomerRecord.id).in_(ids),
                    col(CustomerRecord.tenant) == tenant,
                    col(CustomerRecord.erased_at).is_(None),
                )
            ).all()
        shredded = shredded_of(self.vault, tenant, [record.subject_id for record in records])
        stored = [stored_of(record) for record in records if record.subject_id not in shredded]
        opened = open_customers(self.vault, tenant=tenant, stored=stored, fields=_FIELDS)
        return {customer.id: _reach(customer.values) for customer in opened}


def shredded_of(vault: Vault, tenant: str, subjects: Sequence[str]) -> frozenset[str]:
    """Subjects whose keys were destroyed; asked one by one only where a chunk does not open. Blocking."""
    try:
        for first in range(0, len(subjects), 500):
            vault.subject_keys(tenant=tenant, subject_ids=set(subjects[first : first + 500]))
    except SubjectShredded:
        gone = set()
        for subject in subjects:
            try:
                vault.subject_keys(tenant=tenant, subject_ids={subject})
            except SubjectShredded:
                gone.add(subject)
        return frozenset(gone)
    return frozenset()


def _reach(found: Mapping[str, str | None]) -> Reach:
    language = found.get("language")
    return Reach(
        name=found.get("name") or "",
        mobile=found.get("mobile"),
        email=found.get("email"),
        address=found.get("address"),
        postcode=found.get("postcode"),
        language=language if language is not None and language in LANGUAGES else LANGUAGES[0],
    )
