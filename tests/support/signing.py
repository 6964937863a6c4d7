"""Cases that wait for a signature: a person of nobody, a plan that was chosen and approved, a task to sign it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from activities.documents.render import Renderer
from activities.installments.agreement_steps import SqlAgreements
from activities.installments.plan_content import chosen_plan, signing_shown
from activities.installments.signing_steps import SigningDesk
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.keyring import Vault
from models.contracts.agreements import InviteInput, PrepareAgreementInput, PrepareOffersInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import installment_workflow_id
from models.domain.plans.negotiation import Family
from models.domain.shanghai import shanghai_date
from models.domain.states import CaseStage, DecisionState, Outcome, TaskType
from models.domain.tokens import new_case_token, new_token, uuid7
from models.operations.assessments import model_assessment
from models.queries import agreements, cases
from models.tables.core import CardBalance
from models.tables.installments import AffordabilityAssessment, InstallmentCase, Proposal
from models.tables.parties import ContactPoint, Subject
from models.tables.tasks import Decision, Task
from models.tables.tenants import Tenant
from tests.support.applications import CARD, ID_NUMBER, PERSON
from tests.support.inbox import make_task

TENANT = "main"
LINKS_URL = "https://bank.test"
ACCOUNT = "6217000012345678901"


@dataclass(kw_only=True)
class SigningBench:
    """A signing desk over stores of the test, and the cases that go over it."""

    database: Database
    vault: Vault
    clock: Clock
    desk: SigningDesk

    def case(
        self,
        *,
        address: bool = True,
        mobile: bool = True,
        family: Family = Family.FIXED_TERM,
        owed: Mapping[str, int] | None = None,
    ) -> str:
        """A case whose plan of this family is approved; `owed` is what the card core said, by kind."""
        now = self.clock()
        subject_id, token = new_token("sub"), new_case_token(TENANT)
        self.vault.create_subject(tenant=TENANT, subject_id=subject_id)
        row = RowAddress(tenant=TENANT, table="subjects", row=subject_id, subject=subject_id)
        values: dict[str, bytes | str] = {
            "name_cell": PERSON["name"],
            "id_cell": ID_NUMBER,
            "card_cell": CARD,
        }
        if address:
            values["address_cell"] = PERSON["address"]
        subject = Subject(
            id=subject_id,
            tenant=TENANT,
            id_type="resident-id",
            id_index=self.vault.blind_index(tenant=TENANT, field="id_number", value=token),
            created_at=now,
            **self.vault.seal_many(row, values),
        )
        rows: list[Any] = [_case(token, subject_id, now), *_worked_out(token, now)]
        if mobile:
            rows.append(self._mobile(subject_id, now))
        self.write(subject)
        self.write(rows[0])
        self.write(*rows[1:])
        if owed is not None:
            self.write(_balance(token, owed, now))
        SqlAgreements(self.database, self.clock).prepare_offers(PrepareOffersInput(case_token=token, round=1))
        self._choose(token, family, now)
        return token

    def print(self, token: str, *, round: int = 1) -> None:
        """Agreement and cost statement, as the step prints them."""
        self.desk.prepare_agreement(PrepareAgreementInput(case_token=token, round=round))

    def task(self, token: str, **changes: Any) -> Task:
        """The task that waits for the signature, showing what the real one shows."""
        with self.database.read() as session:
            shown = {
                "case": token,
                "taskNo": 1,
                "plan": chosen_plan(session, cases.latest_proposal(session, case_token=token)),
                "signing": signing_shown(session, token),
            }
        fields = {
            "case_token": token,
            "workflow_id": installment_workflow_id(token),
            "shown": shown,
            "shown_hash": shown_hash(shown),
        }
        task = make_task(TaskType.SIGNING, **(fields | changes))
        kept = Task(**task.model_dump())
        self.write(task)
        return kept

    def invited(self, token: str, *, round: int = 1) -> None:
        """Everything up to the customer's link."""
        self.print(token, round=round)
        self.desk.invite(InviteInput(case_token=token, round=round))

    def write(self, *rows: Any) -> None:
        """Rows that others have made."""
        deed = Deed(tenant=TENANT, action="test.added", target="test", actor="test", at=self.clock())
        with unit_of_work(self.database, deed) as unit:
            unit.session.add_all(rows)

    def _mobile(self, subject_id: str, now: datetime) -> ContactPoint:
        point_id = new_token("cpt")
        address = CellAddress(TENANT, "contact_points", "value_cell", point_id, subject_id)
        cell = self.vault.seal(address, PERSON["mobile"])
        return ContactPoint(
            id=point_id, tenant=TENANT, subject_id=subject_id, kind="mobile", value_cell=cell, created_at=now
        )

    def _choose(self, token: str, family: Family, now: datetime) -> None:
        with self.database.read() as session:
            offers = agreements.latest_offers(session, case_token=token)
        offer = next(one for one in offers if one.family == family.value)
        assert offer.plan_hash is not None, offer.reason_code
        earlier = now - timedelta(hours=1)
        self.write(
            _proposal(token, version=2, kind="chosen-plan", now=now, offer_id=offer.id),
            Decision(
                id=uuid7(earlier),
                tenant=TENANT,
                workflow_id=installment_workflow_id(token),
                case_token=token,
                outcome=Outcome.APPROVE,
                form={},
                state=DecisionState.APPLIED,
                created_at=earlier,
                settled_at=earlier,
            ),
        )


def signing_bench(
    database: Database, vault: Vault, clock: Clock, files_root: Path, *, renderer: Renderer, tenant: bool = True
) -> SigningBench:
    """A desk over these stores; `tenant` makes the institution too, with its seal."""
    desk = SigningDesk(database, vault, clock, files_root=files_root, links_url=LINKS_URL, renderer=renderer)
    bench = SigningBench(database=database, vault=vault, clock=clock, desk=desk)
    vault.ensure_tenant(TENANT)
    vault.ensure_seal(tenant=TENANT, organisation="示例银行")
    if tenant:
        bench.write(Tenant(code=TENANT, name="示例银行", sandbox=True, created_at=clock()))
        bench.write(model_assessment(TENANT, approved_on=date(2026, 1, 5), now=clock()))
    return bench


def _balance(token: str, owed: Mapping[str, int], now: datetime) -> CardBalance:
    kinds = dict.fromkeys(("purchases", "cash", "fees", "interest", "installments"), 0) | dict(owed)
    return CardBalance(
        id=new_token("cbl"),
        tenant=TENANT,
        case_token=token,
        business_key=f"balances/{token}/1",
        as_of=shanghai_date(now) - timedelta(days=1),
        currency="CNY",
        days_past_due=35,
        due_diligence="current",
        created_at=now,
        **{f"{kind}_minor": amount for kind, amount in kinds.items()},
    )


def _case(token: str, subject_id: str, now: datetime) -> InstallmentCase:
    return InstallmentCase(
        token=token,
        tenant=TENANT,
        subject_id=subject_id,
        branch="sh-01",
        channel="staff",
        stage=CaseStage.SIGNING,
        total_due_minor=5_000_000,
        requested_amount_minor=3_000_000,
        requested_term_months=36,
        monthly_income_minor=800_000,
        essential_expense_minor=350_000,
        other_debt_payment_minor=100_000,
        dependants=1,
        hardship_code="unemployment",
        willing_to_repay=True,
        created_by="test",
        created_at=now,
        updated_at=now,
    )


def _worked_out(token: str, now: datetime) -> list[Any]:
    working = AffordabilityAssessment(
        id=new_token("aff"),
        tenant=TENANT,
        case_token=token,
        business_key=f"{token}/1",
        rule_version="test",
        capacity_minor=300_000,
        working=[],
        created_at=now,
    )
    return [working, _proposal(token, version=1, kind="recommendation", now=now)]


def _proposal(token: str, *, version: int, kind: str, now: datetime, offer_id: str | None = None) -> Proposal:
    return Proposal(
        id=new_token("prp"),
        tenant=TENANT,
        case_token=token,
        version=version,
        kind=kind,
        amount_minor=3_000_000,
        term_months=36,
        concession_bps=200,
        offer_id=offer_id,
        decision_id=uuid7(now),
        made_by_person="prs_test",
        created_at=now,
    )
