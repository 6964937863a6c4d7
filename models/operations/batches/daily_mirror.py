"""The daily run's debits as orders of a batch (扣款步骤即批量): `debit_orders` takes the money, this accounts for it.

Each function is called in the transaction in which the debits change, for a chunk of them at once. A debit that no
order accounts for (it is older than its date's run) is left alone. What happens to a debit whose order has its end is
no change of the order any more: it is told of, and a person looks at it.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Table
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, select, update

from models.database.bulk import insert_many
from models.domain.batches.claims import claim_of_row
from models.domain.batches.finals import AT_END
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.states import OrderReason, OrderState
from models.domain.tokens import named_token
from models.domain.viewer import ANY_BRANCH
from models.errors import WrongState
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.batches.orders import order_id
from models.operations.four_eyes import By
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import DebitOrder

DAILY_RUN: Final = "daily-run"
_ORDERS: Final[Table] = BatchOrder.__table__  # type: ignore[attr-defined]
_OUTCOMES: Final[Table] = BatchOutcome.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True, slots=True)
class Payer:
    """Whose money a debit takes."""

    subject_id: str
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A debit that the bank's answer has moved; it stands with its new state.

    Attributes:
        cause: `reply/<business key of the line>`.
        settled_on: the day on which the bank moved the money; of a debit that settles.
    """

    debit: DebitOrder
    cause: str
    settled_on: date | None = None


class _Order(NamedTuple):
    """What of an order is needed to move it."""

    id: str
    tenant: str
    run: str
    debit_order: str
    final_state: str | None


def request_key(tenant: str, on: date) -> str:
    """By which the debits of a date are one run."""
    return f"daily/{tenant}/{on.isoformat()}"


def daily_batch(session: Session, tenant: str, on: date) -> BatchRun | None:
    """The run of a date's debits, if it has any."""
    query = select(BatchRun).where(col(BatchRun.tenant) == tenant, col(BatchRun.request_key) == request_key(tenant, on))
    return session.exec(query).one_or_none()


def begin_daily_batch(session: Session, tenant: str, on: date, *, token: str, now: datetime) -> BatchRun:
    """The run of a date's debits; made with the first of them, and its workflow started through the outbox.

    Args:
        session: of the unit.
        tenant: whose date it is.
        on: the date.
        token: its name if it is new; the key of its subject was made under it.
        now: for the record.
    """
    new = NewRun(
        tenant=tenant,
        branch=ANY_BRANCH,
        kind=KindName.AUTO_DEBIT,
        origin=Origin.DAILY,
        source=MemberSource.BOOK,
        request_key=request_key(tenant, on),
        business_date=on,
        by=By(tenant=tenant, staff_id=DAILY_RUN, person_id=DAILY_RUN),
        token=token,
    )
    run, _ = begin_run(session, new, now=now)
    return run


def account_for(
    session: Session, debits: Sequence[tuple[DebitOrder, Payer]], *, on: date, token: str, now: datetime
) -> str | None:
    """Write an order for each new debit of a date; answers the run, None without debits.

    Args:
        session: of the unit that makes the debits.
        debits: made on the date.
        on: the date.
        token: as of `begin_daily_batch`.
        now: for the record.

    Raises:
        WrongState: the run of the date has ended.
        IntegrityError: a claim has an open order.
    """
    if not debits:
        return None
    session.flush()  # an order names its debit
    run = begin_daily_batch(session, debits[0][0].tenant, on, token=token, now=now)
    if run.ended_at is not None:
        raise WrongState(detail=run.token, params={"state": run.stage})
    last = session.exec(select(func.max(BatchOrder.member)).where(col(BatchOrder.run) == run.token)).one() or 0
    rows = [_row(run, number, debit, payer, now) for number, (debit, payer) in enumerate(debits, start=last + 1)]
    insert_many(session, _ORDERS, rows)
    notes = [_outcome(row, f"order/{row['id']}", OrderState.QUEUED, None, now) for row in rows]
    insert_many(session, _OUTCOMES, notes)
    return run.token


def refuse_open_claim(session: Session, tenant: str, agreement_id: str, row_no: int) -> None:
    """Refuse another debit of a row whose last one may still come back: of a claim one order is open at a time.

    Raises:
        WrongState: `order-open`.
    """
    claim = claim_of_row(agreement_id, row_no)
    found = session.exec(
        select(BatchOrder.id).where(
            col(BatchOrder.tenant) == tenant, col(BatchOrder.claim_key) == claim, col(BatchOrder.final_state).is_(None)
        )
    ).first()
    if found is not None:
        raise WrongState(detail=claim, params={"state": OrderReason.ORDER_OPEN.value})


def account_sent(session: Session, debit_ids: Sequence[str], *, file_id: str, now: datetime) -> None:
    """The bank has the file of these debits."""
    queued = _orders_of(session, debit_ids, OrderState.QUEUED)
    _move(session, queued, OrderState.SENT, [(f"file/{file_id}", None)] * len(queued), now=now)


def account_withdrawn(session: Session, reasons: Mapping[str, OrderReason], *, on: date, now: datetime) -> None:
    """These debits can stand in no file, each for its reason; they never leave."""
    session.flush()  # the debits stand as withdrawn
    queued = _orders_of(session, list(reasons), OrderState.QUEUED)
    notes = [(f"withdrawn/{on.isoformat()}", reasons[order.debit_order].value) for order in queued]
    _move(session, queued, OrderState.WITHDRAWN, notes, now=now)


def account_moved(session: Session, moved: Sequence[Moved], *, now: datetime) -> list[DebitOrder]:
    """What the bank's answers have made of these debits.

    Returns:
        The debits whose order had its end before: it keeps it, and the run is perhaps closed.
    """
    session.flush()  # the debits stand with their new states
    orders = {order.debit_order: order for order in _orders_of(session, [each.debit.id for each in moved])}
    late, groups = [], dict[tuple[OrderState, date | None], list[tuple[_Order, Moved]]]()
    for each in moved:
        order = orders.get(each.debit.id)
        if order is not None and order.final_state is not None:
            late.append(each.debit)
        elif order is not None:
            state = OrderState(each.debit.state.lower())
            groups.setdefault((state, each.settled_on), []).append((order, each))
    for (state, settled_on), found in groups.items():
        values: dict[str, Hashable] = {} if settled_on is None else {"settled_on": settled_on}
        notes = [(each.cause, each.debit.reason_code) for _, each in found]
        _move(session, [order for order, _ in found], state, notes, now=now, **values)
    return late


# Inside ---------------------------------------------------------------------------------------------------------------


def _orders_of(session: Session, debit_ids: Sequence[str], state: OrderState | None = None) -> list[_Order]:
    """The orders that account for these debits, locked; of a state, if one is given. Plain rows: there are many."""
    query = rows_of(
        col(BatchOrder.id),
        col(BatchOrder.tenant),
        col(BatchOrder.run),
        col(BatchOrder.debit_order),
        col(BatchOrder.final_state),
    ).where(col(BatchOrder.debit_order).in_(debit_ids))
    if state is not None:
        query = query.where(col(BatchOrder.state) == state)
    found = session.execute(query.order_by(col(BatchOrder.id)).with_for_update())
    return [_Order(*row) for row in found]


def _move(
    session: Session,
    orders: Sequence[_Order],
    to: OrderState,
    notes: Sequence[tuple[str, str | None]],
    *,
    now: datetime,
    **values: Any,
) -> None:
    """Put orders that this unit of work holds into a state, each with its cause and reason; an end at once, if any."""
    end = AT_END.get(to)
    if end is not None:
        values |= {"final_state": end.value, "final_at": now}
    alike: dict[str | None, list[str]] = {}
    for order, (_, reason) in zip(orders, notes, strict=True):
        alike.setdefault(reason, []).append(order.id)
    for reason, ids in alike.items():
        session.exec(
            update(BatchOrder)
            .where(col(BatchOrder.id).in_(ids))
            .values(state=to.value, reason_code=reason, updated_at=now, **values)
            .execution_options(synchronize_session=False)
        )
    rows = [
        _outcome(order._asdict(), cause, to, reason, now) for order, (cause, reason) in zip(orders, notes, strict=True)
    ]
    insert_many(session, _OUTCOMES, rows)


def _row(run: BatchRun, member: int, debit: DebitOrder, payer: Payer, now: datetime) -> dict[str, Any]:
    return {
        "id": order_id(run.token, member, debit.attempt),
        "tenant": debit.tenant,
        "run": run.token,
        "member": member,
        "attempt": debit.attempt,
        "claim_key": claim_of_row(debit.agreement_id, debit.row_no),
        "subject_id": payer.subject_id,
        "end_to_end_id": None,  # the bank knows the debit, and its lines find it there
        "amount_minor": debit.amount_minor,
        "currency": payer.currency,
        "mandate_id": debit.mandate_id,
        "debit_order": debit.id,
        "state": OrderState.QUEUED.value,
        "policy_version": debit.policy_version,
        "policy": {},
        "requested_on": debit.requested_on,
        "created_at": now,
        "updated_at": now,
    }


def _outcome(
    order: Mapping[str, Any], cause: str, state: OrderState, reason: str | None, now: datetime
) -> dict[str, Any]:
    return {
        "id": named_token("bou", f"{order['id']}/{cause}"),
        "tenant": order["tenant"],
        "run": order["run"],
        "order_id": order["id"],
        "cause": cause,
        "state": state.value,
        "reason_code": reason,
        "at": now,
    }
