"""Plans and the agreement over SQL: offers worked out and frozen, activation, breach and close."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.policy import policy_on
from models.contracts.agreements import (
    Activated,
    ActivateInput,
    BreakInput,
    CloseInput,
    OffersPrepared,
    PrepareOffersInput,
)
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.plans.debt import Debt
from models.domain.plans.negotiation import BASIS_POINTS, Family, NegotiationInput
from models.domain.plans.offers import PlanOffer as OfferedPlan
from models.domain.plans.offers import side_by_side
from models.domain.product import ACCRUALS, DEFERRING, InstallmentProduct
from models.domain.rates.calendars import months_before
from models.domain.servicing.events import EventKind
from models.domain.servicing.state import ENDED, Status
from models.domain.servicing.stored import ALLOCATIONS, rows_from_json, rows_to_json
from models.domain.servicing.terms import Accrual, AgreementTerms
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.errors import WrongState
from models.operations import agreements as agreement_operations
from models.operations.agreements import (
    RETENTION_YEARS,
    NewAgreement,
    activate,
    business_date,
    keep_offers,
    named,
)
from models.operations.booking import book, known_keys
from models.queries import agreements, cases
from models.queries.core import debt_of, latest_balance
from models.queries.products import product_named, product_of
from models.tables.agreements import Agreement, PlanOffer
from models.tables.core import CardBalance
from models.tables.installments import InstallmentCase
from workflows.ports.agreements import AgreementPort


@dataclass(slots=True)
class SqlAgreements(AgreementPort):
    """The adapter that every worker registers."""

    database: Database
    clock: Clock

    @activity.defn(name="installments.prepare_offers", no_thread_cancel_exception=True)
    def prepare_offers(self, input: PrepareOffersInput) -> OffersPrepared:
        """Work out the plan families side by side and freeze each with its hash (方案)."""
        now = self.clock()
        deed = _deed(input.case_token, "plans.offered", now)
        with unit_of_work(self.database, deed) as unit:
            known = agreements.offers_of_version(unit.session, case_token=input.case_token, version=input.round)
            if known:
                answer = _prepared(known)
                raise Unchanged
            about = _negotiation(unit.session, input.case_token, now)
            offers = [
                _offer_row(plan, input, tenant=deed.tenant, about=about, now=now) for plan in side_by_side(about.asked)
            ]
            keep_offers(unit.session, offers)
            unit.deed.facts = {"version": input.round, "plans": {offer.family: offer.plan_hash for offer in offers}}
            answer = _prepared(offers)
        return answer

    @activity.defn(name="installments.activate", no_thread_cancel_exception=True)
    def activate(self, input: ActivateInput) -> Activated:
        """Bring the signed agreement into force: agreement, rows as signed, first event, postings, one transaction."""
        now = self.clock()
        deed = _deed(input.case_token, "agreement.activated", now)
        with unit_of_work(self.database, deed) as unit:
            standing = agreements.agreement_of_case(unit.session, case_token=input.case_token)
            if standing is not None:
                answer = Activated(agreement_id=standing.id)
                raise Unchanged
            booked = activate(
                unit.session,
                _signed(unit.session, input.case_token),
                business_date=_today(unit.session, deed.tenant, now),
                now=now,
            )
            unit.deed.facts = {
                "agreement": booked.agreement.id,
                "plan": booked.agreement.plan_hash,
                "principalMinor": booked.agreement.principal_minor,
                "rows": len(booked.after.rows),
            }
            answer = Activated(agreement_id=booked.agreement.id)
        return answer

    @activity.defn(name="installments.break_agreement", no_thread_cancel_exception=True)
    def break_agreement(self, input: BreakInput) -> Done:
        """Book the breach (违约)."""
        now = self.clock()
        deed = _deed(input.case_token, "agreement.broken", now)
        key = f"break/{input.case_token}"
        with unit_of_work(self.database, deed) as unit:
            agreement = _agreement(unit.session, input.case_token)
            if known_keys(unit.session, [key]):
                raise Unchanged
            on = _today(unit.session, deed.tenant, now)
            event = named(EventKind.DEFAULTED, business_key=key, on=on, now=now)
            (booked,) = book(unit.session, [(agreement, [event])], as_of=on, now=now)
            unit.deed.facts = {"agreement": agreement.id, "owedMinor": booked.after.owed_now_minor}
        return Done()

    @activity.defn(name="installments.close_agreement", no_thread_cancel_exception=True)
    def close_agreement(self, input: CloseInput) -> Done:
        """Close what is paid, and start its retention clock (结清)."""
        now = self.clock()
        deed = _deed(input.case_token, "agreement.closed", now)
        with unit_of_work(self.database, deed) as unit:
            agreement = _agreement(unit.session, input.case_token)
            if agreement.closed_on is not None:
                raise Unchanged
            if Status(agreement.status) not in ENDED:
                raise WrongState(detail=agreement.id, params={"state": agreement.status})
            on = _today(unit.session, deed.tenant, now)
            years = policy_on(unit.session, deed.tenant, on=on).figure("record_retention_years", RETENTION_YEARS)
            agreement_operations.close(unit.session, agreement, on=on, kept_years=years)
            unit.deed.facts = {
                "agreement": agreement.id,
                "status": agreement.status,
                "keptUntil": agreement.kept_until.isoformat() if agreement.kept_until else None,
            }
        return Done()


def _deed(case_token: str, action: str, now: datetime) -> Deed:
    return Deed(tenant=tenant_of_case(case_token), action=action, target=case_token, actor="workflow", at=now)


def _today(session: Session, tenant: str, now: datetime) -> date:
    """The open business date; a tenant that has not opened its books yet goes by the calendar."""
    return business_date(session, tenant=tenant) or shanghai_date(now)


def _agreement(session: Session, case_token: str) -> Agreement:
    agreement = agreements.agreement_of_case(session, case_token=case_token)
    if agreement is None:
        raise WrongState(detail=case_token, params={"state": "no-agreement"})
    return agreement


@dataclass(frozen=True, kw_only=True, slots=True)
class _Round:
    """What a round of offers starts from, and what of it stands on each offer."""

    asked: NegotiationInput
    kind: str  # offer | counter-offer
    product: InstallmentProduct
    debt: Debt
    balance: CardBalance | None  # from which the debt was divided; None: all of it counts as purchases


def _negotiation(session: Session, case_token: str, now: datetime) -> _Round:
    case = session.get_one(InstallmentCase, case_token)
    product = product_of(session, case.tenant)
    wanted = cases.latest_terms(session, case_token=case_token)
    working = cases.latest_affordability(session, case_token=case_token)
    if wanted is None or working is None:
        raise WrongState(detail=case_token, params={"state": "no-recommendation"})
    start = _today(session, case.tenant, now)
    balance = latest_balance(session, case_token=case_token)
    debt = (debt_of(balance) if balance is not None else Debt()).part(wanted.amount_minor)
    asked = NegotiationInput(
        balances=debt.balances(),
        original_rate=product.original_rate,
        capacity_minor=working.capacity_minor,
        start=start,
        first_due=months_before(start, -1),
        term_months=wanted.term_months,
        rate_concession_bps=wanted.concession_bps,
        concession_limit_bps=wanted.concession_bps,
    )
    kind = "offer" if wanted.kind == "recommendation" else "counter-offer"
    return _Round(asked=asked, kind=kind, product=product, debt=debt, balance=balance)


def _offer_row(plan: OfferedPlan, input: PrepareOffersInput, *, tenant: str, about: _Round, now: datetime) -> PlanOffer:
    figures = plan.figures.as_record() if plan.figures is not None else {}
    return PlanOffer(
        id=new_token("plo"),
        tenant=tenant,
        case_token=input.case_token,
        version=input.round,
        family=plan.family.value,
        kind=about.kind,
        convention=plan.convention,
        reason_code=None if plan.offered else plan.reasons[0],
        terms={
            "product": about.product.version,
            "plans": plan.terms_version,
            "principalMinor": plan.balances.total_minor,
            "debt": about.debt.as_record(),
            "debtAsOf": about.balance.as_of.isoformat() if about.balance is not None else None,
            "originalRate": str(plan.original_rate),
            "capacityMinor": plan.capacity_minor,
            "start": about.asked.start.isoformat(),
            "reasons": list(plan.reasons),
        },
        rows=rows_to_json(plan.schedule.rows) if plan.schedule is not None else [],
        figures=figures,
        plan_hash=plan.hash if plan.offered else None,
        created_at=now,
    )


def _prepared(offers: list[PlanOffer]) -> OffersPrepared:
    return OffersPrepared(version=offers[0].version, offered=sum(1 for offer in offers if offer.plan_hash is not None))


def _signed(session: Session, case_token: str) -> NewAgreement:
    case = session.get_one(InstallmentCase, case_token)
    proposal = cases.latest_proposal(session, case_token=case_token)
    signature = agreements.signature_of_case(session, case_token=case_token)
    offer = agreements.offer_by_id(session, proposal.offer_id) if proposal is not None and proposal.offer_id else None
    if offer is None or offer.plan_hash is None or signature is None or signature.plan_hash != offer.plan_hash:
        raise WrongState(detail=case_token, params={"state": "not-signed"})
    mandate = agreements.mandate_of_case(session, case_token=case_token)
    return NewAgreement(
        tenant=case.tenant,
        case_token=case_token,
        subject_id=case.subject_id,
        offer_id=offer.id,
        mandate_id=mandate.id if mandate is not None else None,
        plan_hash=offer.plan_hash,
        currency=case.currency,
        terms=signed_terms(offer, product=product_named(session, case.tenant, version=offer.terms["product"])),
        signed_at=signature.signed_at,
    )


def signed_terms(offer: PlanOffer, *, product: InstallmentProduct) -> AgreementTerms:
    """What servicing reckons with: the rows as they were offered, chosen and signed, under the product of that day."""
    family = Family(offer.family)
    original = Decimal(offer.terms["originalRate"])
    conceded = Decimal(offer.figures["rateConcessionBps"]) / BASIS_POINTS
    accrual = ACCRUALS.get(family, Accrual.RATE)
    return AgreementTerms(
        rows=rows_from_json(offer.rows),
        start=date.fromisoformat(offer.terms["start"]),
        annual_rate=max(Decimal(0), original - conceded) if accrual is Accrual.RATE else Decimal(0),
        late_rate=product.late_rate,
        accrual=accrual,
        defers_interest=family in DEFERRING,
        allocation=ALLOCATIONS[product.allocation],
    )
