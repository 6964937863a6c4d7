"""How a transfer's customers are reached: name and contact points, opened for the length of one part, kept nowhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Table, select

from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.database.engine import Database
from models.domain.transfers.notice_facts import LANGUAGES
from models.domain.transfers.notice_policy import Way
from models.errors import SubjectShredded
from models.queries.transfers.notices import RowToTell, told_rows
from models.tables.customers import CustomerRecord
from models.tables.transfer_notices import TransferNotice

T = TypeVar("T")
R = TypeVar("R")
_RECORDS: Final[Table] = CustomerRecord.__table__  # type: ignore[attr-defined]
_FIELDS: Final = ("name", "mobile", "email", "address", "postcode", "language")


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

    def of_rows(self, tenant: str, rows: Sequence[RowToTell]) -> dict[int, Reach]:
        """By number of the row; who was erased has nothing.

        Raises:
            CannotOpen, KeysUnavailable: as the vault says.
        """
        records = {row.number: row.target_record for row in rows if row.target_record is not None}
        found = self._of_records(tenant, set(records.values()))
        reached = {number: found[record] for number, record in records.items() if record in found}
        numbers = {row.subject_id: row.number for row in rows if row.number not in reached}
        cells = [(row.subject_id, row.row_cell) for row in rows if row.number not in reached]
        for subject, values in _of_the_living(cells, lambda some: open_rows(self.vault, tenant=tenant, rows=some)):
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
            rows = told_rows(session, job, [each.row_number for each in notices])
        by_number = self.of_rows(tenant, rows)
        return {each.id: by_number[each.row_number] for each in notices if each.row_number in by_number}

    def of_record(self, tenant: str, record_id: str) -> Reach | None:
        """Of one record; None if it is gone or erased."""
        return self._of_records(tenant, {record_id}).get(record_id)

    def _of_records(self, tenant: str, ids: set[str]) -> dict[str, Reach]:
        wanted = select(*_RECORDS.c).where(
            _RECORDS.c.id.in_(list(ids)), _RECORDS.c.tenant == tenant, _RECORDS.c.erased_at.is_(None)
        )
        with self.database.read() as session:
            stored = [stored_of(row) for row in session.execute(wanted).mappings()]
        opened = _of_the_living(
            stored, lambda some: open_customers(self.vault, tenant=tenant, stored=some, fields=_FIELDS)
        )
        return {customer.id: _reach(customer.values) for customer in opened}


def _of_the_living(sealed: Sequence[T], opening: Callable[[Sequence[T]], Iterable[R]]) -> list[R]:
    """What opens of these; whose keys were destroyed is left out, looked for by halves. Blocking."""
    if not sealed:
        return []
    try:
        return list(opening(sealed))
    except SubjectShredded:
        if len(sealed) == 1:
            return []
    half = len(sealed) // 2
    return _of_the_living(sealed[:half], opening) + _of_the_living(sealed[half:], opening)


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
