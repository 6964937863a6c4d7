"""A customer on record who can be reached, sealed as the product seals, and the words that must never leak."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlmodel import Session

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.application import ContactPointKind
from models.domain.clock import Clock
from models.domain.tokens import new_case_token, new_token
from models.operations.assessments import model_assessment
from models.operations.parties import NewContactPoint, NewSubject, add_contact_point, add_subject
from models.tables.tenants import Tenant

TENANT: Final = "main"
BANK: Final = "某某银行"
MOBILE: Final = "+8613812345678"
MAIL: Final = "xiaowen.ouyang@example.com"
NAME: Final = "欧阳晓雯"


@dataclass(frozen=True, kw_only=True)
class Customer:
    """One customer and a case of theirs, which has no row: nothing here reads it."""

    subject_id: str
    case_token: str


@dataclass(frozen=True)
class Counter:
    """Where customers are put on record."""

    database: Database
    vault: Vault
    clock: Clock

    def open(self, *, sandbox: bool = False) -> None:
        """Make the tenant and its keys."""
        self.vault.ensure_tenant(TENANT)
        tenant = Tenant(code=TENANT, name=BANK, sandbox=sandbox, created_at=self.clock())
        with unit_of_work(self.database, self._deed("tenant.created")) as unit:
            unit.session.add(tenant)
            unit.session.flush()
            unit.session.add(model_assessment(TENANT, approved_on=date(2026, 1, 5), now=self.clock()))

    def customer(self, *, mobile: str | None = MOBILE, mail: str | None = MAIL) -> Customer:
        """A new person, reached under these."""
        subject_id = new_token("sub")
        self.vault.create_subject(tenant=TENANT, subject_id=subject_id)

        def sealed(table: str, column: str, row: str, value: str) -> bytes:
            return self.vault.seal(
                CellAddress(tenant=TENANT, table=table, column=column, row=row, subject=subject_id), value
            )

        cells = {
            "name_cell": sealed("subjects", "name_cell", subject_id, NAME),
            "id_cell": sealed("subjects", "id_cell", subject_id, "-"),
        }
        subject = NewSubject(
            id=subject_id,
            tenant=TENANT,
            id_type="resident-id",
            id_index=self.vault.blind_index(tenant=TENANT, field="id_number", value=subject_id),
            cells=cells,
        )
        with unit_of_work(self.database, self._deed("subject.created")) as unit:
            add_subject(unit.session, subject, now=self.clock())
            for kind, value in ((ContactPointKind.MOBILE, mobile), (ContactPointKind.EMAIL, mail)):
                if value is not None:
                    point = new_token("cpt")
                    self._add_point(
                        unit.session, kind, point, sealed("contact_points", "value_cell", point, value), subject_id
                    )
        return Customer(subject_id=subject_id, case_token=new_case_token(TENANT))

    def new_mobile(self, customer: Customer, mobile: str) -> None:
        """The customer has another number from now on."""
        point = new_token("cpt")
        address = CellAddress(
            tenant=TENANT, table="contact_points", column="value_cell", row=point, subject=customer.subject_id
        )
        cell = self.vault.seal(address, mobile)
        with unit_of_work(self.database, self._deed("contact-point.added")) as unit:
            self._add_point(unit.session, ContactPointKind.MOBILE, point, cell, customer.subject_id, later=True)

    def _add_point(
        self, session: Session, kind: ContactPointKind, point: str, cell: bytes, subject_id: str, *, later: bool = False
    ) -> None:
        now = self.clock() + timedelta(seconds=1) if later else self.clock()
        add_contact_point(
            session, NewContactPoint(id=point, kind=kind, cell=cell), tenant=TENANT, subject_id=subject_id, now=now
        )

    def _deed(self, action: str) -> Deed:
        return Deed(tenant=TENANT, action=action, target=TENANT, actor="test", at=self.clock())
