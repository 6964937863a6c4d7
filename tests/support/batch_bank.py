"""Runs of batches at a bank: books of one tenant, orders that wait for their file, and the mock bank beyond."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col

from activities.batches.bank_steps import SqlBatchBank
from activities.gateways.bank.folder import FolderBank
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import FilesSent, PartStep, RepliesTaken
from models.database.engine import Database
from models.domain.batches.kinds import KindName
from models.domain.tokens import named_token, new_case_token, new_token
from models.operations.batches.funding import hold_funding, pay_in
from models.queries.daily import business_date_row
from models.tables.agreements import Agreement
from models.tables.batch_books import BatchEntry, BatchSuspense
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import BankFile, BankReply
from tests.support.clock import FakeClock
from tests.support.daybook import ONE_DAY, START, TENANT, Daybook, daybook

DEBIT = 101_00
WAGE = 202_00


@dataclass
class BatchBank:
    """One tenant's batches and bank."""

    book: Daybook
    steps: SqlBatchBank = field(init=False)
    agreements: list[Agreement] = field(default_factory=list)

    def __post_init__(self) -> None:
        book = self.book
        port = FolderBank(book.folders, book.clock, settle_for=timedelta(days=-36500))
        self.steps = SqlBatchBank(book.database, book.clock, book.vault, lambda _: book.connection(port))

    @property
    def bank(self) -> Any:
        assert self.book.bank is not None
        return self.book.bank

    # -- what there is

    def debits(self, count: int, *, kind: KindName = KindName.FEE_COLLECTION, **settings: Any) -> str:
        """A run of so many orders, each of another amount, under mandates of their own."""
        self.agreements = [self.book.agree(account=f"62220000{number:011d}") for number in range(count)]
        token = self._run(kind, settings)

        def write(session: Session) -> None:
            self._orders(session, token, [each.subject_id for each in self.agreements], DEBIT, [
                each.mandate_id for each in self.agreements
            ])  # fmt: skip

        self.book.change(write)
        return token

    def wages(self, count: int, **settings: Any) -> str:
        """A payroll run of so many workers, its funding paid in and held."""
        book, now = self.book, self.book.clock()
        client, account = new_token("bcl"), new_token("fac")
        book.vault.create_subject(tenant=TENANT, subject_id=client)
        subjects = [new_token("bri") for _ in range(count)]
        for subject in subjects:
            book.vault.create_subject(tenant=TENANT, subject_id=subject)
        total = sum(WAGE + number for number in range(1, count + 1))

        def parties(session: Session) -> None:
            session.add(
                BatchClient(
                    id=client, tenant=TENANT, code="acme", agreement_from=START, state="active", created_at=now,
                    name_cell=self._cell("batch_clients", client, client, "name_cell", "测试·单位"),
                )
            )  # fmt: skip
            session.flush()
            funding = FundingAccount(
                id=account, tenant=TENANT, client=client, account_kind="settlement", updated_at=now,
                account_cell=self._cell("funding_accounts", account, client, "account_cell", "10000000000000001"),
            )  # fmt: skip
            session.add(funding)
            session.flush()
            pay_in(session, funding, amount_minor=total, key="first", value_date=START, now=now)

        book.change(parties)
        token = self._run(KindName.PAYROLL, settings, client=client, funding_account=account, source="file")

        def rows(session: Session) -> None:
            imported = BatchImport(
                id=new_token("bim"), tenant=TENANT, run=token, layout="wages", layout_version="1", file_name="x",
                digest=token[-26:], size_bytes=1, created_at=now,
            )  # fmt: skip
            session.add(imported)
            session.flush()
            for number, subject in enumerate(subjects, start=1):
                clear = {
                    "payee-name": "测试·职工",
                    "account": f"62330000{number:011d}",
                    "bank-code": "102100099996",
                }
                session.add(
                    BatchRow(
                        import_id=imported.id, number=number, tenant=TENANT, line=number, subject_id=subject,
                        state="accepted", amount_minor=WAGE + number,
                        row_cell=self._cell("batch_rows", subject, subject, "row_cell", json.dumps(clear)),
                    )
                )  # fmt: skip
            session.flush()
            self._orders(session, token, subjects, WAGE, [None] * count)
            hold_funding(session, session.get_one(BatchRun, token), amount_minor=total, now=now)

        book.change(rows)
        return token

    # -- steps and days

    def send(self, run: str) -> FilesSent:
        return self.steps.send_files(RunStep(run=run))

    def take(self, run: str) -> RepliesTaken:
        return self.steps.take_replies(RunStep(run=run))

    def retry(self, run: str) -> int:
        return self.steps.make_retries(PartStep(run=run)).rows

    def exchange(self, run: str) -> RepliesTaken:
        """The bank reads what waits, and we its answers."""
        self.bank.take_files()
        return self.take(run)

    def to(self, day: date) -> None:
        """The business date and the bank's."""
        self.book.clock.set(datetime(day.year, day.month, day.day, 2, tzinfo=UTC))  # ten o'clock in Shanghai

        def move(session: Session) -> None:
            row = business_date_row(session, tenant=TENANT)
            assert row is not None
            row.today = day
            session.add(row)

        self.book.change(move)
        self.bank.advance_to(day)

    def next_day(self, days: int = 1) -> date:
        day = self.book.today() + days * ONE_DAY
        self.to(day)
        return day

    # -- what the records say

    def orders(self, run: str) -> list[BatchOrder]:
        found = self.book.all(BatchOrder, col(BatchOrder.run) == run)
        return sorted(found, key=lambda order: (order.member, order.attempt))

    def states(self, run: str) -> list[str]:
        return [order.state for order in self.orders(run)]

    def suspense(self) -> list[BatchSuspense]:
        return self.book.all(BatchSuspense)

    def replies(self) -> list[BankReply]:
        return self.book.all(BankReply)

    def files(self) -> list[BankFile]:
        return self.book.all(BankFile, col(BankFile.direction) == "out")

    def outcomes(self, order: BatchOrder) -> list[str]:
        return [each.state for each in self.book.all(BatchOutcome, col(BatchOutcome.order_id) == order.id)]

    def balances(self) -> dict[str, int]:
        """Of every account of the books of batches that is not nought; they add up to zero."""
        found: dict[str, int] = {}
        for entry in self.book.all(BatchEntry):
            found[entry.account] = found.get(entry.account, 0) + entry.amount_minor
        assert sum(found.values()) == 0
        return {name: amount for name, amount in found.items() if amount}

    def outbox(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.book.folders.outbox.iterdir() if path.is_file()}

    def _cell(self, table: str, row: str, subject: str, name: str, text: str) -> bytes:
        address = RowAddress(tenant=TENANT, table=table, row=row, subject=subject)
        return self.book.vault.seal_many(address, {name: text})[name]

    def _run(self, kind: KindName, settings: dict[str, Any], **values: Any) -> str:
        token, now = new_case_token(TENANT), self.book.clock()
        facts = {"source": "book", "client": None, "funding_account": None} | values

        def write(session: Session) -> None:
            session.add(
                BatchRun(
                    token=token, tenant=TENANT, branch="sh-01", kind=kind.value, origin="staff", request_key=token,
                    business_date=self.book.today(), stage="sending", created_by="stf_x", created_by_person="per_x",
                    created_at=now, updated_at=now,
                    settings={"failureBps": 10_000, "cutOff": "23:00", **settings}, **facts,
                )
            )  # fmt: skip
            session.flush()
            session.add(
                BatchCohort(
                    id=named_token("bco", f"{token}/1"), tenant=TENANT, run=token, kind=kind.value, created_at=now
                )
            )

        self.book.change(write)
        return token

    def _orders(
        self, session: Session, run: str, subjects: Sequence[str], base: int, mandates: Sequence[str | None]
    ) -> None:
        now, cohort = self.book.clock(), named_token("bco", f"{run}/1")
        for number, (subject, mandate) in enumerate(zip(subjects, mandates, strict=True), start=1):
            name = named_token("bor", f"{run}/{number}/1")
            claim = f"fee/x/{subject}"
            session.add(
                BatchMember(
                    cohort=cohort, number=number, tenant=TENANT, claim_key=claim, subject_id=subject,
                    import_line=number, amount_minor=base + number, state="included", mandate_id=mandate,
                )
            )  # fmt: skip
            session.add(
                BatchOrder(
                    id=name, tenant=TENANT, run=run, member=number, claim_key=claim, subject_id=subject,
                    end_to_end_id=name.removeprefix("bor_"), amount_minor=base + number, mandate_id=mandate,
                    state="queued", policy_version="retry/2026-01", requested_on=self.book.today(),
                    created_at=now, updated_at=now,
                )
            )  # fmt: skip
        session.flush()


@contextmanager
def batch_bank(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> Iterator[BatchBank]:
    """Open books with a bank."""
    with daybook(database, vault, clock, folder) as book:
        desk = BatchBank(book)
        desk.to(START)
        yield desk
