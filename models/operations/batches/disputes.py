"""A customer contests an order (争议): its mandate stops at once, a clock runs, and it is explained or refunded.

Functions over a session. Opening is one transaction with the stop of the mandate: no run finds the one without the
other. The proof is on the bank (银行卡民事纠纷规定 Arts. 4, 5), so nothing of a contested order is ever deleted.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from sqlmodel import Session, col, select, update

from models.database.bulk import insert_new
from models.domain.aftercare.clocks import TicketKind, due_at
from models.domain.batches.kinds import KINDS, Direction, KindName
from models.domain.batches.postings import BatchAccount, pair, refund_posting
from models.domain.batches.states import DisputeState, OrderReason, OrderState
from models.domain.canonical import digest
from models.domain.ids import batch_row_workflow_id
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import Outcome, TaskState, TaskType
from models.domain.tokens import named_token
from models.errors import FieldFault, FormInvalid, WrongState
from models.operations.batches.entries import post_entries
from models.operations.batches.suspense import close_record_task
from models.operations.batches.taking_out import state_at_bank, take_out
from models.tables.agreements import Mandate
from models.tables.batch_books import BatchDispute
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.tasks import Task

AT_FAULT: Final = "bank-at-fault"
_TASKS: Final = Task.__table__  # type: ignore[attr-defined]
_PRIORITY: Final = 85
_YEAR_DAYS: Final = 360  # as the trade counts interest on deposits and loans (人民币利率管理规定)


def open_dispute(
    session: Session,
    run: BatchRun,
    order: BatchOrder,
    *,
    reason_code: str,
    text_cell: bytes | None,
    by: str,
    now: datetime,
    is_working_day: Callable[[date], bool],
) -> BatchDispute:
    """Open a dispute and stop the mandate, in the caller's one transaction; of an order one is open at a time.

    Args:
        session: of the unit of work.
        run: of the order.
        order: what is contested.
        reason_code: of `DisputeReason`.
        text_cell: the customer's words, sealed under the order's subject; None: there are none.
        by: who took it in.
        now: when it came in; the clock runs from here.
        is_working_day: of the tenant's calendar.

    Raises:
        WrongState: one is open already, or money never moves by this order.
    """
    fresh = session.get_one(BatchOrder, order.id, with_for_update=True, populate_existing=True)
    if KINDS[KindName(run.kind)].direction is not Direction.IN or fresh.state == OrderState.BARRED:
        raise WrongState(detail=order.id, params={"state": fresh.state})
    earlier = session.exec(select(BatchDispute).where(col(BatchDispute.order_id) == order.id)).all()
    if any(each.state == DisputeState.OPEN for each in earlier):
        raise WrongState(detail=order.id, params={"state": "disputed"})
    dispute = BatchDispute(
        id=named_token("bdi", f"{order.id}/{len(earlier) + 1}"),
        tenant=run.tenant,
        run=run.token,
        order_id=order.id,
        subject_id=fresh.subject_id,
        mandate_id=fresh.mandate_id,
        reason_code=reason_code,
        text_cell=text_cell,
        state=DisputeState.OPEN,
        due_at=due_at(TicketKind.DISPUTE, opened_at=now, extensions=0, is_working_day=is_working_day),
        opened_by=by,
        opened_at=now,
    )
    task = _task(run, dispute, fresh, now)
    dispute.task_id = task["id"]
    session.add(dispute)
    session.exec(
        update(Mandate)
        .where(col(Mandate.id) == fresh.mandate_id, col(Mandate.revoked_at).is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    fresh.next_try_on = None  # nothing contested is presented again
    session.add(fresh)
    insert_new(session, _TASKS, [task])
    session.flush()
    return dispute


def settle_dispute(
    session: Session,
    dispute: BatchDispute,
    *,
    outcome: Outcome,
    reason_code: str,
    annual_rate: Decimal,
    by: str,
    on: date,
    now: datetime,
) -> BatchDispute:
    """Explain, refund or cancel; books what is owed back, once. A run of kind `refund` pays it.

    Args:
        session: of the unit of work.
        dispute: an open one.
        outcome: `EXPLAIN`, `REFUND` or `CANCEL`.
        reason_code: of `DisputeReason`; where the bank was at fault interest is paid besides (CBL-73).
        annual_rate: of that interest, as a fraction.
        by: who decided.
        on: the business date.
        now: for the record.

    Raises:
        WrongState: it is settled; money that did not move is asked back; or the order has left the house.
        FormInvalid: the bank was at fault, and nothing is refunded.
    """
    held = session.get_one(BatchDispute, dispute.id, with_for_update=True, populate_existing=True)
    if held.state != DisputeState.OPEN:
        raise WrongState(detail=held.id, params={"state": held.state})
    order = session.get_one(BatchOrder, held.order_id, with_for_update=True, populate_existing=True)
    if outcome is Outcome.REFUND:
        _refund(session, held, order, at_fault=reason_code == AT_FAULT, annual_rate=annual_rate, on=on, now=now)
        held.state = DisputeState.REFUNDED
    elif outcome is Outcome.CANCEL:
        moved = take_out(session, [order], cause=f"decision/{held.id}", reason_code=OrderReason.DISPUTED, now=now)
        if not moved:
            raise WrongState(detail=order.id, params={"state": state_at_bank(order)})
        held.state = DisputeState.CANCELLED
    elif reason_code == AT_FAULT:
        raise FormInvalid(faults=(FieldFault(pointer="/reasonCode", code="refund-owed"),))
    else:
        held.state = DisputeState.EXPLAINED
    held.reason_code, held.decided_by, held.decided_at = reason_code, by, now
    session.add(held)
    close_record_task(session, held.task_id, now=now)
    session.flush()
    return held


def refund_interest(amount_minor: int, annual_rate: Decimal, days: int) -> int:
    """Simple interest in minor units for the days on which the bank had the money, rounded half up.

    What is owed is never rounded to nothing: the law asks for interest on small amounts, too.
    """
    interest = Decimal(amount_minor) * annual_rate * max(days, 0) / _YEAR_DAYS
    return max(int(interest.quantize(Decimal(1), rounding=ROUND_HALF_UP)), int(interest > 0))


def _refund(
    session: Session,
    held: BatchDispute,
    order: BatchOrder,
    *,
    at_fault: bool,
    annual_rate: Decimal,
    on: date,
    now: datetime,
) -> None:
    if order.state != OrderState.SETTLED or order.settled_on is None or order.debit_order is not None:
        raise WrongState(detail=order.id, params={"state": order.state})
    twice = select(BatchDispute.id).where(
        col(BatchDispute.order_id) == order.id, col(BatchDispute.state) == DisputeState.REFUNDED
    )
    if session.exec(twice).first() is not None:
        raise WrongState(detail=order.id, params={"state": "refunded"})
    interest = refund_interest(order.amount_minor, annual_rate, (on - order.settled_on).days) if at_fault else 0
    held.refund_minor, held.interest_minor = order.amount_minor, interest
    post_entries(
        session,
        refund_posting(held.id),
        pair(BatchAccount.REFUND, BatchAccount.PAYABLE, order.amount_minor + interest),
        tenant=held.tenant,
        run=held.run,
        order_id=order.id,
        value_date=on,
        now=now,
    )


def _task(run: BatchRun, dispute: BatchDispute, order: BatchOrder, now: datetime) -> dict[str, Any]:
    key = batch_row_workflow_id(run.token, dispute.id)
    shown = {
        "run": run.token,
        "record": f"/v1/batches/{run.token}/disputes/{dispute.id}",
        "order": order.id,
        "amountMinor": order.amount_minor,
        "state": order.state,
        "reason": dispute.reason_code,
    }
    return Task(
        id=named_token("tsk", key),
        tenant=run.tenant,
        workflow_id=key,
        task_no=1,
        type=TaskType.BATCH_DISPUTE.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.BATCH_DISPUTE].value,
        branch=run.branch,
        priority=_PRIORITY,
        due_at=dispute.due_at,
        amount_minor=order.amount_minor,
        currency=order.currency,
        title_params={"case": run.token[-6:], "reason": dispute.reason_code},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    ).model_dump()
