"""The one end of each order (终态), written once. Functions over a session; settling and the bank's steps use them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Table
from sqlmodel import Session, col, update

from models.database.bulk import insert_new
from models.domain.batches.finals import final_of
from models.domain.batches.states import FinalState
from models.domain.tokens import named_token
from models.tables.batch_runs import BatchOrder, BatchOutcome

_OUTCOMES: Final[Table] = BatchOutcome.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """When a run's money cannot come back any more.

    Attributes:
        today: the tenant's business date.
        return_days: bank days after settlement, the last of them included.
        is_bank_day: of the tenant's calendar.
    """

    today: date
    return_days: int
    is_bank_day: Callable[[date], bool]


def write_finals(session: Session, orders: Sequence[BatchOrder], *, term: Term, now: datetime) -> int:
    """Give each of these orders its end, if nothing can change it any more; returns how many got theirs now.

    Repeated, or done by two at once, each order keeps the end that was written first.
    """
    ends: dict[FinalState, list[BatchOrder]] = {}
    for order in orders:
        if order.final_state is not None:
            continue
        end = final_of(
            order.state,
            order.settled_on,
            today=term.today,
            return_days=term.return_days,
            is_bank_day=term.is_bank_day,
        )
        if end is not None:
            ends.setdefault(end, []).append(order)
    return sum(_write(session, end, found, term=term, now=now) for end, found in sorted(ends.items()))


def _write(session: Session, end: FinalState, orders: Sequence[BatchOrder], *, term: Term, now: datetime) -> int:
    written = session.exec(
        update(BatchOrder)
        .where(
            col(BatchOrder.id).in_([order.id for order in orders]),
            col(BatchOrder.final_state).is_(None),
            col(BatchOrder.state) == orders[0].state,  # an answer that came meanwhile is another end
        )
        .values(final_state=end.value, final_at=now, updated_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    if end is FinalState.SETTLED:
        cause = f"return-term/{term.today.isoformat()}"
        rows = [
            {
                "id": named_token("bou", f"{order.id}/{cause}"), "tenant": order.tenant, "run": order.run,
                "order_id": order.id, "cause": cause, "state": order.state, "reason_code": None, "at": now,
            }
            for order in orders
        ]  # fmt: skip
        insert_new(session, _OUTCOMES, rows)
    return int(written)
