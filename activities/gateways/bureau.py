"""The credit bureau (征信): the gateway behind which a bank puts its client, and the step that asks once per key."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.contracts.installments import BureauAnswer, QueryBureauInput
from models.database.engine import Database
from models.domain.application import ConsentPurpose
from models.domain.clock import Clock
from models.domain.tokens import new_token
from models.queries import cases
from models.queries.products import product_of
from models.tables.installments import BureauReport, InstallmentCase
from models.tables.parties import Subject
from workflows.ports.installments import BureauPort


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who is asked about. Lives in memory for the length of one call."""

    id_type: str
    id_number: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BureauRecord:
    """What the bureau answers. `report` is its full text, to be sealed; the figures are minor units and days."""

    open_accounts: int
    monthly_obligation_minor: int
    worst_days_past_due: int
    report: str


class BureauGateway(ABC):
    """A credit bureau. `query_key` is handed to it as the idempotency key: asked twice, it bills and records once."""

    @abstractmethod
    def query(self, identity: Identity, *, query_key: str) -> BureauRecord:
        """Ask for one person's record.

        Raises:
            GatewayUnavailable: no answer; ask again under the same key.
            GatewayRefused: refused for good, with the bureau's reason code.
        """


@dataclass(slots=True)
class BureauQuery(BureauPort):
    """The step: open the identity, ask, seal and store. Repeated, it finds the stored report.

    A report of the case, queried or entered by hand, answers for as many days as the product says; whoever sends the
    documents back does not leave another query in the customer's credit record (征信查询记录).
    """

    database: Database
    vault: Vault
    bureau: BureauGateway
    clock: Clock

    @activity.defn(name="installments.query_bureau", no_thread_cancel_exception=True)
    def query_bureau(self, input: QueryBureauInput) -> BureauAnswer:
        """Query once per key, unless a young report is there, and store the sealed report."""
        asked_at = self.clock()
        with self.database.read() as session:
            known = session.exec(select(BureauReport.id).where(col(BureauReport.query_key) == input.query_key)).first()
            if known is not None:
                return BureauAnswer(report_id=known)
            case = session.get_one(InstallmentCase, input.case_token)
            fresh = _fresh_report(session, case, now=asked_at)
            if fresh is not None:
                return BureauAnswer(report_id=fresh)
            subject = session.get_one(Subject, case.subject_id)
            consent = cases.latest_consent(session, subject_id=subject.id, purpose=ConsentPurpose.CREDIT_REPORT_QUERY)
        record = self.bureau.query(self._identity(subject), query_key=input.query_key)
        now = self.clock()
        row = BureauReport(
            id=new_token("bur"),
            tenant=case.tenant,
            case_token=case.token,
            query_key=input.query_key,
            consent_id=consent.id if consent is not None else None,
            source="bureau",
            open_accounts=record.open_accounts,
            monthly_obligation_minor=record.monthly_obligation_minor,
            worst_days_past_due=record.worst_days_past_due,
            created_at=now,
        )
        row.report_cell = self.vault.seal(
            CellAddress(
                tenant=case.tenant, table="bureau_reports", column="report_cell", row=row.id, subject=subject.id
            ),
            record.report,
        )
        deed = Deed(
            tenant=case.tenant,
            action="bureau.queried",
            target=case.token,
            actor="workflow",
            at=now,
            facts={"report": row.id, "subject": subject.id, "consent": row.consent_id, "key": input.query_key},
        )
        stored = row.id
        with unit_of_work(self.database, deed) as unit:
            earlier = unit.session.exec(
                select(BureauReport.id).where(col(BureauReport.query_key) == input.query_key)
            ).first()
            if earlier is not None:
                stored = earlier
                raise Unchanged
            unit.session.add(row)
        return BureauAnswer(report_id=stored)

    def _identity(self, subject: Subject) -> Identity:
        def opened(column: str, cell: bytes) -> str:
            address = CellAddress(
                tenant=subject.tenant, table="subjects", column=column, row=subject.id, subject=subject.id
            )
            return self.vault.open_text(address, cell)

        return Identity(
            id_type=subject.id_type,
            id_number=opened("id_cell", subject.id_cell),
            name=opened("name_cell", subject.name_cell),
        )


def _fresh_report(session: Session, case: InstallmentCase, *, now: datetime) -> str | None:
    """The newest report of the case, if it is younger than the product wants."""
    report = cases.latest_report(session, case_token=case.token)
    if report is None or now - report.created_at >= timedelta(days=product_of(session, case.tenant).report_days):
        return None
    return report.id
