"""An agreement in service behind the API: a case taken in, two rounds of real plans, one signed and in force."""

import functools
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select, update

from activities.installments.agreement_steps import signed_terms
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.plans.negotiation import Balances, Family, NegotiationInput
from models.domain.plans.offers import side_by_side
from models.domain.product import DEFAULT_PRODUCT
from models.domain.roles import Role
from models.domain.servicing.stored import rows_to_json
from models.domain.servicing.terms import AgreementTerms
from models.domain.tokens import new_token
from models.operations.agreements import NewAgreement, activate, set_first_business_date
from models.operations.booking import book
from models.tables.agreements import Agreement, AgreementText, PlanOffer
from models.tables.daily import BusinessDate
from models.tables.installments import CaseDocument
from models.tables.platform import OutboxEntry
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import taken_in

START: Final = date(2026, 11, 23)
DEBT: Final = 3_000_000
_STATED: Final = ["interest", "late-interest"]


@dataclass(kw_only=True)
class Served:
    """One agreement, its case, and who works on it."""

    office: Office
    officer: Staff
    approver: Staff
    case: str
    agreement_id: str
    keys: list[int] = field(default_factory=list)

    def key(self) -> dict[str, str]:
        """A fresh `Idempotency-Key`."""
        self.keys.append(1)
        return {"Idempotency-Key": f"k{len(self.keys)}"}

    def agreement(self) -> Agreement:
        """As the books have it."""
        with self.office.deps.database.read() as session:
            return session.get_one(Agreement, self.agreement_id)

    def news(self) -> list[str]:
        """Keys of what the case was told."""
        with self.office.deps.database.read() as session:
            found = session.exec(select(OutboxEntry.business_key).where(col(OutboxEntry.kind) == "news"))
            return sorted(found.all())

    def add(self, *rows: Any) -> None:
        """More rows, with an event as everything has."""
        with unit_of_work(self.office.deps.database, self._deed()) as unit:
            unit.session.add_all(rows)

    def day(self, today: date, *, tell: bool = True) -> None:
        """Open another business date and bring the agreement to it, as the daily run does."""
        with unit_of_work(self.office.deps.database, self._deed()) as unit:
            unit.session.exec(update(BusinessDate).values(today=today))
            agreement = unit.session.get_one(Agreement, self.agreement_id)
            book(unit.session, [(agreement, ())], as_of=today, now=self.office.clock())
            if tell:
                agreement.told_days = agreement.days_past_due

    async def send(self, path: str, body: dict[str, Any], *, by: Staff | None = None, **headers: str) -> Any:
        """POST under a fresh key, in English."""
        async with self.office.client(by or self.officer) as client:
            return await client.post(f"/v1/{path}", json=body, headers={**self.key(), **headers})

    async def get(self, path: str, *, by: Staff | None = None, locale: str = "en") -> Any:
        """GET."""
        async with self.office.client(by or self.officer) as client:
            return await client.get(f"/v1/{path}", headers={"Accept-Language": locale})

    async def pay(self, amount: int, on: date, *, ref: str) -> Any:
        """A payment at the counter."""
        body = {"amountMinor": amount, "valueDate": on.isoformat(), "channel": "counter", "bankReference": ref}
        return await self.send(f"agreements/{self.agreement_id}/payments", body)

    async def quote(self, as_of: date) -> dict[str, Any]:
        """A settlement quote."""
        answer = await self.send(f"agreements/{self.agreement_id}/settlement-quotes", {"asOf": as_of.isoformat()})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def redeem(self, quote: dict[str, Any], *, ref: str, amount: int | None = None) -> Any:
        """Money for a quote."""
        wanted = quote["amountMinor"] if amount is None else amount
        body = {"amountMinor": wanted, "channel": "transfer", "bankReference": ref}
        return await self.send(f"settlement-quotes/{quote['id']}/redemptions", body)

    def _deed(self) -> Deed:
        return Deed(tenant="main", action="test.put", target="test", actor="test", at=self.office.clock())


async def serve(office: Office, *, stated: bool = True, terms: AgreementTerms | None = None) -> Served:
    """Bring a case into service on its first business date.

    Args:
        office: with an empty database.
        stated: whether the cost statement names what the agreement charges.
        terms: other rows than those of the chosen plan; they start on their own day.
    """
    start = terms.start if terms is not None else START
    officer = office.staff("officer", Role.CASE_OFFICER)
    approver = office.staff("approver", Role.APPROVER)
    case = await taken_in(office, officer)
    now = office.clock()
    deed = Deed(tenant="main", action="test.put", target="test", actor="test", at=now)
    with unit_of_work(office.deps.database, deed) as unit:
        session = unit.session
        set_first_business_date(session, tenant="main", today=start, now=now)
        offers = [_offer(each, case["token"], version, now) for version in (1, 2) for each in _plans(version)]
        session.add_all(offers)
        chosen = next(each for each in offers if each.version == 2 and each.family == Family.FIXED_TERM)
        _print(session, case, chosen, stated=stated, now=now)
        session.flush()
        booked = activate(
            session,
            NewAgreement(
                tenant="main",
                case_token=case["token"],
                subject_id=case["subjectId"],
                offer_id=chosen.id,
                mandate_id=None,
                plan_hash=chosen.plan_hash or "",
                currency="CNY",
                terms=terms or signed_terms(chosen, product=DEFAULT_PRODUCT),
                signed_at=now,
            ),
            business_date=start,
            now=now,
        )
        agreement_id = booked.agreement.id
    return Served(office=office, officer=officer, approver=approver, case=case["token"], agreement_id=agreement_id)


@functools.cache
def _plans(version: int) -> Any:
    about = NegotiationInput(
        balances=Balances(purchases_minor=DEBT),
        original_rate=DEFAULT_PRODUCT.original_rate,
        capacity_minor=300_000,
        start=START,
        first_due=START + timedelta(days=30),
        term_months=12 if version == 2 else 18,
        rate_concession_bps=300,
        concession_limit_bps=300,
    )
    return side_by_side(about)


def _offer(plan: Any, case_token: str, version: int, now: datetime) -> PlanOffer:
    return PlanOffer(
        id=new_token("plo"),
        tenant="main",
        case_token=case_token,
        version=version,
        family=plan.family.value,
        kind="offer" if version == 1 else "counter-offer",
        convention=plan.convention,
        reason_code=None if plan.offered else plan.reasons[0],
        terms={
            "product": DEFAULT_PRODUCT.version,
            "plans": plan.terms_version,
            "principalMinor": plan.balances.total_minor,
            "originalRate": str(plan.original_rate),
            "capacityMinor": plan.capacity_minor,
            "start": START.isoformat(),
            "reasons": list(plan.reasons),
        },
        rows=rows_to_json(plan.schedule.rows) if plan.schedule is not None else [],
        figures=plan.figures.as_record() if plan.figures is not None else {},
        plan_hash=plan.hash if plan.offered else None,
        created_at=now,
    )


def _print(session: Session, case: dict[str, Any], offer: PlanOffer, *, stated: bool, now: datetime) -> None:
    documents = [
        CaseDocument(
            id=new_token("doc"),
            tenant="main",
            case_token=case["token"],
            subject_id=case["subjectId"],
            kind=kind,
            media_type="application/pdf",
            size_bytes=1,
            digest="0" * 64,
            added_by="workflow",
            created_at=now,
        )
        for kind in ("agreement", "cost-statement")
    ]
    session.add_all(documents)
    session.flush()
    session.add(
        AgreementText(
            id=new_token("txt"),
            tenant="main",
            case_token=case["token"],
            business_key=f"text/{case['token']}/1",
            plan_hash=offer.plan_hash or "",
            agreement_document_id=documents[0].id,
            cost_document_id=documents[1].id,
            wording_version="test",
            facts={"statement_items": _STATED if stated else []},
            created_at=now,
        )
    )
