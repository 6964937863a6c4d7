"""What rows of a wave come to: opened under the subject they were read under, sealed anew under the record's.

An accepted row becomes a record with a subject of its own, fresh for each attempt, since an undo destroys its key. A
merged row changes the target's record by the rules of survivorship. Nothing is written here but keys, each committed
before the row that needs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from compliance.vault.customer_layout import (
    CELL_COLUMNS,
    CUSTOMER_LAYOUT,
    PACKED_COLUMN,
    Customer,
    StoredCustomer,
    customer_tokens,
    open_customers,
    seal_customers,
    stored_of,
)
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.domain.customers.record import CLEAR_FIELDS, PACKED_FIELDS
from models.domain.customers.showing import CustomerState
from models.domain.tokens import named_token
from models.domain.transfers.conflicts import ConflictKind
from models.domain.transfers.states import RowOutcome
from models.domain.transfers.survivorship import KeyDifference, Survivor, survive, take
from models.errors import CannotOpen, SubjectShredded
from models.operations.transfers.wave_moves import Clash, Effect, Hold, Insert, Update, WaveAt

_INDEX_OF: Final = {index.column: into for into, index in CUSTOMER_LAYOUT.indexes.items()}
# What is wrong with one row alone, by the code under which it is set aside.
_OF_THE_ROW: Final = (CannotOpen, SubjectShredded, ValueError)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as it was read for moving."""

    number: int
    version: int
    subject: str
    cell: bytes
    outcome: str
    record_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparing:
    """What one wave's rows are prepared with.

    Attributes:
        now: what new and changed records are dated with.
        as_of: when the sources of the job were drawn; a record changed later is the newer one. None: it always is.
        key_differences: what the plan says about key fields that differ.
    """

    vault: Vault
    at: WaveAt
    now: datetime
    as_of: datetime | None = None
    key_differences: Mapping[str, KeyDifference] = field(default_factory=dict)

    def effects(self, rows: Sequence[ReadRow], records: Mapping[str, Mapping[str, Any]]) -> list[Effect]:
        """What each row does; `records` are the target's, by id, of those rows that are merged.

        A row that cannot be opened or sealed is set aside, and the others go on without it.

        Raises:
            KeysUnavailable, DatabaseBusy: later it may work.
        """
        try:
            return self._effects(rows, records)
        except _OF_THE_ROW as error:
            if len(rows) == 1:
                return [Hold(number=rows[0].number, version=rows[0].version, reason=_reason(error))]
            half = len(rows) // 2
            return [*self.effects(rows[:half], records), *self.effects(rows[half:], records)]

    def taken(self, row: ReadRow, record: Mapping[str, Any]) -> Update:
        """As a person decided: the row's values win.

        Raises:
            CannotOpen, SubjectShredded: row or record does not open.
        """
        [values] = self._open([row])
        return self._update(row, record, take(self._open_records([record])[record["id"]], values))

    def kept(self, row: ReadRow, record: Mapping[str, Any]) -> Update:
        """As a person decided: the record stays, and the row counts as merged into it."""
        return Update(number=row.number, version=row.version, before=record, after=record)

    def _effects(self, rows: Sequence[ReadRow], records: Mapping[str, Mapping[str, Any]]) -> list[Effect]:
        effects: list[Effect] = []
        ready = []
        for row in rows:
            reason = self._bar(row, records)
            if reason is None:
                ready.append(row)
            else:
                effects.append(Hold(number=row.number, version=row.version, reason=reason))
        opened = dict(zip((row.number for row in ready), self._open(ready), strict=True))
        effects += self._inserts([row for row in ready if row.outcome == RowOutcome.ACCEPTED], opened)
        effects += self._merges([row for row in ready if row.outcome == RowOutcome.MERGED], opened, records)
        return effects

    @staticmethod
    def _bar(row: ReadRow, records: Mapping[str, Mapping[str, Any]]) -> str | None:
        if row.outcome == RowOutcome.ACCEPTED:
            return None
        if row.record_id is None:
            return "no-target"
        record = records.get(row.record_id)
        if record is None:
            return "record-gone"
        if record["erased_at"] is not None:
            return "record-erased"
        return "record-moved-out" if record["state"] == CustomerState.MOVED_OUT else None

    def _open(self, rows: Sequence[ReadRow]) -> list[dict[str, str]]:
        sealed = [(row.subject, row.cell) for row in rows]
        return [values for _, values in open_rows(self.vault, tenant=self.at.tenant, rows=sealed)]

    def _open_records(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, str | None]]:
        opened = open_customers(self.vault, tenant=self.at.tenant, stored=map(stored_of, records))
        return {customer.id: customer.values for customer in opened}

    def _inserts(self, rows: Sequence[ReadRow], opened: Mapping[int, Mapping[str, str]]) -> list[Insert]:
        customers = [
            Customer(record_id(self.at.job, row.number), subject_id(self.at, row.number), opened[row.number])
            for row in rows
        ]
        sealed = list(seal_customers(self.vault, tenant=self.at.tenant, customers=customers, create=True))
        numbers = [str(customer.values["customer_no"]) for customer in customers]
        tokens = customer_tokens(self.vault, tenant=self.at.tenant, index="customer_no_index", values=numbers)
        return [
            Insert(
                number=row.number,
                version=row.version,
                record=self._new_record(stored),
                other_numbers=tuple(token for token in of_number if token != stored.columns["customer_no_index"]),
            )
            for row, stored, of_number in zip(rows, sealed, tokens, strict=True)
        ]

    def _new_record(self, stored: StoredCustomer) -> dict[str, Any]:
        return {
            "id": stored.id,
            "tenant": self.at.tenant,
            "subject_id": stored.subject,
            **stored.columns,
            "state": "active",
            "person_link": None,
            "version": 1,
            "origin": self.at.job,
            "created_at": self.now,
            "updated_at": self.now,
            "erased_at": None,
        }

    def _merges(
        self,
        rows: Sequence[ReadRow],
        opened: Mapping[int, Mapping[str, str]],
        records: Mapping[str, Mapping[str, Any]],
    ) -> list[Effect]:
        targets = {row.number: records[str(row.record_id)] for row in rows}
        values = self._open_records(list({record["id"]: record for record in targets.values()}.values()))
        survivors: list[tuple[ReadRow, Mapping[str, Any], Survivor]] = []
        effects: list[Effect] = []
        for row in rows:
            record = targets[row.number]
            survivor = survive(
                values[record["id"]],
                opened[row.number],
                row_is_newer=self.as_of is not None and self.as_of > record["updated_at"],
                key_differences=self.key_differences,
            )
            if survivor.clashes:
                effects.append(_clash(row, record, survivor.clashes))
            else:
                survivors.append((row, record, survivor))
        effects += [self._update(row, record, survivor) for row, record, survivor in survivors if not survivor.changed]
        return effects + self._changed([each for each in survivors if each[2].changed])

    def _changed(self, survivors: Sequence[tuple[ReadRow, Mapping[str, Any], Survivor]]) -> list[Effect]:
        customers = [Customer(record["id"], record["subject_id"], survivor.values) for _, record, survivor in survivors]
        sealed = seal_customers(self.vault, tenant=self.at.tenant, customers=customers)
        return [
            self._written(row, record, survivor, stored)
            for (row, record, survivor), stored in zip(survivors, sealed, strict=True)
        ]

    def _update(self, row: ReadRow, record: Mapping[str, Any], survivor: Survivor) -> Update:
        if not survivor.changed:
            return self.kept(row, record)
        [written] = self._changed([(row, record, survivor)])
        assert isinstance(written, Update)
        return written

    def _written(self, row: ReadRow, record: Mapping[str, Any], survivor: Survivor, stored: StoredCustomer) -> Update:
        """Only the columns of fields that have changed; all other cells stay as they lie there, bit by bit."""
        after = dict(record)
        for name in survivor.changed:
            for column in columns_of_field(name):
                after[column] = stored.columns[column]
        after["version"], after["updated_at"] = record["version"] + 1, self.now
        return Update(number=row.number, version=row.version, before=record, after=after)


def record_id(job: str, number: int) -> str:
    """The record that an accepted row becomes: the same in every attempt."""
    return named_token("cus", f"{job}/{number}")


def subject_id(at: WaveAt, number: int) -> str:
    """Whose key seals it: another one in every attempt, for the key of an undone one is destroyed."""
    return named_token("sub", f"{at.job}/{number}/{at.attempt}")


def columns_of_field(name: str) -> tuple[str, ...]:
    """The columns of a record in which a field stands."""
    if name in CLEAR_FIELDS:
        return (name,)
    if name in PACKED_FIELDS:
        return (PACKED_COLUMN,)
    column = CELL_COLUMNS[name]
    index = _INDEX_OF.get(column)
    return (column,) if index is None else (column, index)


def _clash(row: ReadRow, record: Mapping[str, Any], fields: tuple[str, ...]) -> Clash:
    return Clash(
        number=row.number,
        version=row.version,
        kind=ConflictKind.KEY_FIELDS,
        record_id=record["id"],
        record_version=record["version"],
        fields=fields,
    )


def _reason(error: Exception) -> str:
    return "row-incomplete" if isinstance(error, ValueError) else str(getattr(error, "code", "row-unreadable"))
