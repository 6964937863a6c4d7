"""What the tasks about plans, signing and service show: figures and hashes, read from the records."""

from typing import Any, Final

from sqlmodel import Session

from models.domain.states import TaskType
from models.queries import agreements
from models.queries.core import debt_of, latest_balance
from models.tables.installments import Proposal

TO_SIGN: Final = frozenset({TaskType.SIGNING, TaskType.PAPER_CHECK, TaskType.ACTIVATION})
IN_SERVICE: Final = frozenset({TaskType.MISSED, TaskType.DEFAULT})

_PAPERS: Final = {
    "agreement": "agreement",
    "costStatement": "cost-statement",
    "paperAgreement": "paper-agreement",
    "paperCostStatement": "paper-cost-statement",
    "paper": "signed-paper",
}


def offers_shown(session: Session, case_token: str) -> list[dict[str, Any]]:
    """The newest round of plans side by side; what could not be offered stands there with its reason."""
    return [
        {
            "id": offer.id,
            "version": offer.version,
            "family": offer.family,
            "hash": offer.plan_hash,
            "reason": offer.reason_code,
            "figures": offer.figures,
        }
        for offer in agreements.latest_offers(session, case_token=case_token)
    ]


def balances_shown(session: Session, case_token: str) -> dict[str, Any] | None:
    """What the card core said is owed, by kind; None if it was not asked yet."""
    balance = latest_balance(session, case_token=case_token)
    if balance is None:
        return None
    return {
        "id": balance.id,
        "asOf": balance.as_of.isoformat(),
        "purchasesMinor": balance.purchases_minor,
        "cashMinor": balance.cash_minor,
        "installmentsMinor": balance.installments_minor,
        "interestMinor": balance.interest_minor,
        "feesMinor": balance.fees_minor,
        "totalMinor": debt_of(balance).total_minor,
        "daysPastDue": balance.days_past_due,
        "dueDiligence": balance.due_diligence,
    }


def chosen_plan(session: Session, proposal: Proposal | None) -> dict[str, Any] | None:
    """The plan that was chosen last, if the newest proposal of the case is one."""
    offer = agreements.offer_by_id(session, proposal.offer_id) if proposal is not None and proposal.offer_id else None
    if offer is None:
        return None
    return {
        "offerId": offer.id,
        "version": offer.version,
        "family": offer.family,
        "convention": offer.convention,
        "hash": offer.plan_hash,
        "figures": offer.figures,
    }


def signing_shown(session: Session, case_token: str) -> dict[str, Any]:
    """The documents that wait for a signature, and the paper that has come in, by hash."""
    shown: dict[str, Any] = {}
    for name, kind in _PAPERS.items():
        document = agreements.latest_document(session, case_token=case_token, kind=kind)
        shown[name] = {"id": document.id, "digest": document.digest} if document is not None else None
    return shown


def agreement_shown(session: Session, case_token: str) -> dict[str, Any] | None:
    """How the agreement stands."""
    agreement = agreements.agreement_of_case(session, case_token=case_token)
    if agreement is None:
        return None
    return {
        "id": agreement.id,
        "status": agreement.status,
        "daysPastDue": agreement.days_past_due,
        "owedMinor": agreement.owed_minor,
        "principalLeftMinor": agreement.principal_left_minor,
        "oldestUnpaidDue": agreement.oldest_unpaid_due.isoformat() if agreement.oldest_unpaid_due else None,
    }


def owed_minor(session: Session, case_token: str) -> int:
    """What is overdue, minor units."""
    agreement = agreements.agreement_of_case(session, case_token=case_token)
    return agreement.owed_minor if agreement is not None else 0
