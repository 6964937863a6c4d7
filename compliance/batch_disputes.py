"""The gate of a dispute (争议): what is settled is held against the law before it is kept, in the same transaction."""

from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session, col, func, select

from compliance.audit.unit import Unit
from compliance.policy import ask_gate
from compliance.rules.evaluate import blocks
from models.domain.batches.postings import refund_posting
from models.domain.batches.states import DisputeState
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate, Outcome
from models.errors import BlockedByRule
from models.operations.batches.disputes import AT_FAULT, settle_dispute
from models.tables.agreements import Mandate
from models.tables.batch_books import BatchDispute, BatchEntry
from models.tables.batch_runs import BatchOrder, BatchOutcome


def settle_checked(
    unit: Unit,
    dispute: BatchDispute,
    *,
    outcome: Outcome,
    reason_code: str,
    annual_rate: Decimal,
    by: str,
    on: date,
    now: datetime,
) -> BatchDispute:
    """As `models.operations.batches.disputes.settle_dispute`; a rule that stands against it undoes all of it.

    Raises:
        BlockedByRule: the first such rule.
    """
    held = settle_dispute(
        unit.session, dispute, outcome=outcome, reason_code=reason_code, annual_rate=annual_rate, by=by, on=on, now=now
    )
    verdicts = ask_gate(
        unit.session,
        held.tenant,
        Gate.BATCH_DISPUTE,
        dispute_facts(unit.session, held, now=now),
        as_of=on,
        evaluated_at=now,
    )
    against = [each for each in verdicts if blocks(result=each.result, severity=each.severity)]
    if against:
        raise BlockedByRule(detail=held.id, params={"rule": against[0].rule_id, "reason": against[0].reason})
    unit.deed.facts |= {
        "dispute": held.id,
        "outcome": outcome.value,
        "refundMinor": held.refund_minor,
        "interestMinor": held.interest_minor,
    }
    return held


def dispute_facts(session: Session, dispute: BatchDispute, *, now: datetime) -> dict[str, object]:
    """What the records say of a dispute; what nobody knows is left out, and a rule that needs it blocks."""
    order = session.get_one(BatchOrder, dispute.order_id)
    mandate = session.get(Mandate, dispute.mandate_id) if dispute.mandate_id else None
    stopped = mandate is None or mandate.revoked_at is not None
    again = session.exec(
        select(func.count())
        .select_from(BatchOrder)
        .where(col(BatchOrder.claim_key) == order.claim_key, col(BatchOrder.created_at) > dispute.opened_at)
    ).one()
    proof = session.exec(select(func.count()).where(col(BatchOutcome.order_id) == order.id)).one()
    refunded = dispute.state == DisputeState.REFUNDED
    booked = session.exec(select(func.count()).where(col(BatchEntry.posting) == refund_posting(dispute.id))).one()
    return {
        "objections_received": 1,
        "objections_marked": int(stopped),
        "contested_rows": 1,
        "contested_rows_excluded": int(stopped and not again),
        "dispute_evidence_kept": proof > 0,
        "bank_at_fault": dispute.reason_code == AT_FAULT,
        "refund_paid": refunded and booked > 0,
        "refund_interest_paid": dispute.interest_minor > 0 or (refunded and order.settled_on == shanghai_date(now)),
        "objection_marked": stopped,
        "objection_received_on": shanghai_date(dispute.opened_at),
        "objection_answered_on": shanghai_date(now),
        "record_found_wrong": False,  # an order of a batch is no record of the credit register
        "record_corrected": False,
        "complaint_received_on": shanghai_date(dispute.opened_at),
        "complaint_answered_on": shanghai_date(now),
        "complaint_kind": "ordinary",
        "correction_asked": False,
    }
