"""From the records of a case to what its agreement, cost statement and letter say; people's data stay in memory."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from activities.documents.content import (
    Agreement,
    AnnualRate,
    BreachTerms,
    Charge,
    ChargeKind,
    CloseLetter,
    ContingentItem,
    CostItem,
    CostStatement,
    Customer,
    DebtKind,
    DebtPart,
    Heading,
    IdentityDocument,
    Institution,
    RateMethod,
    RepaymentCycle,
    RepaymentMethod,
    Settlement,
    SigningForm,
)
from activities.documents.facts import DISCLOSED, disclosure
from activities.documents.figures import percent
from models.domain.plans.negotiation import Family
from models.domain.product import InstallmentProduct
from models.domain.rates.disclosure import yearly_rates
from models.domain.schedules.rows import Row, Schedule
from models.domain.servicing.state import Status
from models.domain.servicing.stored import rows_from_json
from models.tables.agreements import Agreement as ServicedAgreement
from models.tables.agreements import PlanOffer
from models.tables.tenants import Tenant
from models.texts.render import Locale, render

WORDING: Final = "2"  # of both templates; a changed wording is a new version
_METHODS: Final = {
    Family.FIXED_TERM: RepaymentMethod.LEVEL,
    Family.AFFORDABLE: RepaymentMethod.LEVEL,
    Family.STEP_UP: RepaymentMethod.STEP_UP,
    Family.INTEREST_FREE: RepaymentMethod.FLAT,  # its fixed charge is interest on paper
}

# Kinds as offers spell them (`models.domain.plans.debt`), in the order in which they are printed.
_DEBT_KINDS: Final = {
    "purchases": DebtKind.PURCHASES,
    "cash": DebtKind.CASH_ADVANCES,
    "installments": DebtKind.INSTALLMENTS,
    "interest": DebtKind.INTEREST,
    "fees": DebtKind.OTHER_FEES,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """The customer as the vault has opened them for one document; its `repr` shows nobody."""

    name: str = field(repr=False)
    id_type: str
    id_number: str = field(repr=False)
    mobile: str | None = field(repr=False)
    address: str | None = field(repr=False)
    card_number: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Papers:
    """What both documents of a signing are made from; `form` is how the customer will sign them."""

    tenant: Tenant
    party: Party
    offer: PlanOffer
    product: InstallmentProduct  # in the version that the offer names
    currency: str
    agreement_id: str
    cost_id: str
    made_on: date
    form: SigningForm = SigningForm.ELECTRONIC
    locale: Locale = "zh-CN"  # the Chinese text is the legal one

    @property
    def rows(self) -> tuple[Row, ...]:
        """As offered, chosen and to be serviced; a fee for the money is printed as what it is, interest (CCN22-INT)."""
        return tuple(
            replace(row, interest_minor=row.interest_minor + row.fee_minor, fee_minor=0)
            for row in rows_from_json(self.offer.rows)
        )

    @property
    def start(self) -> date:
        """The day from which the plan runs."""
        return date.fromisoformat(self.offer.terms["start"])

    @property
    def method(self) -> RepaymentMethod:
        """How the rows are made."""
        return _METHODS.get(Family(self.offer.family), RepaymentMethod.AS_LISTED)


def agreement_content(papers: Papers) -> Agreement:
    """The agreement: the plan as it was frozen, the product's breach terms, nothing left open."""
    principal, rows = papers.offer.terms["principalMinor"], papers.rows
    rates = yearly_rates(rows, start=papers.start, received_minor=principal)
    return Agreement(
        heading=_heading(papers, papers.agreement_id),
        lender=institution(papers.tenant, locale=papers.locale),
        borrower=customer(papers.party, locale=papers.locale),
        card_number=papers.party.card_number,
        currency=papers.currency,
        debt=_debt(papers.offer),
        debt_as_of=date.fromisoformat(papers.offer.terms.get("debtAsOf") or papers.offer.terms["start"]),
        waived_minor=0,
        schedule=Schedule(
            convention=papers.offer.convention or papers.offer.family,
            start=papers.start,
            principal_minor=principal,
            rows=rows,
        ),
        cycle=RepaymentCycle.MONTHLY,
        method=papers.method,
        rates=(
            AnnualRate(value=rates.effective, method=RateMethod.EFFECTIVE),
            AnnualRate(value=rates.nominal, method=RateMethod.NOMINAL),
        ),
        charges=_charges(papers),
        breach=BreachTerms(
            grace_days=0, missed_rows=papers.product.default_rows, overdue_rate=papers.product.late_rate
        ),
        mandate=None,  # a mandate is given when signing, as a text of its own
        form=papers.form,
        other_terms=(*(disclosure(name, papers.locale) for name in DISCLOSED), *_mandate_apart(papers)),
    )


def statement_content(papers: Papers) -> CostStatement:
    """The all-in cost statement: every charge with its own yearly rate, what breach costs, and the total."""
    principal, rows = papers.offer.terms["principalMinor"], papers.rows
    total = yearly_rates(rows, start=papers.start, received_minor=principal).effective
    bank = papers.tenant.name
    return CostStatement(
        heading=_heading(papers, papers.cost_id),
        lender=institution(papers.tenant, locale=papers.locale),
        borrower=customer(papers.party, locale=papers.locale),
        currency=papers.currency,
        principal_minor=principal,
        rows=len(rows),
        first_due=rows[0].due,
        last_due=rows[-1].due,
        method=papers.method,
        items=(_interest(papers),),
        total=AnnualRate(value=total, method=RateMethod.EFFECTIVE),
        contingent=(
            ContingentItem(
                code="late-interest",
                name=render("document.cost.late-interest.name", {}, papers.locale),
                condition=render("document.cost.late-interest.condition", {}, papers.locale),
                standard=render(
                    "document.cost.late-interest.standard", {"rate": percent(papers.product.late_rate)}, papers.locale
                ),
                charged_by=bank,
            ),
        ),
        form=papers.form,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What a letter of settlement is made from; `paid_minor` is all money that came in, less what was returned."""

    tenant: Tenant
    party: Party
    agreement: ServicedAgreement
    letter_id: str
    signed_on: date
    settled_on: date
    paid_minor: int
    made_on: date
    locale: Locale = "zh-CN"


def letter_content(settled: Settled) -> CloseLetter:
    """The letter that nothing is owed any more (结清证明)."""
    early = settled.agreement.status == Status.SETTLED
    return CloseLetter(
        heading=Heading(document_id=settled.letter_id, plan_hash=None, made_on=settled.made_on, version=WORDING),
        lender=institution(settled.tenant, locale=settled.locale),
        borrower=customer(settled.party, locale=settled.locale),
        agreement_id=settled.agreement.id,
        signed_on=settled.signed_on,
        settled_on=settled.settled_on,
        settlement=Settlement.EARLY if early else Settlement.AS_AGREED,
        currency=settled.agreement.currency,
        principal_minor=settled.agreement.principal_minor,
        paid_minor=settled.paid_minor,
        card_number=settled.party.card_number,
    )


def institution(tenant: Tenant, *, locale: Locale) -> Institution:
    """The bank as it is printed; what it has not set says where a cardholder finds it."""
    hotline = tenant.hotline or render("document.institution.hotline", {}, locale)
    return Institution(
        name=tenant.name,
        address=tenant.address or render("document.institution.address", {}, locale),
        hotline=hotline,
        complaints=tenant.complaints or hotline,
    )


def customer(party: Party, *, locale: Locale) -> Customer:
    """The cardholder as they are printed."""
    unknown = render("document.not-given", {}, locale)
    known = {kind.value: kind for kind in IdentityDocument}
    return Customer(
        name=party.name,
        id_type=known.get(party.id_type, IdentityDocument.OTHER),
        id_number=party.id_number,
        mobile=party.mobile or unknown,
        address=party.address or unknown,
    )


def _heading(papers: Papers, document_id: str) -> Heading:
    return Heading(document_id=document_id, plan_hash=papers.offer.plan_hash, made_on=papers.made_on, version=WORDING)


def _debt(offer: PlanOffer) -> tuple[DebtPart, ...]:
    """What the debt is made of, as the core has it; an offer from before it was asked knows one kind only."""
    known: dict[str, int] = offer.terms.get("debt") or {"purchases": offer.terms["principalMinor"]}
    return tuple(DebtPart(kind=kind, amount_minor=known[name]) for name, kind in _DEBT_KINDS.items() if known.get(name))


def _mandate_apart(papers: Papers) -> tuple[str, ...]:
    """Who signs by code may authorise debits in the same step; a paper authorises none."""
    apart = papers.form is SigningForm.ELECTRONIC
    return (render("document.mandate-apart", {}, papers.locale),) if apart else ()


def _charges(papers: Papers) -> tuple[Charge, ...]:
    """Interest alone is charged: the product knows no annual fee, no fee for paying early and no other."""
    amount = sum(row.interest_minor for row in papers.rows)
    params: dict[str, str | int] = {"amount": amount, "currency": papers.currency}
    standard = render("document.charge.interest", params, papers.locale)
    return tuple(
        Charge(kind=kind, charged=True, standard=standard)
        if kind is ChargeKind.INTEREST and amount
        else Charge(kind=kind, charged=False, standard="")
        for kind in ChargeKind
    )


def _interest(papers: Papers) -> CostItem:
    principal: int = papers.offer.terms["principalMinor"]
    amount = sum(row.interest_minor for row in papers.rows)
    params: dict[str, str | int] = {"amount": amount, "currency": papers.currency}
    standard = "standard" if amount else "none"
    rates = yearly_rates(papers.rows, start=papers.start, received_minor=principal)
    return CostItem(
        code="interest",
        name=render("document.cost.interest.name", {}, papers.locale),
        method=render("document.cost.interest.method", {}, papers.locale),
        standard=render(f"document.cost.interest.{standard}", params, papers.locale),
        charged_by=papers.tenant.name,
        amount_minor=amount,
        annual_rate=rates.effective,
    )
