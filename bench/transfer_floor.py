"""The floor of a transfer: a plain script that parses the same file, seals the same cells and inserts the same rows.

What it leaves behind are the rows that a job leaves behind, in the same tables with their keys, indexes and triggers,
in the same chunks: each row with a key of its own, sealed; each record with another key and its cells; its line in the
journal. It maps, spells and checks nothing, binds and commits to nothing, looks nothing up, writes no event, opens
nothing again and compares nothing.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.measuring import NOW, Spent, Stores, empty_stores, spent
from bench.transfer_stages import JOB, TENANT, add_job, open_tenant
from compliance.vault.customer_layout import CELL_COLUMNS, CUSTOMER_LAYOUT, Customer, seal_customers
from compliance.vault.tables import SubjectKey
from compliance.vault.transfer_rows import seal_rows
from models.database.bulk import insert_many
from models.domain.customers.record import CELL_FIELDS, PACKED_FIELDS
from models.domain.transfers.images import image_of
from models.operations.transfers.wave_moves import CHANGES, RECORDS, ROWS

_CHUNK: Final = 500
_KEYS: Final = SubjectKey.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class TransferFloor:
    """What each part has cost.

    Attributes:
        parse: the file read as CSV.
        rows: each line sealed under a new key, key and row inserted.
        book: each line sealed cell by cell under another new key, key, record and line of the journal inserted.
        through_the_vault: all of it with the vault's own bulk calls, which bind each cell to its place, commit to each
            key, wrap it and work out the blind indexes.
    """

    parse: Spent
    rows: Spent
    book: Spent
    through_the_vault: Spent

    @property
    def whole(self) -> Spent:
        """All of it with bare primitives: the file is parsed once."""
        return self.parse + self.rows + self.book


def transfer_floor(file: Path) -> TransferFloor:
    """Run the script in stores of its own."""
    with empty_stores() as stores:
        open_tenant(stores)
        source = add_job(stores)
        wrapping = AESGCM(os.urandom(32))
        parse = spent(lambda: sum(len(chunk) for chunk in _chunks(file)))
        rows = spent(lambda: _rows(stores, file, wrapping, source)) - parse
        book = spent(lambda: _book(stores, file, wrapping)) - parse
    with empty_stores() as stores:
        open_tenant(stores)
        source = add_job(stores)
        vault = spent(lambda: _through_the_vault(stores, file, source))
    return TransferFloor(parse, rows, book, vault)


def _chunks(file: Path) -> Iterator[list[tuple[int, list[str]]]]:
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        next(reader)
        numbered = enumerate(reader, start=1)
        while chunk := list(islice(numbered, _CHUNK)):
            yield chunk


def _rows(stores: Stores, file: Path, wrapping: AESGCM, source: str) -> None:
    for chunk in _chunks(file):
        keys, rows = [], []
        for number, line in chunk:
            key, stored = _key(wrapping, f"sub_r{number:025d}")
            keys.append(stored)
            rows.append(_row(number, source, stored["subject_id"], _sealed(key, "\x00".join(line))))
        with stores.vault.branches.database.write() as session:
            insert_many(session, _KEYS, keys)
        with stores.data.write() as session:
            insert_many(session, ROWS, rows)


def _book(stores: Stores, file: Path, wrapping: AESGCM) -> None:
    for chunk in _chunks(file):
        keys, records = [], []
        for number, line in chunk:
            key, stored = _key(wrapping, f"sub_b{number:025d}")
            keys.append(stored)
            cells = dict(zip(CELL_COLUMNS.values(), (_sealed(key, value) for value in line), strict=False))
            columns = dict.fromkeys(CUSTOMER_LAYOUT.indexes, stored["wrapped"][:32]) | cells
            columns |= {"packed_cell": _sealed(key, "\x00".join(line[len(cells) :]))}
            columns |= {"id_type": "resident-id", "language": "zh-CN"}
            image = b"".join((*cells.values(), columns["packed_cell"]))
            records.append((number, _record(number, stored["subject_id"], columns), image))
        with stores.vault.branches.database.write() as session:
            insert_many(session, _KEYS, keys)
        _insert_records(stores, records)


def _through_the_vault(stores: Stores, file: Path, source: str) -> None:
    fields = (*CELL_FIELDS, *PACKED_FIELDS)
    for chunk in _chunks(file):
        # Values by their place in the file: which one stands under which name is the same work.
        people = [
            {name: value for name, value in zip(fields, line, strict=False) if value}
            | {"customer_no": f"{number}", "name": "-", "id_number": f"{number}", "id_type": "resident-id"}
            for number, line in chunk
        ]
        rows = [(f"sub_r{number:025d}", values) for (number, _), values in zip(chunk, people, strict=True)]
        cells = seal_rows(stores.vault, tenant=TENANT, rows=rows, create=True)
        sealed = [_row(number, source, *each) for (number, _), each in zip(chunk, cells, strict=True)]
        customers = [
            Customer(f"cus_{number:026d}", f"sub_b{number:025d}", values)
            for (number, _), values in zip(chunk, people, strict=True)
        ]
        stored = seal_customers(stores.vault, tenant=TENANT, customers=customers, create=True)
        records = []
        for (number, _), each in zip(chunk, stored, strict=True):
            record = _record(number, each.subject, each.columns)
            records.append((number, record, image_of(record)))
        with stores.data.write() as session:
            insert_many(session, ROWS, sealed)
        _insert_records(stores, records)


def _insert_records(stores: Stores, records: Sequence[tuple[int, dict[str, Any], bytes]]) -> None:
    lines = [
        {
            "id": f"tch_{number:026d}", "tenant": TENANT, "job": JOB, "wave": 1, "attempt": 1, "row_number": number,
            "record_id": record["id"], "kind": "insert", "before_image": None, "after_image": image,
            "version_before": None, "version_after": 1, "at": NOW, "undone_at": None, "conflict": False,
        }
        for number, record, image in records
    ]  # fmt: skip
    with stores.data.write() as session:
        insert_many(session, RECORDS, [record for _, record, _ in records])
        insert_many(session, CHANGES, lines)


def _row(number: int, source: str, subject: str, cell: bytes) -> dict[str, Any]:
    return {
        "job": JOB, "number": number, "tenant": TENANT, "source": source, "line": number + 1, "subject_id": subject,
        "row_cell": cell, "faults": [], "digest": cell[:32], "move": "waiting", "version": 1,
    }  # fmt: skip


def _record(number: int, subject: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"cus_{number:026d}", "tenant": TENANT, "subject_id": subject, **columns, "state": "active",
        "person_link": None, "version": 1, "origin": JOB, "created_at": NOW, "updated_at": NOW, "erased_at": None,
    }  # fmt: skip


def _key(wrapping: AESGCM, subject: str) -> tuple[AESGCM, dict[str, Any]]:
    """A key of 32 random bytes, and as it is stored: encrypted under another."""
    secret, nonce = os.urandom(32), os.urandom(12)
    wrapped = nonce + wrapping.encrypt(nonce, secret, None)
    stored = {
        "tenant": TENANT, "subject_id": subject, "version": 1, "suite": 1, "branch_version": 1, "wrapped": wrapped,
        "commitment": wrapped[-16:], "state": "active", "created_at": NOW,
    }  # fmt: skip
    return AESGCM(secret), stored


def _sealed(key: AESGCM, value: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + key.encrypt(nonce, value.encode(), None)
