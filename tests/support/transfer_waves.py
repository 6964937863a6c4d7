"""A receiving tenant with a book, and a transfer job whose rows wait to be moved into it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import select

from activities.transfers.downstream import Downstream
from activities.transfers.waves import SqlWaves
from compliance.vault.customer_erasure import erase_customer
from compliance.vault.customer_layout import Customer, open_customers, seal_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import seal_rows
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, WaveMeasured
from models.database.engine import Database
from models.domain.tokens import named_token, new_token
from models.domain.transfers.images import image_of
from models.operations.customer_erasure import erase_holder
from models.operations.transfers.wave_moves import RECORDS
from models.queries.transfers.waves import conserved
from models.tables.customer_holders import holder_of
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferChange, TransferJob, TransferRow, TransferSource, TransferWave
from tests.support.clock import FakeClock
from tests.support.people import people
from tests.support.training import sponsored

TENANT: Final = "buyer"
SOURCE: Final = "seller"
JOB: Final = f"{TENANT}.00000000000000000000000001"
THEN: Final = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
Values = Mapping[str, str | None]


def persons(count: int, *, prefix: str, first: int = 1) -> list[dict[str, str]]:
    """Generated people as canonical records."""
    rows = people(first + count - 1)[first - 1 :]
    found = [
        {
            "customer_no": f"{prefix}{row.row:07d}",
            "name": row.name,
            "id_type": row.id_type,
            "id_number": row.id_number,
            "mobile": row.mobile,
            "email": row.email,
            "account": row.card_number,
            "address": row.address,
            "employer": row.employer,
            "language": "zh-CN",
        }
        for row in rows
    ]
    return [{name: value for name, value in each.items() if value} for each in found]


@dataclass(slots=True)
class WaveOffice:
    """Where a job stands between its rows and the book."""

    database: Database
    vault: Vault
    clock: FakeClock
    chunk: int = 50
    a_call_s: float = 20.0
    budget: int = 5
    plan: dict[str, Any] = field(default_factory=lambda: {"waveRows": 40, "asOf": "2026-11-20T00:00:00+00:00"})
    number: int = 0
    downstream: Downstream | None = None

    def open(self) -> None:
        """Both tenants and the job."""
        for tenant in (TENANT, SOURCE):
            self.vault.ensure_tenant(tenant)
        with self.database.write() as session:
            session.add_all(Tenant(code=code, name="-", sandbox=True, created_at=THEN) for code in (TENANT, SOURCE))
            session.flush()
            session.add(
                TransferJob(
                    token=JOB, tenant=TENANT, source_tenant=SOURCE, branch="hq", classes=["C"], plan=self.plan,
                    plan_hash="-", error_budget=self.budget, stage="updating", created_by="stf_1",
                    created_by_person="per_1", created_at=THEN, updated_at=THEN,
                )
            )  # fmt: skip
            session.flush()
            sponsored(session, JOB, tenant=TENANT)
            session.add(
                TransferSource(
                    id="tsr_1", tenant=TENANT, job=JOB, number=1, kind="book", place="-", mapping_hash="-", read_rows=0,
                    finished_at=THEN,
                )
            )  # fmt: skip

    def book(self, records: Sequence[Values]) -> list[str]:
        """Customers whom the target has already. Returns the ids of their records."""
        customers = [Customer(new_token("cus"), new_token("sub"), values) for values in records]
        stored = seal_customers(self.vault, tenant=TENANT, customers=customers, create=True)
        with self.database.write() as session:
            session.add_all(
                CustomerRecord(
                    id=each.id, tenant=TENANT, subject_id=each.subject, created_at=THEN, updated_at=THEN, **each.columns
                )
                for each in stored
            )
        return [customer.id for customer in customers]

    def erase(self, subject: str) -> None:
        """As the eraser does: keys first, then what finds the person."""
        with self.database.read() as session:
            holder = holder_of(session, subject)
        assert holder is not None
        self.clock.advance(seconds=60)
        if holder.record is not None:
            erase_customer(
                self.database, self.vault, holder.record.id, tenant=TENANT, actor="duty:eraser", now=self.clock()
            )
        self.vault.shred_subject(tenant=TENANT, subject_id=subject)
        with self.database.write() as session:
            again = holder_of(session, subject, lock=True)
            assert again is not None
            erase_holder(session, again, now=self.clock())

    def rows(self, values: Sequence[Values], *, into: Mapping[int, str] | None = None, **columns: Any) -> list[int]:
        """Rows that were read; `into` names, by place in `values`, the records that rows are merged into."""
        into, first = into or {}, self.number + 1
        subjects = [named_token("sub", f"row/{first + place}") for place in range(len(values))]
        plain = [{name: value for name, value in each.items() if value is not None} for each in values]
        given = list(zip(subjects, plain, strict=True))
        sealed = list(seal_rows(self.vault, tenant=TENANT, rows=given, create=True))
        with self.database.write() as session:
            for place, (subject, cell) in enumerate(sealed):
                settings: dict[str, Any] = {
                    "outcome": "merged" if place in into else "accepted",
                    "target_record": into.get(place),
                } | columns
                session.add(
                    TransferRow(
                        job=JOB, number=first + place, tenant=TENANT, source="tsr_1", line=first + place,
                        subject_id=subject, row_cell=cell, **settings,
                    )
                )  # fmt: skip
            source = session.get_one(TransferSource, "tsr_1")
            source.read_rows += len(values)
            session.add(source)
        self.number += len(values)
        return list(range(first, self.number + 1))

    @property
    def steps(self) -> SqlWaves:
        """The adapter, new at each call, as after a kill."""
        return SqlWaves(
            self.database, self.vault, self.clock, self.downstream, chunk=self.chunk, a_call_s=self.a_call_s
        )

    # A workflow's course ----------------------------------------------------------------------------------------------

    def plan_waves(self) -> int:
        return self.steps.plan_waves(JobStep(job=JOB)).waves

    def move(self, wave: int, attempt: int = 1) -> ChunkDone:
        """All parts of a wave, from its beginning; not its end."""
        self.steps.begin_wave(ChunkStep(job=JOB, wave=wave, attempt=attempt))
        return self._walk("move_rows", wave, attempt)

    def run(self, wave: int, attempt: int = 1) -> WaveMeasured:
        """A wave from beginning to end."""
        done = self.move(wave, attempt)
        assert done.stopped is None, done
        return self.steps.end_wave(ChunkStep(job=JOB, wave=wave, attempt=attempt))

    def undo(self, wave: int, attempt: int = 1) -> WaveMeasured:
        """Roll a wave back."""
        self._walk("undo_rows", wave, attempt)
        return self.steps.end_undo(ChunkStep(job=JOB, wave=wave, attempt=attempt))

    def reconcile(self) -> str | None:
        return self.steps.reconcile(JobStep(job=JOB)).stopped

    def _walk(self, step: str, wave: int, attempt: int) -> ChunkDone:
        after = ""
        while True:
            done: ChunkDone = getattr(self.steps, step)(ChunkStep(job=JOB, after=after, wave=wave, attempt=attempt))
            if done.after is None or done.stopped or done.paused:
                return done
            after = done.after

    # What stands in the records ---------------------------------------------------------------------------------------

    def stored(self) -> str:
        """SHA-256 over every stored byte of the target's book: equal only if it is bit for bit the same."""
        digest = hashlib.sha256()
        with self.database.read() as session:
            for row in session.execute(RECORDS.select().order_by(RECORDS.c.id)).mappings():
                digest.update(image_of(dict(row)))
        return digest.hexdigest()

    def meant(self) -> str:
        """The target's book in clear: what it says about whom, whatever keys it lies under."""
        with self.database.read() as session:
            rows = session.execute(RECORDS.select().where(RECORDS.c.tenant == TENANT).order_by(RECORDS.c.id)).mappings()
            stored = [stored_of(dict(row)) for row in rows]
        opened = open_customers(self.vault, tenant=TENANT, stored=stored)
        return json.dumps([[each.id, dict(each.values)] for each in opened], sort_keys=True, ensure_ascii=False)

    def values(self, record_id: str) -> dict[str, str | None]:
        with self.database.read() as session:
            stored = stored_of(session.get_one(CustomerRecord, record_id))
        [opened] = open_customers(self.vault, tenant=TENANT, stored=[stored])
        return dict(opened.values)

    def change(self, record_id: str, **changes: str | None) -> None:
        """Somebody at a desk changes a record meanwhile."""
        with self.database.read() as session:
            record = session.get_one(CustomerRecord, record_id)
        values = self.values(record_id) | changes
        [stored] = seal_customers(self.vault, tenant=TENANT, customers=[Customer(record_id, record.subject_id, values)])
        with self.database.write() as session:
            present = session.get_one(CustomerRecord, record_id)
            for column, value in stored.columns.items():
                setattr(present, column, value)
            present.version += 1
            present.updated_at = self.clock()
            session.add(present)

    def wave(self, number: int) -> TransferWave:
        with self.database.read() as session:
            return session.get_one(TransferWave, (JOB, number))

    def job(self) -> TransferJob:
        with self.database.read() as session:
            return session.get_one(TransferJob, JOB)

    def row(self, number: int) -> TransferRow:
        with self.database.read() as session:
            return session.get_one(TransferRow, (JOB, number))

    def all_of(self, table: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.exec(select(table)).all())

    def changes(self) -> list[TransferChange]:
        return self.all_of(TransferChange)

    def conflicts(self) -> list[TransferConflict]:
        return self.all_of(TransferConflict)

    def records(self) -> dict[str, CustomerRecord]:
        return {record.id: record for record in self.all_of(CustomerRecord)}

    def assert_conserved(self) -> None:
        """Read = accepted + rejected + merged + held; a row moved has exactly one line that stands, others none."""
        with self.database.read() as session:
            assert conserved(session, JOB).holds
        standing: dict[int, int] = {}
        for change in self.changes():
            if change.undone_at is None:
                standing[change.row_number] = standing.get(change.row_number, 0) + 1
        for row in self.all_of(TransferRow):
            expected = 1 if row.move == "moved" else standing.get(row.number, 0) if row.move == "conflict" else 0
            assert standing.get(row.number, 0) == expected, (row.number, row.move)
        with self.database.read() as session:
            inserted = {c.record_id for c in self.changes() if c.kind == "insert" and c.undone_at is None}
            found = {record for record in self.records() if self.records_origin(session, record) == JOB}
        assert found == inserted

    @staticmethod
    def records_origin(session: Any, record_id: str) -> str | None:
        return session.get_one(CustomerRecord, record_id).origin
