"""All sides of a run's reconciliation, read part by part: orders with their bookings and lines, files, the run itself.

A line in suspense is no part of an order: money of nobody yet is counted apart. Assigned out of it, it is the line of
the order that it settled, and its booking (`assigned/…`) that order's; a late return changes no order, whoever explains
it. Orders of the daily run are booked with their agreements: their bookings are events of the agreement, and what moves
behind the end of such an order is no part of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import Session, col, func, or_, select

from models.domain.batches.kinds import KINDS, KindName, Origin
from models.domain.batches.payroll import ControlTotal, control_differences
from models.domain.batches.postings import BatchAccount, assigned_posting, returned_posting, settled_posting
from models.domain.batches.reconciling import LEFT, RETURNED, SETTLED, FileSides, Line, OrderSides, RunSides
from models.domain.batches.states import LATE_RETURN, DisputeState, FinalState, MemberState, SuspenseState
from models.domain.daily import FileState, ReplyState
from models.domain.daily import OrderState as DebitState
from models.domain.servicing.events import EventKind
from models.queries.batches.daily_debits import debits_without_order, differs, went_on
from models.queries.batches.own_orders import not_of_daily_run
from models.tables.agreements import AgreementEvent
from models.tables.batch_books import BatchDispute, BatchEntry, BatchSuspense
from models.tables.batch_clients import FundingHold
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile, BankReply, DebitOrder
from models.tables.installments import InstallmentCase

Place = tuple[int, int]  # member and attempt: the order in which orders are walked over
START: Final[Place] = (0, 0)
_BY_THE_BANK: Final = "return/"
_APART: Final = (ReplyState.SUSPENSE, ReplyState.ASSIGNED)


def orders_after(session: Session, run: str, after: Place, *, limit: int, open_only: bool = False) -> list[BatchOrder]:
    """The next orders of a run by member and attempt."""
    query = select(BatchOrder).where(
        col(BatchOrder.run) == run, tuple_(col(BatchOrder.member), col(BatchOrder.attempt)) > tuple_(*after)
    )
    if open_only:
        query = query.where(col(BatchOrder.final_state).is_(None))
    return list(session.exec(query.order_by(col(BatchOrder.member), col(BatchOrder.attempt)).limit(limit)))


def place_of(order: BatchOrder) -> Place:
    """Where an order stands in that walk."""
    return order.member, order.attempt


def order_sides(session: Session, orders: Sequence[BatchOrder]) -> list[OrderSides]:
    """These orders with what the books and the bank say of each."""
    debits = _debits(session, orders)
    lines = _lines(session, orders)
    assigned = assigned_to(session, [order.id for order in orders])
    entries, unbalanced = _entries(session, [order.id for order in orders], assigned)
    for held in assigned:
        lines[held.order_id or ""].append(Line(status=SETTLED, amount_minor=abs(held.amount_minor)))
    events = _events(session, [each.event_id for each in debits.values() if each.event_id is not None])
    cases = _cases(session, [order.case_token for order in orders if order.case_token is not None])
    sides = []
    for order in orders:
        debit = debits.get(order.debit_order or "")
        booked = entries[order.id] if debit is None else events.get(debit.event_id or "", {})
        said: Sequence[Line] = (*lines[order.id], *lines[order.debit_order or ""])
        if debit is not None and went_on(order, debit):
            booked, said = _until_its_end(order, booked, said)
        sides.append(
            OrderSides(
                id=order.id,
                amount_minor=order.amount_minor,
                state=order.state,
                final_state=order.final_state,
                settled=order.settled_on is not None,
                file_id=order.file_id or (debit.file_id if debit is not None else None),
                booked=booked,
                unbalanced=tuple(unbalanced[order.id]),
                lines=said,
                has_case=order.case_token in cases,
                debit_differs=debit is not None and differs(order, debit),
            )
        )
    return sides


def _cases(session: Session, tokens: Sequence[str]) -> frozenset[str]:
    if not tokens:
        return frozenset()
    return frozenset(session.exec(select(InstallmentCase.token).where(col(InstallmentCase.token).in_(tokens))))


def file_sides(session: Session, run: str) -> list[FileSides]:
    """The files that orders of a run have left in, each against all orders that it carried."""
    own = select(func.coalesce(BatchOrder.file_id, DebitOrder.file_id)).outerjoin(
        DebitOrder, col(DebitOrder.id) == col(BatchOrder.debit_order)
    )
    ids = set(session.exec(own.where(col(BatchOrder.run) == run, col(BatchOrder.state).in_(LEFT)).distinct()))
    files = session.exec(select(BankFile).where(col(BankFile.id).in_(ids)).order_by(BankFile.id)).all()
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    # An order of the daily run left as its `debit_orders` row; every other one by itself.
    own_orders = (not_of_daily_run(), col(BatchOrder.state).in_(LEFT))
    for carried, where in ((BatchOrder, own_orders), (DebitOrder, (col(DebitOrder.state) != DebitState.WITHDRAWN,))):
        query = select(carried.file_id, func.count(), func.sum(carried.amount_minor))
        for file_id, count, total in session.exec(
            query.where(col(carried.file_id).in_(ids), *where).group_by(col(carried.file_id))
        ):
            found = sums[file_id or ""]
            found[0] += int(count)
            found[1] += int(total)
    return [
        FileSides(
            id=each.id,
            is_sent=each.state == FileState.SENT,
            items=each.items,
            total_minor=each.total_minor,
            orders=sums[each.id][0],
            orders_minor=sums[each.id][1],
        )
        for each in files
    ]


def run_sides(session: Session, run: BatchRun) -> RunSides:
    """The run against its cohort, its sender's control total and its funding."""
    cohort = cohort_of(session, run)
    included = with_order = 0
    if cohort is not None:
        included = _count(
            session, BatchMember, BatchMember.cohort == cohort.id, BatchMember.state == MemberState.INCLUDED
        )
        with_order = session.exec(
            select(func.count(func.distinct(BatchOrder.member))).where(BatchOrder.run == run.token)
        ).one()
    if run.outcome is None and run.cancel_asked_at is not None:
        included = with_order  # it was stopped: what was not begun has no order, and needs none
    hold = session.get(FundingHold, run.token) if KINDS[KindName(run.kind)].needs_funding else None
    return RunSides(
        included=included,
        with_order=with_order,
        control=_control(session, run.token),
        # What came back late is back on the account, and its order keeps its end: the order was paid all the same.
        funding_used_minor=hold.used_minor + _late_minor(session, run.token) if hold is not None else None,
        debits_without_order=debits_without_order(session, run) if run.origin == Origin.DAILY else 0,
    )


def cohort_of(session: Session, run: BatchRun) -> BatchCohort | None:
    """The cohort of the present revision; None where the daily run has chosen."""
    query = select(BatchCohort).where(BatchCohort.run == run.token, BatchCohort.revision == run.revision)
    return session.exec(query).one_or_none()


def open_suspense(session: Session, run: str) -> int:
    """Lines of the bank's that no order of the run explains, and nobody has decided about."""
    return _count(session, BatchSuspense, BatchSuspense.run == run, BatchSuspense.state == SuspenseState.OPEN)


def open_disputes(session: Session, run: str) -> int:
    """Orders of the run that customers contest, without an answer."""
    return _count(session, BatchDispute, BatchDispute.run == run, BatchDispute.state == DisputeState.OPEN)


def open_orders(session: Session, run: str) -> int:
    """Orders of the run without an end."""
    return _count(session, BatchOrder, BatchOrder.run == run, col(BatchOrder.final_state).is_(None))


# Inside ---------------------------------------------------------------------------------------------------------------


def _count(session: Session, table: type[object], *where: ColumnElement[bool] | bool) -> int:
    return session.exec(select(func.count()).select_from(table).where(*where)).one()


def _debits(session: Session, orders: Sequence[BatchOrder]) -> dict[str, DebitOrder]:
    ids = [order.debit_order for order in orders if order.debit_order is not None]
    if not ids:
        return {}
    return {each.id: each for each in session.exec(select(DebitOrder).where(col(DebitOrder.id).in_(ids)))}


def _until_its_end(
    order: BatchOrder, booked: Mapping[str, int], said: Sequence[Line]
) -> tuple[dict[str, int], list[Line]]:
    """Of money that moved behind an order's end nothing: that is booked by itself, and a person looks at it."""
    if order.final_state != FinalState.SETTLED:
        return {}, []
    kept = {name: amount for name, amount in booked.items() if name == "settled"}
    return kept, [line for line in said if line.status == SETTLED]


def _lines(session: Session, orders: Sequence[BatchOrder]) -> dict[str, list[Line]]:
    ids = [order.debit_order or order.id for order in orders] + [order.id for order in orders if order.debit_order]
    found: dict[str, list[Line]] = defaultdict(list)
    query = (
        select(BankReply.order_id, BankReply.status, BankReply.amount_minor)
        .where(
            col(BankReply.order_id).in_(ids),
            col(BankReply.status).in_((SETTLED, RETURNED)),
            col(BankReply.state).not_in(_APART),
        )
        .order_by(BankReply.business_key)
    )
    for order_id, status, amount in session.exec(query):
        found[order_id or ""].append(Line(status=status, amount_minor=amount))
    return found


def assigned_to(session: Session, ids: Sequence[str]) -> list[BatchSuspense]:
    """Money that two persons took out of suspense for these orders, which are settled by it."""
    query = select(BatchSuspense).where(
        col(BatchSuspense.order_id).in_(ids),
        col(BatchSuspense.state) == SuspenseState.ASSIGNED,
        col(BatchSuspense.code) != LATE_RETURN,
    )
    return list(session.exec(query.order_by(BatchSuspense.id)))


def _late_minor(session: Session, run: str) -> int:
    """What of a run's money came back behind its term, and was put back to the client's account."""
    total = session.exec(
        select(func.sum(BatchSuspense.amount_minor))
        .join(BatchOrder, col(BatchOrder.id) == col(BatchSuspense.order_id))
        .where(
            BatchOrder.run == run,
            BatchSuspense.state == SuspenseState.ASSIGNED,
            BatchSuspense.code == LATE_RETURN,
        )
    ).one()
    return int(total or 0)


def _entries(
    session: Session, ids: Sequence[str], assigned: Sequence[BatchSuspense]
) -> tuple[dict[str, dict[str, int]], dict[str, list[str]]]:
    """By order: what each posting moved on the clearing account or out of suspense; postings that do not add up."""
    query = select(BatchEntry.order_id, BatchEntry.posting, BatchEntry.account, BatchEntry.amount_minor).where(
        col(BatchEntry.order_id).in_(ids)
    )
    names = {(settled_posting(each), BatchAccount.CLEARING.value): "settled" for each in ids}
    names |= {(returned_posting(each), BatchAccount.CLEARING.value): "returned" for each in ids}
    names |= {(assigned_posting(each.id), BatchAccount.SUSPENSE.value): "settled" for each in assigned}
    clearing: dict[str, dict[str, int]] = defaultdict(dict)
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for order_id, posting, account, amount in session.exec(query):
        assert order_id is not None
        totals[order_id, posting] += amount
        moved = names.get((posting, account))
        if moved is not None:
            booked = clearing[order_id]
            booked[moved] = booked.get(moved, 0) + abs(amount)
    unbalanced: dict[str, list[str]] = defaultdict(list)
    for (order_id, posting), total in sorted(totals.items()):
        if total:
            unbalanced[order_id].append(posting)
    return clearing, unbalanced


def _events(session: Session, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Of orders of the daily run, by the event that their payment is: what was booked, and what was taken back."""
    found: dict[str, dict[str, int]] = {}
    if not ids:
        return found
    query = select(AgreementEvent).where(or_(col(AgreementEvent.id).in_(ids), col(AgreementEvent.target).in_(ids)))
    events = session.exec(query).all()
    amounts = {event.id: event.amount_minor for event in events if event.kind != EventKind.REVERSAL}
    for event_id, amount in amounts.items():
        found[event_id] = {"settled": amount}
    for event in events:
        # A person's reversal is about the agreement, not about the debit. It takes back all that its target brought.
        if event.kind == EventKind.REVERSAL and event.business_key.startswith(_BY_THE_BANK):
            found.setdefault(event.target or "", {})["returned"] = amounts.get(event.target or "", 0)
    return found


def _control(session: Session, run: str) -> tuple[str, ...]:
    """A sender's figures are of the file as it was read: first attempts of rows, whatever became of them."""
    batch = session.exec(select(BatchImport).where(BatchImport.run == run)).one_or_none()
    if batch is None:
        return ()
    count, amounts, total = session.exec(
        select(func.count(), func.count(col(BatchRow.amount_minor)), func.sum(BatchRow.amount_minor)).where(
            BatchRow.import_id == batch.id, BatchRow.attempt == 1
        )
    ).one()
    return control_differences(
        ControlTotal(count=batch.control_count, amount_minor=batch.control_minor),
        ControlTotal(count=int(count), amount_minor=int(total or 0) if count == amounts else None),
    )
