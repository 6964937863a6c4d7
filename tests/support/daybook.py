"""A small bank over months: agreements in force with mandates, its business dates, and the bank at the other end."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from activities.daily.steps import SqlDailyRun
from activities.exchange.bank import BankConnection
from activities.gateways.bank.folder import BankFolders, FolderBank
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import Collected, Fate, MockBank, running_mock_bank
from models.contracts.daily import DayStepInput
from models.database.engine import Database
from models.domain.schedules.rows import Row
from models.domain.servicing.ledger import Account
from models.domain.servicing.terms import AgreementTerms
from models.domain.states import CaseStage
from models.domain.tokens import new_case_token, new_token
from models.operations.agreements import NewAgreement, activate, set_first_business_date
from models.queries.ledger import differences, trial_balance
from models.tables.agreements import Agreement, AgreementEvent, AgreementRow, Mandate, PlanOffer
from models.tables.daily import BusinessDate, DailyException, DailyRun, DebitOrder
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.platform import OutboxEntry
from models.tables.tenants import Tenant
from tests.support.bank_files import CREDITOR_CNY
from tests.support.casework import _FACTS
from tests.support.clock import FakeClock

TENANT = "main"
START = date(2026, 11, 23)  # a Monday
STEPS = ("begin", "take_replies", "post", "arrears", "reminders", "debit_orders", "send_file", "roll")
ONE_DAY = timedelta(days=1)


def workday(day: date) -> bool:
    """A calendar of weekends alone."""
    return day.weekday() < 5


def level_rows(count: int, *, start: date = START, principal: int = 100_000, interest: int = 1_000) -> tuple[Row, ...]:
    """Equal rows, one a month, on the start's day of the month."""
    return tuple(
        Row(no=no, due=month_after(start, no), principal_minor=principal, interest_minor=interest, fee_minor=0)
        for no in range(1, count + 1)
    )


def month_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, 28))


@dataclass
class Daybook:
    """One tenant's books."""

    database: Database
    vault: Vault
    clock: FakeClock
    folders: BankFolders
    steps: SqlDailyRun = field(init=False)
    bank: MockBank | None = None
    script: dict[str, list[Fate]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        port = FolderBank(self.folders, self.clock, settle_for=timedelta(days=-36500))
        self.steps = SqlDailyRun(self.database, self.vault, lambda _: self.connection(port), self.clock)

    def connection(self, port: FolderBank) -> BankConnection:
        return BankConnection(
            port=port,
            spool=self.folders.spool,
            creditors={"generic-cny": CREDITOR_CNY},
            is_bank_day=self.is_bank_day,
        )

    def is_bank_day(self, day: date) -> bool:
        """Whether both sides' calendar has the day as a working day."""
        return workday(day) and day not in self.holidays

    # -- what there is

    def open(self, *, sandbox: bool = True, today: date = START) -> None:
        """The tenant with its books opened."""
        now = self.clock()
        self.vault.ensure_tenant(TENANT)
        with unit_of_work(self.database, self._deed()) as unit:
            unit.session.add(Tenant(code=TENANT, name="-", sandbox=sandbox, created_at=now))
            unit.session.flush()
            set_first_business_date(unit.session, tenant=TENANT, today=today, now=now)

    def agree(
        self,
        *,
        rows: Sequence[Row] | None = None,
        late_rate: str = "0.18",
        mandate: bool = True,
        limit_minor: int = 10_000_000,
        on: date = START,
        account: str = "6222000012345678",
        **mandate_facts: Any,
    ) -> Agreement:
        """An agreement in force, paid by debit unless said otherwise."""
        now, subject_id, token = self.clock(), new_token("sub"), new_case_token(TENANT)
        self.vault.create_subject(tenant=TENANT, subject_id=subject_id)
        rows = tuple(rows or level_rows(12, start=on))
        mandate_id = new_token("mdt") if mandate else None
        with unit_of_work(self.database, self._deed()) as unit:
            session = unit.session
            session.add(self._subject(subject_id, now))
            session.flush()
            session.add(_case(token, subject_id, now))
            session.flush()
            offer = _offer(token, now)
            session.add(offer)
            if mandate_id is not None:
                facts = {"limit_minor": limit_minor, "signed_on": on, "valid_to": on + timedelta(days=800)}
                session.add(self._mandate(mandate_id, subject_id, token, account, **(facts | mandate_facts)))
            session.flush()
            new = NewAgreement(
                tenant=TENANT,
                case_token=token,
                subject_id=subject_id,
                offer_id=offer.id,
                mandate_id=mandate_id,
                plan_hash="0" * 64,
                currency="CNY",
                terms=AgreementTerms(rows=rows, start=on, annual_rate=Decimal("0.12"), late_rate=Decimal(late_rate)),
                signed_at=now,
            )
            booked = activate(session, new, business_date=on, now=now)
        return booked.agreement

    def fates(self, debit: Collected) -> Fate:
        """What becomes of a debit, in turn (`fate_of`)."""
        return _next(self.script, debit)

    # -- days

    def run_step(self, step: str, on: date) -> Any:
        return getattr(self.steps, step)(DayStepInput(tenant=TENANT, business_date=on.isoformat()))

    def run_day(self, on: date, *, twice: bool = False) -> None:
        """All steps of a date; the bank has had the night before to work."""
        self.clock.set(datetime(on.year, on.month, on.day, 10, tzinfo=UTC))
        if self.bank is not None:
            self.bank.advance_to(on)
        for step in STEPS:
            for _ in range(2 if twice else 1):
                self.run_step(step, on)
        if self.bank is not None:
            self.bank.take_files()

    def run_until(self, last: date, *, check: bool = True) -> None:
        """Every open date up to the last; the books must balance on each."""
        while (today := self.today()) <= last:
            self.run_day(today)
            if check:
                self.check_books(today)

    def check_books(self, on: date) -> dict[Account, int]:
        with self.database.read() as session:
            balance = trial_balance(session, tenant=TENANT, on=on)
            gaps = differences(session, tenant=TENANT, on=on)
        assert sum(balance.values()) == 0
        assert gaps == {}
        return balance

    # -- what the records say

    def today(self) -> date:
        with self.database.read() as session:
            return session.get_one(BusinessDate, TENANT).today

    def run_of(self, on: date) -> DailyRun:
        with self.database.read() as session:
            return session.get_one(DailyRun, (TENANT, on))

    def agreement(self, agreement: Agreement) -> Agreement:
        with self.database.read() as session:
            return session.get_one(Agreement, agreement.id)

    def orders(self, agreement: Agreement | None = None) -> list[DebitOrder]:
        return self.all(DebitOrder, *([col(DebitOrder.agreement_id) == agreement.id] if agreement else []))

    def rows(self, agreement: Agreement) -> list[AgreementRow]:
        found = self.all(AgreementRow, col(AgreementRow.agreement_id) == agreement.id)
        return sorted(found, key=lambda row: row.no)

    def events(self, agreement: Agreement) -> list[str]:
        found = self.all(AgreementEvent, col(AgreementEvent.agreement_id) == agreement.id)
        return [event.kind for event in sorted(found, key=lambda event: event.seq)]

    def news(self, agreement: Agreement) -> list[str]:
        """What its case was told, oldest first, as `kind date`."""
        entries = self.all(OutboxEntry, col(OutboxEntry.kind) == "news")
        keys = [entry.business_key.split("/") for entry in entries]
        return [
            f"{kind} {day}" for token, kind, day in sorted(keys, key=lambda k: k[2]) if token == agreement.case_token
        ]

    def exceptions(self) -> list[tuple[str, str]]:
        return sorted((each.step, each.code) for each in self.all(DailyException))

    def all(self, table: type[Any], *conditions: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.exec(select(table).where(*conditions)).all())

    def change(self, act: Any) -> None:
        """Change something as a person would, with an event."""
        with unit_of_work(self.database, self._deed()) as unit:
            act(unit.session)

    def _subject(self, subject_id: str, now: datetime) -> Subject:
        row = RowAddress(tenant=TENANT, table="subjects", row=subject_id, subject=subject_id)
        cells = self.vault.seal_many(row, {"name_cell": "测试·客户", "id_cell": subject_id})
        index = self.vault.blind_index(tenant=TENANT, field="id_number", value=subject_id)
        return Subject(id=subject_id, tenant=TENANT, id_type="resident-id", id_index=index, created_at=now, **cells)

    def _mandate(self, mandate_id: str, subject_id: str, token: str, account: str, **facts: Any) -> Mandate:
        row = RowAddress(tenant=TENANT, table="mandates", row=mandate_id, subject=subject_id)
        cells = self.vault.seal_many(row, {"account_cell": account, "holder_cell": "测试·客户"})
        values: dict[str, Any] = {"profile": "generic-cny", "bank_code": "102100099996"}
        return Mandate(
            id=mandate_id,
            tenant=TENANT,
            subject_id=subject_id,
            case_token=token,
            purpose="installments",
            created_at=self.clock(),
            **cells,
            **(values | facts),
        )

    def _deed(self) -> Deed:
        return Deed(tenant=TENANT, action="test.prepared", target="test", actor="test", at=self.clock())


def _case(token: str, subject_id: str, now: datetime) -> InstallmentCase:
    return InstallmentCase(
        token=token,
        tenant=TENANT,
        subject_id=subject_id,
        branch="sh-01",
        channel="staff",
        stage=CaseStage.SERVICING,
        created_by="test",
        created_at=now,
        updated_at=now,
        **_FACTS,
    )


def _offer(token: str, now: datetime) -> PlanOffer:
    return PlanOffer(
        id=new_token("plo"),
        tenant=TENANT,
        case_token=token,
        version=1,
        family="fixed-term",
        kind="offer",
        terms={},
        rows=[],
        figures={},
        created_at=now,
    )


@contextmanager
def daybook(
    database: Database,
    vault: Vault,
    clock: FakeClock,
    folder: Path,
    *,
    with_bank: bool = True,
    today: date = START,
    holidays: Collection[date] = (),
) -> Iterator[Daybook]:
    """Open books, and a mock bank at the other end of the folders."""
    folders = BankFolders(folder / "exchange")
    book = Daybook(database, vault, clock, folders, holidays=frozenset(holidays))
    book.open(today=today)
    if not with_bank:
        yield book
        return
    with running_mock_bank(folders, today=today, holidays=tuple(holidays), fate=book.fates) as bank:
        book.bank = bank
        yield book


def _next(scripted: Mapping[str, list[Fate]], debit: Collected) -> Fate:
    waiting = scripted.get(debit.mandate_id)
    return waiting.pop(0) if waiting else Fate()


def fate_of(book: Daybook, agreement: Agreement, *fates: Fate) -> None:
    """What becomes of the agreement's next debits."""
    assert agreement.mandate_id is not None
    book.script[agreement.mandate_id.replace("_", "-")] = list(fates)
