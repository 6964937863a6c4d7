"""Money of a batch's that no order explains (暂收): booked, and a record task for two persons. Over a session.

One proposes whose it is, or that it goes back; another confirms. What lies in suspense leaves it with that second word
alone, and is booked with it. Amounts are signed from where we stand: above zero it came, below zero it went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select, update

from models.database.bulk import insert_new
from models.domain.batches.kinds import KINDS, Direction, KindName
from models.domain.batches.postings import BatchAccount, Leg, assigned_posting, other_account
from models.domain.batches.states import LATE_RETURN, OPEN_ORDER_STATES, OrderState, SuspenseState
from models.domain.canonical import digest
from models.domain.daily import ReplyState
from models.domain.ids import batch_row_workflow_id
from models.domain.roles import CANDIDATE_ROLE, Role
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.tokens import named_token
from models.errors import FieldFault, FormInvalid, FourEyesViolation, WrongState
from models.operations.batches.entries import Posting, post_all, post_entries
from models.operations.batches.funding import give_back, use
from models.operations.batches.order_states import move_orders
from models.tables.batch_books import BatchSuspense
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankReply
from models.tables.tasks import Task

_WITHIN: Final = timedelta(hours=24)
_PRIORITY: Final = 80
_TASKS: Final = Task.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unexplained:
    """A line that no order explains.

    Attributes:
        code: why.
        signed_minor: above zero it came, below zero it went.
        posting: the business key under which it is booked.
    """

    reply: BankReply
    code: str
    signed_minor: int
    posting: str


def open_suspense(
    session: Session,
    run: BatchRun,
    reply: BankReply,
    *,
    code: str,
    signed_minor: int,
    posting: str,
    on: date,
    now: datetime,
) -> BatchSuspense:
    """Book a line to suspense and ask people about it; repeated, it stays one."""
    line = Unexplained(reply=reply, code=code, signed_minor=signed_minor, posting=posting)
    open_all(session, run, [line], on=on, now=now)
    return session.get_one(BatchSuspense, _name(reply))


def open_all(session: Session, run: BatchRun, lines: Sequence[Unexplained], *, on: date, now: datetime) -> None:
    """As `open_suspense`, for many lines, each given once."""
    names = [_name(line.reply) for line in lines]
    known = set(session.exec(select(BatchSuspense.id).where(col(BatchSuspense.id).in_(names))).all())
    new = [line for line in lines if _name(line.reply) not in known]
    postings = [
        Posting(
            key=line.posting,
            legs=(Leg(BatchAccount.CLEARING, line.signed_minor), Leg(BatchAccount.SUSPENSE, -line.signed_minor)),
            order_id=None,
            value_date=line.reply.value_date or on,
        )
        for line in new
    ]
    post_all(session, postings, tenant=run.tenant, run=run.token, now=now)
    held = [_suspense(run, line, now) for line in new]
    tasks = [_task(run, each, now) for each in held]
    for each, task in zip(held, tasks, strict=True):
        each.task_id = task["id"]
    session.add_all(held)
    insert_new(session, _TASKS, tasks)
    session.flush()


def propose(
    session: Session,
    held: BatchSuspense,
    *,
    order_id: str | None,
    staff_id: str,
    person_id: str,
    now: datetime,
) -> None:
    """One person says whose it is (`order_id`), or that it goes back (None). A later proposal replaces an earlier one.

    Raises:
        WrongState: it is decided.
        FormInvalid: no such order in the tenant, or it is not one that this money can be of.
    """
    fresh = _held(session, held.id)
    if order_id is not None:
        _fitting(session, fresh, order_id)
    fresh.order_id, fresh.proposed_by, fresh.proposed_by_person = order_id, staff_id, person_id
    session.add(fresh)
    run = session.get_one(BatchRun, fresh.run)
    shown = _shown(run, fresh) | {"proposed": "assign" if order_id is not None else "send-back"}
    session.exec(
        update(Task)
        .where(col(Task.id) == fresh.task_id, col(Task.state).in_(OPEN_TASK_STATES))
        .values(
            shown=shown,
            shown_hash=digest(shown),
            candidate_role=Role.BATCH_APPROVER.value,
            excluded_persons=[person_id],
            state=TaskState.READY.value,
            assignee=None,
            version=Task.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.flush()


def confirm(
    session: Session, held: BatchSuspense, *, staff_id: str, person_id: str, on: date, now: datetime
) -> SuspenseState:
    """A second person confirms what was proposed; it is booked, and the task is done.

    Raises:
        WrongState: nothing is proposed, or it is decided.
        FourEyesViolation: the same person proposed it.
        FormInvalid: the order changed meanwhile, and the money cannot be of it any more.
    """
    fresh = _held(session, held.id)
    if fresh.proposed_by_person is None:
        raise WrongState(detail=fresh.id, params={"state": "not-proposed"})
    if fresh.proposed_by_person == person_id:
        raise FourEyesViolation(detail=fresh.id)
    run = session.get_one(BatchRun, fresh.run)
    if fresh.order_id is not None:
        _assign(session, run, fresh, _fitting(session, fresh, fresh.order_id), on=on, now=now)
        fresh.state = SuspenseState.ASSIGNED
    else:
        _post(session, run, fresh, f"sent-back/{fresh.id}", BatchAccount.CLEARING, on=on, now=now)
        fresh.state = SuspenseState.SENT_BACK
    fresh.decided_by, fresh.decided_at = staff_id, now
    session.add(fresh)
    reply = session.get_one(BankReply, fresh.reply_id)
    reply.state = ReplyState.ASSIGNED if fresh.state == SuspenseState.ASSIGNED else reply.state
    session.add(reply)
    close_record_task(session, fresh.task_id, now=now)
    session.flush()
    return SuspenseState(fresh.state)


def close_record_task(session: Session, task_id: str | None, *, now: datetime) -> None:
    """The record needs nobody any more."""
    session.exec(
        update(Task)
        .where(col(Task.id) == task_id, col(Task.state).in_(OPEN_TASK_STATES))
        .values(state=TaskState.DONE.value, version=Task.version + 1, updated_at=now, closed_at=now)
        .execution_options(synchronize_session=False)
    )


def _held(session: Session, suspense_id: str) -> BatchSuspense:
    held = session.get_one(BatchSuspense, suspense_id, with_for_update=True, populate_existing=True)
    if held.state != SuspenseState.OPEN:
        raise WrongState(detail=held.id, params={"state": held.state})
    return held


def _fitting(session: Session, held: BatchSuspense, order_id: str) -> BatchOrder:
    """The order, if this money can be of it: one that waits for it, of the same amount; of a late return, its own."""
    order = session.exec(select(BatchOrder).where(col(BatchOrder.id) == order_id).with_for_update()).one_or_none()
    if order is None or order.tenant != held.tenant or order.debit_order is not None:
        raise FormInvalid(faults=(FieldFault(pointer="/orderId", code="not-known"),))
    if held.code == LATE_RETURN:
        reply = session.get_one(BankReply, held.reply_id)
        fits = reply.order_id == order.id
    else:
        run = session.get_one(BatchRun, order.run)
        comes_in = KINDS[KindName(run.kind)].direction is Direction.IN
        fits = (held.amount_minor > 0) is comes_in and order.state in OPEN_ORDER_STATES[1:]
    if not fits or abs(held.amount_minor) != order.amount_minor:
        raise FormInvalid(faults=(FieldFault(pointer="/orderId", code="money-of-another"),))
    return order


def _assign(
    session: Session, run: BatchRun, held: BatchSuspense, order: BatchOrder, *, on: date, now: datetime
) -> None:
    """Out of suspense to where the order's money belongs; the order settles by it, or its late return is explained."""
    whose = session.get_one(BatchRun, order.run)
    kind = KINDS[KindName(whose.kind)]
    _post(session, run, held, assigned_posting(held.id), other_account(kind), on=on, now=now, order_id=order.id)
    if held.code == LATE_RETURN:
        if kind.needs_funding:
            give_back(session, whose.token, amount_minor=order.amount_minor, now=now)
        return
    reply = session.get_one(BankReply, held.reply_id)
    if order.state == OrderState.IN_FILE:
        move_orders(session, [order], to=OrderState.SENT, cause=f"sent/{order.file_id}", now=now)
    move_orders(
        session, [order], to=OrderState.SETTLED, cause=f"decision/{held.id}", now=now,
        settled_on=reply.value_date or on,
    )  # fmt: skip
    if kind.needs_funding:
        use(session, whose.token, amount_minor=order.amount_minor, now=now)


def _post(
    session: Session,
    run: BatchRun,
    held: BatchSuspense,
    posting: str,
    other: BatchAccount,
    *,
    on: date,
    now: datetime,
    order_id: str | None = None,
) -> None:
    post_entries(
        session,
        posting,
        (Leg(BatchAccount.SUSPENSE, held.amount_minor), Leg(other, -held.amount_minor)),
        tenant=run.tenant,
        run=run.token,
        order_id=order_id,
        value_date=on,
        now=now,
    )


def _name(reply: BankReply) -> str:
    return named_token("bsu", reply.id)


def _suspense(run: BatchRun, line: Unexplained, now: datetime) -> BatchSuspense:
    return BatchSuspense(
        id=_name(line.reply),
        tenant=run.tenant,
        run=run.token,
        reply_id=line.reply.id,
        amount_minor=line.signed_minor,
        code=line.code,
        state=SuspenseState.OPEN,
        order_id=line.reply.order_id,
        opened_at=now,
    )


def _shown(run: BatchRun, held: BatchSuspense) -> dict[str, Any]:
    return {
        "run": run.token,
        "record": f"/v1/batches/{run.token}/suspense/{held.id}",
        "amountMinor": held.amount_minor,
        "code": held.code,
        "reply": held.reply_id,
        "order": held.order_id,
    }


def _task(run: BatchRun, held: BatchSuspense, now: datetime) -> dict[str, Any]:
    key, shown = batch_row_workflow_id(run.token, held.id), _shown(run, held)
    return Task(
        id=named_token("tsk", key),
        tenant=run.tenant,
        workflow_id=key,
        task_no=1,
        type=TaskType.BATCH_SUSPENSE.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.BATCH_SUSPENSE].value,
        branch=run.branch,
        priority=_PRIORITY,
        due_at=now + _WITHIN,
        amount_minor=abs(held.amount_minor),
        currency="CNY",
        title_params={"case": run.token[-6:], "code": held.code},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    ).model_dump()
