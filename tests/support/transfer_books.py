"""A book of generated customers, and a transfer job over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, update
from sqlmodel import Session, col

from compliance.vault.customer_layout import Customer, seal_customers
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.states import JobStage
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob
from tests.support.people import people
from tests.support.training import sponsored

SOURCE: Final = "acme"
TARGET: Final = "bank"
JOB: Final = "bank.00000000000000000000000001"


def customer(number: int, tenant: str = SOURCE) -> Customer:
    """One generated customer; some fields are absent in some of them."""
    person = people(number)[-1]
    return _customer(number, tenant, person)


def _customer(number: int, tenant: str, person: Any) -> Customer:
    values: dict[str, str | None] = {
        "customer_no": f"C{number:08d}",
        "name": person.name,
        "id_type": "resident-id",
        "id_number": person.id_number,
        "mobile": person.mobile if number % 5 else None,
        "email": f"person{number}@example.com" if number % 3 else None,
        "address": f"某某路{number}号" if number % 2 else None,
        "employer": "北京晴川印刷有限公司" if number % 4 else None,
        "language": "en" if number % 7 == 0 else "zh-CN",
    }
    return Customer(f"cus_{tenant}_{number:06d}", f"sub_{tenant}_{number:06d}", values)


@dataclass(frozen=True)
class Books:
    """Two tenants with their books."""

    database: Database
    vault: Vault
    clock: Clock

    def open(self, *, plan: Mapping[str, Any] | None = None, source: str | None = SOURCE) -> None:
        """Make both tenants, and the job."""
        now = self.clock()
        with Session(self.database.engine) as session:
            for code in (SOURCE, TARGET):
                self.vault.ensure_tenant(code)
                session.add(Tenant(code=code, name="某某银行", created_at=now))
            session.flush()
            session.add(
                TransferJob(
                    token=JOB,
                    tenant=TARGET,
                    source_tenant=source,
                    branch="main",
                    plan=dict(plan or {}),
                    plan_hash="0" * 64,
                    stage=JobStage.BACKING_UP,
                    created_by="stf_1",
                    created_by_person="psn_1",
                    created_at=now,
                    updated_at=now,
                )
            )
            session.flush()
            sponsored(session, JOB, tenant=TARGET)
            session.commit()

    def add(self, count: int, tenant: str = SOURCE) -> list[Customer]:
        """Put the first `count` customers into a book."""
        customers = [_customer(number, tenant, person) for number, person in enumerate(people(count), start=1)]
        self.put(customers, tenant)
        return customers

    def put(self, customers: list[Customer], tenant: str = SOURCE) -> None:
        """Put these into a book."""
        now = self.clock()
        rows = [
            {
                "id": stored.id,
                "tenant": tenant,
                "subject_id": stored.subject,
                "state": "active",
                "version": 1,
                "created_at": now,
                "updated_at": now,
                **stored.columns,
            }
            for stored in seal_customers(self.vault, tenant=tenant, customers=customers, create=True)
        ]
        with self.database.engine.begin() as connection:
            connection.execute(insert(CustomerRecord), rows)

    def pause(self, *, paused: bool) -> None:
        """Pause the job, or have it go on."""
        with self.database.engine.begin() as connection:
            at = self.clock() if paused else None
            connection.execute(update(TransferJob).where(col(TransferJob.token) == JOB).values(paused_at=at))
