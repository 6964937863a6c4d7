"""A transfer job whose rows are verified and whose target has a book: where duplicate detection begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import col, select

from activities.transfers.matching import SqlMatch
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.customer_layout import Customer, seal_customers
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import seal_rows
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.canonical import digest
from models.domain.clock import Clock
from models.domain.identifiers import IdType
from models.domain.tokens import new_case_token, new_token
from models.domain.transfers.states import JobStage, RowOutcome, Side
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferPair, TransferRow, TransferSource
from tests.support.linkage_sets import Books, Values
from tests.support.training import sponsored

TENANT: Final = "main"
BRANCH: Final = "0001"


@dataclass
class Matching:
    """A job and its two sides. Row `n` is the source's record at `n - 1`."""

    database: Database
    vault: Vault
    clock: Clock
    job: str = ""
    customers: list[str] = field(default_factory=list)

    @property
    def steps(self) -> SqlMatch:
        """The steps over it."""
        return SqlMatch(self.database, self.vault, self.clock)

    def open(self, books: Books, *, tenant: bool = True) -> "Matching":
        """Make tenant, job, rows and the target's book."""
        self.vault.ensure_tenant(TENANT)
        self.job = new_case_token(TENANT)
        with unit_of_work(self.database, self._deed()) as unit:
            if tenant:
                unit.session.add(Tenant(code=TENANT, name="某某银行", sandbox=True, created_at=self.clock()))
                unit.session.flush()
            unit.session.add(self._job())
            unit.session.flush()
            sponsored(unit.session, self.job, tenant=TENANT)
            unit.session.add(
                TransferSource(
                    id=f"tsr_{self.job}"[:40],
                    tenant=TENANT,
                    job=self.job,
                    number=1,
                    kind="csv",
                    place="book.csv",
                    mapping_hash=digest({}),
                    read_rows=len(books.source),
                )
            )
        self.add_rows(books.source)
        self.add_customers(books.target)
        return self

    def add_rows(self, records: Sequence[Values], *, begin: int = 1) -> None:
        """Verified rows, sealed, numbered from `begin`."""
        subjects = [new_token("sub") for _ in records]
        values = [{name: value for name, value in record.items() if value} for record in records]
        sealed = seal_rows(self.vault, tenant=TENANT, rows=zip(subjects, values, strict=True), create=True)
        rows = [
            TransferRow(
                job=self.job,
                number=number,
                tenant=TENANT,
                source=f"tsr_{self.job}"[:40],
                line=number + 1,
                subject_id=subject,
                row_cell=cell,
                outcome=RowOutcome.ACCEPTED.value,
            )
            for number, (subject, cell) in enumerate(sealed, start=begin)
        ]
        with unit_of_work(self.database, self._deed()) as unit:
            unit.session.add_all(rows)

    def add_customers(self, records: Sequence[Values]) -> None:
        """The target's records; what a record must have and does not is filled with what no one has."""
        first = len(self.customers)
        ids = [f"cus_{at:026d}" for at in range(first, first + len(records))]
        self.customers += ids
        people = [
            Customer(one, new_token("sub"), self._whole(record, one)) for one, record in zip(ids, records, strict=True)
        ]
        rows = [
            CustomerRecord(
                id=stored.id,
                tenant=TENANT,
                subject_id=stored.subject,
                created_at=self.clock(),
                updated_at=self.clock(),
                **stored.columns,
            )
            for stored in seal_customers(self.vault, tenant=TENANT, customers=people, create=True)
        ]
        with unit_of_work(self.database, self._deed()) as unit:
            unit.session.add_all(rows)

    @staticmethod
    def _whole(record: Values, name: str) -> Values:
        whole = {key: value for key, value in record.items() if value}
        whole.setdefault("name", "无")
        if "id_number" not in whole:  # a book cannot hold none: an old record's number of an unknown kind
            whole |= {"id_type": IdType.PASSPORT.value, "id_number": f"X{name[-9:]}"}
        return {**whole, "customer_no": name}

    def make_tokens(self) -> None:
        """Both sides."""
        for side in Side:
            after: str | None = ""
            while after is not None:
                after = self.steps.make_tokens(ChunkStep(job=self.job, side=side.value, after=after)).after

    def match(self) -> None:
        """To the end."""
        after: str | None = ""
        while after is not None:
            after = self.steps.match(ChunkStep(job=self.job, after=after)).after

    def run(self) -> "Matching":
        """Tokens of both sides, then pairs."""
        self.make_tokens()
        self.match()
        return self

    def pairs(self) -> list[TransferPair]:
        """All that are kept."""
        with self.database.read() as session:
            wanted = select(TransferPair).where(col(TransferPair.job) == self.job)
            return list(session.exec(wanted.order_by(col(TransferPair.row_number), col(TransferPair.other))).all())

    def pair(self, row: int, other: str | None = None) -> TransferPair:
        """The pair of a row; with `other`, that one."""
        [found] = [one for one in self.pairs() if one.row_number == row and other in (None, one.other)]
        return found

    def row(self, number: int) -> TransferRow:
        """A row as it stands."""
        with self.database.read() as session:
            return session.get_one(TransferRow, (self.job, number))

    def rows(self) -> list[TransferRow]:
        """All rows by number."""
        with self.database.read() as session:
            wanted = select(TransferRow).where(col(TransferRow.job) == self.job).order_by(col(TransferRow.number))
            return list(session.exec(wanted).all())

    def present(self) -> TransferJob:
        """The job as it stands."""
        with self.database.read() as session:
            return session.get_one(TransferJob, self.job)

    def _job(self) -> TransferJob:
        return TransferJob(
            token=self.job,
            tenant=TENANT,
            branch=BRANCH,
            plan_hash=digest({}),
            stage=JobStage.VERIFYING.value,
            created_by="stf_1",
            created_by_person="psn_1",
            created_at=self.clock(),
            updated_at=self.clock(),
        )

    def _deed(self) -> Deed:
        return Deed(tenant=TENANT, action="test.prepared", target=TENANT, actor="test", at=self.clock())
