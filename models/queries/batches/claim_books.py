"""Which claims (应付项) of a run's rows have an order already, whatever run made it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from models.domain.batches.states import OrderState
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchRun


@dataclass(slots=True)
class ClaimBooks:
    """Orders by claim: how many are under way, and how many were paid."""

    opened: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)


def claim_books(session: Session, run: BatchRun, members: Sequence[BatchMember]) -> ClaimBooks:
    """Read what is on record of the claims of these members."""
    found = session.exec(
        select(BatchOrder.claim_key, BatchOrder.state, BatchOrder.final_state).where(
            col(BatchOrder.tenant) == run.tenant, col(BatchOrder.claim_key).in_([each.claim_key for each in members])
        )
    ).all()
    books = ClaimBooks()
    for key, state, final_state in found:
        if state == OrderState.SETTLED:
            books.settled[key] += 1
        elif final_state is None:
            books.opened[key] += 1
    return books
