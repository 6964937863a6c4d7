"""Agreements that come into force, and what is done to them by name: breach, cure, payment at the counter."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session

from models.domain.rates.calendars import months_before
from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.state import Status
from models.domain.servicing.stored import terms_to_json
from models.domain.servicing.terms import AgreementTerms
from models.domain.tokens import new_token, uuid7
from models.operations.booking import Booked, NewEvent, book
from models.tables.agreements import Agreement, PlanOffer
from models.tables.daily import BusinessDate

RETENTION_YEARS: Final = 10  # AML-34c


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAgreement:
    """What was signed.

    Attributes:
        plan_hash: of the frozen plan; the rows in `terms` are that plan's.
    """

    tenant: str
    case_token: str
    subject_id: str
    offer_id: str
    mandate_id: str | None
    plan_hash: str
    currency: str
    terms: AgreementTerms
    signed_at: datetime


def activate(session: Session, new: NewAgreement, *, business_date: date, now: datetime) -> Booked:
    """Bring a signed agreement into force: rows as signed, first event and postings (生效)."""
    agreement = Agreement(
        id=new_token("agr"),
        tenant=new.tenant,
        case_token=new.case_token,
        subject_id=new.subject_id,
        offer_id=new.offer_id,
        mandate_id=new.mandate_id,
        plan_hash=new.plan_hash,
        currency=new.currency,
        principal_minor=new.terms.principal_minor,
        start=new.terms.start,
        terms=terms_to_json(new.terms),
        signed_at=new.signed_at,
        activated_on=business_date,
        status=Status.PENDING.value,
        created_at=now,
    )
    session.add(agreement)
    session.flush()
    event = NewEvent(
        event=Event(id=uuid7(now), kind=EventKind.ACTIVATED, value_date=business_date),
        business_key=f"activate/{new.case_token}",
    )
    (booked,) = book(session, [(agreement, [event])], as_of=business_date, now=now)
    return booked


def close(session: Session, agreement: Agreement, *, on: date, kept_years: int = RETENTION_YEARS) -> None:
    """Close what is paid: identity and transaction records are kept for ten years from here (反洗钱法 Art. 34).

    `kept_years` are more where the bank has settled so.
    """
    agreement.closed_on = on
    agreement.kept_until = months_before(on, -12 * kept_years)
    agreement.version += 1
    session.add(agreement)
    session.flush()


def business_date(session: Session, *, tenant: str) -> date | None:
    """The tenant's open business date (会计日期); None before the first was set."""
    row = session.get(BusinessDate, tenant)
    return row.today if row is not None else None


def set_first_business_date(session: Session, *, tenant: str, today: date, now: datetime) -> None:
    """Open the tenant's books; from then on only the daily run moves the date. Repeatable."""
    if session.get(BusinessDate, tenant) is None:
        session.add(BusinessDate(tenant=tenant, today=today, updated_at=now))
        session.flush()


def keep_offers(session: Session, offers: list[PlanOffer]) -> None:
    """Put a round of plans on the table."""
    session.add_all(offers)
    session.flush()


def named(kind: EventKind, *, business_key: str, on: date, now: datetime, **more: Any) -> NewEvent:
    """An event that a person or a workflow asks for."""
    return NewEvent(event=Event(id=uuid7(now), kind=kind, value_date=on, **more), business_key=business_key)
