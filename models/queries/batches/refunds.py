"""What the books of batches owe customers after disputes (应退款), as candidates of a run that pays it."""

from typing import Any, Final

from sqlalchemy import Select, String, and_, cast, exists, func, literal, null, or_, select
from sqlmodel import Session, col

from models.domain.batches.cohort_filter import Criteria, RefundField
from models.domain.batches.postings import BatchAccount, refund_posting, refunded_dispute
from models.domain.batches.states import DisputeState, FinalState
from models.queries.filtering import condition
from models.tables.agreements import AgreementRow, Mandate
from models.tables.batch_books import BatchDispute, BatchEntry
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder

_COLUMNS: Final[dict[RefundField, Any]] = {
    RefundField.AMOUNT: -col(BatchEntry.amount_minor),
    RefundField.DECIDED: col(BatchEntry.value_date),
    RefundField.REASON: col(BatchDispute.reason_code),
}


def refunds(tenant: str, criteria: Criteria) -> Select[Any]:
    """Refunds that were decided, for which no payment is on record or under way; one that failed is owed again."""
    claim = literal(refund_posting("")) + col(BatchDispute.id)
    owed = and_(col(BatchEntry.posting) == claim, col(BatchEntry.account) == BatchAccount.PAYABLE.value)
    paid = exists().where(
        col(BatchOrder.tenant) == tenant,
        col(BatchOrder.claim_key) == claim,
        or_(col(BatchOrder.final_state).is_(None), col(BatchOrder.final_state) == FinalState.SETTLED.value),
    )
    columns: tuple[Any, ...] = (
        claim.label("claim_key"),
        col(BatchDispute.subject_id).label("subject_id"),
        # The mandate was stopped by the dispute: nothing rests on it. It names the account, and is found by the claim.
        cast(null(), String).label("mandate_id"),
        cast(null(), String).label("agreement_id"),
        cast(null(), AgreementRow.__table__.c.no.type).label("row_no"),  # type: ignore[attr-defined]
        (-col(BatchEntry.amount_minor)).label("amount_minor"),
        col(BatchEntry.currency).label("currency"),
        literal("refund").label("type_class"),
        func.substr(cast(col(BatchEntry.value_date), String), 1, 7).label("cycle_class"),
    )
    return (
        select(*columns)
        .select_from(BatchDispute)
        .join(BatchEntry, owed)
        .where(
            col(BatchDispute.tenant) == tenant,
            col(BatchDispute.state) == DisputeState.REFUNDED.value,
            ~paid,
            *(condition(_COLUMNS[RefundField(test.field)], test) for test in criteria.tests),
        )
    )


def next_refunds(session: Session, tenant: str, criteria: Criteria, *, last: BatchMember | None, limit: int) -> Any:
    """The next of them behind the last member, in the order of disputes."""
    query = refunds(tenant, criteria)
    if last is not None:
        query = query.where(col(BatchDispute.id) > refunded_dispute(last.claim_key))
    return session.execute(query.order_by(col(BatchDispute.id)).limit(limit)).mappings()


def mandates_of_refunds(session: Session, claims: list[str]) -> dict[str, Mandate]:
    """By claim, the mandate under which the money was taken: its account is where it goes back to."""
    found = session.execute(
        select(col(BatchDispute.id), Mandate)
        .join(Mandate, col(Mandate.id) == col(BatchDispute.mandate_id))
        .where(col(BatchDispute.id).in_([refunded_dispute(claim) for claim in claims]))
    ).all()
    return {refund_posting(dispute): mandate for dispute, mandate in found}
