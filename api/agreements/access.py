"""Which agreement, quote, reversal or assignment a path names; one of another branch is the same 404 as none."""

from datetime import date, datetime

from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.audit.deeds import Deed
from models.domain.clock import Clock
from models.domain.shanghai import shanghai_date
from models.errors import NotFound
from models.operations.agreements import business_date
from models.queries import servicing
from models.tables.agreements import Agreement, SettlementQuote
from models.tables.reversals import Reversal
from models.tables.suspense import SuspenseAssignment


def agreement_for(deps: ApiDeps, principal: Principal, agreement_id: str) -> Agreement:
    """The agreement, if the caller may see it; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    with deps.database.read() as session:
        found = servicing.visible_agreement(
            session, known_token(agreement_id), tenant=principal.tenant, branch=principal.branch
        )
    if found is None:
        raise NotFound
    return found


def quote_for(deps: ApiDeps, principal: Principal, quote_id: str) -> tuple[SettlementQuote, Agreement]:
    """The quote and its agreement; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    with deps.database.read() as session:
        quote = servicing.quote_by_id(session, known_token(quote_id), tenant=principal.tenant)
    if quote is None:
        raise NotFound
    return quote, agreement_for(deps, principal, quote.agreement_id)


def reversal_for(deps: ApiDeps, principal: Principal, reversal_id: str) -> tuple[Reversal, Agreement]:
    """The reversal and its agreement; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    with deps.database.read() as session:
        reversal = servicing.reversal_by_id(session, known_token(reversal_id), tenant=principal.tenant)
    if reversal is None:
        raise NotFound
    return reversal, agreement_for(deps, principal, reversal.agreement_id)


def assignment_for(deps: ApiDeps, principal: Principal, assignment_id: str) -> tuple[SuspenseAssignment, Agreement]:
    """The assignment of money in suspense, and its agreement; blocking.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    with deps.database.read() as session:
        assignment = servicing.assignment_by_id(session, known_token(assignment_id), tenant=principal.tenant)
    if assignment is None:
        raise NotFound
    return assignment, agreement_for(deps, principal, assignment.agreement_id)


def open_date(session: Session, *, tenant: str, clock: Clock) -> date:
    """The open business date; a tenant that has not opened its books yet goes by the calendar in Shanghai."""
    return business_date(session, tenant=tenant) or shanghai_date(clock())


def deed_on(agreement: Agreement, action: str, *, by: Principal, at: datetime, **facts: object) -> Deed:
    """A deed of staff on an agreement; it stands in the timeline of its case."""
    return Deed(
        tenant=agreement.tenant,
        action=action,
        target=agreement.case_token,
        actor=by.staff_id,
        at=at,
        facts={"agreement": agreement.id, **facts},
    )
