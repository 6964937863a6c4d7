"""Orders of a batch (批量指令): made of what was judged, one outcome for each row, and withdrawn before they leave.

Functions over a session; they never commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col, select

from models.database.bulk import insert_many
from models.domain.batches.states import FinalState, OrderReason, OrderState
from models.domain.tokens import named_token
from models.operations.batches.taking_out import in_our_hands, take_out
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun

_ORDERS: Final[Table] = BatchOrder.__table__  # type: ignore[attr-defined]
_OUTCOMES: Final[Table] = BatchOutcome.__table__  # type: ignore[attr-defined]
# Of a row whose claim has an open order already.
_TAKEN: Final = {
    "state": OrderState.BARRED.value,
    "final_state": FinalState.BARRED.value,
    "reason_code": OrderReason.ORDER_OPEN.value,
    "rule_id": "BATCH-ONCE",
    "end_to_end_id": None,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    """What a row comes to: an order, or the reason why there is none.

    Attributes:
        final_state: where the row has its end at once: barred, withdrawn, or a case opened of it.
        case_token: the case that the row became.
    """

    member: BatchMember
    state: OrderState
    amount_minor: int
    requested_on: date
    reason_code: str | None = None
    rule_id: str | None = None
    final_state: FinalState | None = None
    case_token: str | None = None
    leaves: bool = True  # in a file to the bank


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundPolicy:
    """The retry policy that an order is bound to, frozen when it is made."""

    version: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """What a chunk has come to: orders with their sum, and rows without."""

    orders: int
    barred: int
    amount_minor: int


def order_id(run: str, member: int, attempt: int = 1) -> str:
    """An order's id: from the business alone, so that whoever repeats a step names the same order."""
    return named_token("bor", f"{run}/{member}/{attempt}")


def make_orders(
    session: Session, run: BatchRun, new: Sequence[NewOrder], *, policy: BoundPolicy, now: datetime
) -> Made:
    """Write the first attempt of each row, with its outcome.

    A claim of which another run has an open order by now is barred: the unique index is asked, and not only what was
    read before.

    Raises:
        IntegrityError: one of these rows has its outcome already.
    """
    ready = sorted(new, key=lambda each: each.member.claim_key)  # everybody takes the index's locks in one order
    rows = [_row(run, each, policy, now) for each in ready]
    refused = _insert(session, [row for row in rows if row["final_state"] is None])
    rows = [row | _TAKEN | {"final_at": now} if row["id"] in refused else row for row in rows]
    insert_many(session, _ORDERS, [row for row in rows if row["final_state"] is not None])
    insert_many(session, _OUTCOMES, [_outcome(row, f"order/{row['id']}", now) for row in rows])
    lost = (FinalState.BARRED, FinalState.WITHDRAWN)
    made = [row for row in rows if row["final_state"] not in lost]
    return Made(len(made), len(rows) - len(made), sum(row["amount_minor"] for row in made))


def withdraw_waiting(session: Session, run: BatchRun, *, limit: int, now: datetime) -> int:
    """Withdraw the next orders that have not left; what a written file carries is followed to its end."""
    found = session.exec(
        select(BatchOrder)
        .where(col(BatchOrder.run) == run.token, in_our_hands())
        .order_by(col(BatchOrder.member))
        .limit(limit)
    ).all()
    reason = OrderReason.RUN_CANCELLED.value
    return len(take_out(session, found, cause=f"withdrawn/{run.token}", reason_code=reason, now=now))


def _insert(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert orders that are to be open; returns the ids of those whose claim has an open order already."""
    if not rows:
        return set()
    connection = session.connection()
    keys = [row["claim_key"] for row in rows]
    taken = set(
        session.exec(
            select(BatchOrder.claim_key).where(
                col(BatchOrder.tenant) == rows[0]["tenant"],
                col(BatchOrder.claim_key).in_(keys),
                col(BatchOrder.final_state).is_(None),
            )
        ).all()
    )
    free = [row for row in rows if row["claim_key"] not in taken]
    refused = {row["id"] for row in rows if row["claim_key"] in taken}
    if connection.dialect.name == "sqlite":  # one writer, and this is it: what was free is free when it is written
        insert_many(session, _ORDERS, free)
        return refused
    if not free:
        return refused
    # Another transaction may be about to take a claim: its end is waited for, and then the index answers.
    once = (
        postgresql.insert(_ORDERS)
        .on_conflict_do_nothing(index_elements=["tenant", "claim_key"], index_where=_ORDERS.c.final_state.is_(None))
        .returning(_ORDERS.c.id)
    )
    there = set(connection.execute(once, list(free)).scalars())
    return refused | {row["id"] for row in free if row["id"] not in there}


def _row(run: BatchRun, new: NewOrder, policy: BoundPolicy, now: datetime) -> dict[str, Any]:
    member = new.member
    name = order_id(run.token, member.number)
    is_open = new.final_state is None
    return {
        "id": name,
        "tenant": run.tenant,
        "run": run.token,
        "member": member.number,
        "attempt": 1,
        "claim_key": member.claim_key,
        "subject_id": member.subject_id,
        # From the business alone: made again after a restore, the bank knows it as the same order.
        "end_to_end_id": name.removeprefix("bor_") if is_open and new.leaves else None,
        "amount_minor": new.amount_minor,
        "currency": member.currency,
        "mandate_id": member.mandate_id,
        "state": new.state.value,
        "reason_code": new.reason_code,
        "rule_id": new.rule_id,
        "policy_version": policy.version,
        "policy": dict(policy.body),
        "requested_on": new.requested_on,
        "case_token": new.case_token,
        "final_state": new.final_state.value if new.final_state is not None else None,
        "final_at": None if is_open else now,
        "created_at": now,
        "updated_at": now,
    }


def _outcome(row: Mapping[str, Any], cause: str, now: datetime) -> dict[str, Any]:
    return {
        "id": named_token("bou", f"{row['id']}/{cause}"),
        "tenant": row["tenant"],
        "run": row["run"],
        "order_id": row["id"],
        "cause": cause,
        "state": row["state"],
        "reason_code": row["reason_code"],
        "at": now,
    }
