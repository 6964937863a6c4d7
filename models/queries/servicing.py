"""Reads about agreements as staff see them: by id and caller, all rounds of offers, balances, quotes, reversals."""

from sqlmodel import Session, col, func, select

from models.domain.viewer import ANY_BRANCH
from models.tables.agreements import Agreement, AgreementRow, LedgerEntry, PlanOffer, SettlementQuote
from models.tables.daily import BankReply
from models.tables.installments import CaseContact, CaseDocument, InstallmentCase
from models.tables.reversals import Reversal
from models.tables.suspense import SuspenseAssignment


def visible_agreement(session: Session, agreement_id: str, *, tenant: str, branch: str) -> Agreement | None:
    """An agreement of the tenant in the caller's branch; any other is the same None."""
    agreement = session.get(Agreement, agreement_id)
    if agreement is None or agreement.tenant != tenant:
        return None
    case = session.get_one(InstallmentCase, agreement.case_token)
    return agreement if branch in (ANY_BRANCH, case.branch) else None


def all_offers(session: Session, *, case_token: str) -> list[PlanOffer]:
    """Every offer of a case, the newest round first, each round in the order of its making."""
    return list(
        session.exec(
            select(PlanOffer)
            .where(col(PlanOffer.case_token) == case_token)
            .order_by(col(PlanOffer.version).desc(), col(PlanOffer.id))
        ).all()
    )


def ledger_balances(session: Session, agreement_id: str) -> list[tuple[str, int]]:
    """The balance of every account that the agreement was posted on, debit positive; they add up to zero."""
    rows = session.exec(
        select(LedgerEntry.account, func.sum(LedgerEntry.amount_minor))
        .where(col(LedgerEntry.agreement_id) == agreement_id)
        .group_by(col(LedgerEntry.account))
        .order_by(col(LedgerEntry.account))
    ).all()
    return [(account, int(amount)) for account, amount in rows]


def first_row_due(session: Session, agreement: Agreement) -> AgreementRow | None:
    """The next row that is not yet due."""
    if agreement.next_due is None:
        return None
    return session.exec(
        select(AgreementRow).where(
            col(AgreementRow.agreement_id) == agreement.id, col(AgreementRow.due) == agreement.next_due
        )
    ).first()


def quote_by_id(session: Session, quote_id: str, *, tenant: str) -> SettlementQuote | None:
    """A stored quote of the tenant."""
    quote = session.get(SettlementQuote, quote_id)
    return quote if quote is not None and quote.tenant == tenant else None


def reversal_by_id(session: Session, reversal_id: str, *, tenant: str) -> Reversal | None:
    """A reversal of the tenant, whatever its state."""
    reversal = session.get(Reversal, reversal_id)
    return reversal if reversal is not None and reversal.tenant == tenant else None


def suspense_entry_by_id(session: Session, entry_id: str, *, tenant: str) -> BankReply | None:
    """An entry of the bank, whatever became of it."""
    reply = session.get(BankReply, entry_id)
    return reply if reply is not None and reply.tenant == tenant else None


def assignment_by_id(session: Session, assignment_id: str, *, tenant: str) -> SuspenseAssignment | None:
    """An assignment of money in suspense, whatever its state."""
    assignment = session.get(SuspenseAssignment, assignment_id)
    return assignment if assignment is not None and assignment.tenant == tenant else None


def is_on_record(session: Session, record_id: str, *, case_token: str) -> bool:
    """Whether this is a document of the case, or a contact of it that was recorded: where an agreement can be shown."""
    document = session.get(CaseDocument, record_id)
    if document is not None:
        return document.case_token == case_token
    contact = session.get(CaseContact, record_id)
    return contact is not None and contact.case_token == case_token and contact.recording_ref is not None
