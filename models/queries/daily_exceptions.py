"""Reads of the exception queue (例外队列) and of money in suspense (暂收)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session, and_, case, col, func, or_, select

from models.domain.daily import BLOCKED_BY_RULE, DayStep, ExceptionState, ReplyState
from models.tables.agreements import Agreement
from models.tables.daily import BankReply, DailyException, DebitOrder
from models.tables.installments import RuleVerdict

RowKey = tuple[str, int]
_ORDERS: Final = (DayStep.ORDERS.value, DayStep.FILE.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which items are wanted; what is None does not narrow."""

    tenant: str
    states: Sequence[str] = ()
    step: str | None = None
    code: str | None = None
    since: date | None = None
    until: date | None = None


def exceptions_page(
    session: Session, wanted: Filter, *, after: tuple[str, str] | None, limit: int
) -> Sequence[DailyException]:
    """Items, the oldest date first; `after` is date and id of the last one seen."""
    statement = select(DailyException).where(col(DailyException.tenant) == wanted.tenant)
    if wanted.states:
        statement = statement.where(col(DailyException.state).in_(wanted.states))
    if wanted.step is not None:
        statement = statement.where(col(DailyException.step) == wanted.step)
    if wanted.code is not None:
        statement = statement.where(col(DailyException.code) == wanted.code)
    if wanted.since is not None:
        statement = statement.where(col(DailyException.business_date) >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(col(DailyException.business_date) <= wanted.until)
    if after is not None:
        day, item = date.fromisoformat(after[0]), after[1]
        later = and_(col(DailyException.business_date) == day, col(DailyException.id) > item)
        statement = statement.where(or_(col(DailyException.business_date) > day, later))
    order = (col(DailyException.business_date), col(DailyException.id))
    return session.exec(statement.order_by(*order).limit(limit)).all()


def exception_by_id(session: Session, exception_id: str, *, tenant: str) -> DailyException | None:
    """One item."""
    found = session.get(DailyException, exception_id)
    return found if found is not None and found.tenant == tenant else None


def case_of(session: Session, item: DailyException) -> tuple[str | None, str | None]:
    """Agreement and case that an item is about, as far as its target names them."""
    name = item.target.partition("/")[0]
    if name.startswith("dbo_"):
        order = session.get(DebitOrder, name)
        name = order.agreement_id if order is not None else ""
    elif name.startswith("bkr_"):
        reply = session.get(BankReply, name)
        ordered = session.get(DebitOrder, reply.order_id) if reply is not None and reply.order_id else None
        name = ordered.agreement_id if ordered is not None else ""
    agreement = session.get(Agreement, name) if name.startswith("agr_") else None
    return (agreement.id, agreement.case_token) if agreement is not None else (None, None)


def verdicts_under(session: Session, gate_key: str) -> Sequence[RuleVerdict]:
    """What the rules said of a debit that was barred."""
    return session.exec(
        select(RuleVerdict).where(col(RuleVerdict.gate_key) == gate_key).order_by(col(RuleVerdict.rule_id))
    ).all()


def asked_again(session: Session, *, tenant: str) -> dict[RowKey, list[tuple[str, str]]]:
    """Rows whose debit somebody wants tried again: by row, step and target of the items that ask for it."""
    found = session.exec(
        select(DailyException.step, DailyException.target).where(
            col(DailyException.tenant) == tenant,
            col(DailyException.state) == ExceptionState.RETRY,
            col(DailyException.step).in_(_ORDERS),
        )
    ).all()
    orders = [target for step, target in found if step == DayStep.FILE]
    of_orders = session.exec(
        select(DebitOrder.id, DebitOrder.agreement_id, DebitOrder.row_no).where(col(DebitOrder.id).in_(orders))
    ).all()
    keys = {order_id: (agreement_id, no) for order_id, agreement_id, no in of_orders}
    rows: dict[RowKey, list[tuple[str, str]]] = {}
    for step, target in found:
        key = keys.get(target) if step == DayStep.FILE else row_of(target)
        if key is not None:
            rows.setdefault(key, []).append((step, target))
    return rows


def barred_on(session: Session, *, tenant: str, on: date) -> set[RowKey]:
    """Rows whose debit a rule barred on this date: asked once, not again because the step is repeated."""
    found = session.exec(
        select(DailyException.target).where(
            col(DailyException.tenant) == tenant,
            col(DailyException.business_date) == on,
            col(DailyException.step) == DayStep.ORDERS.value,
            col(DailyException.code) == BLOCKED_BY_RULE,
            col(DailyException.state) != ExceptionState.RETRY,
        )
    ).all()
    return {key for key in map(row_of, found) if key is not None}


def waiting_targets(session: Session, *, tenant: str, step: str, only_retries: bool = False) -> set[str]:
    """What stands in the queue for a step: all of it, or what somebody wants tried again."""
    states = [ExceptionState.RETRY] if only_retries else [ExceptionState.OPEN, ExceptionState.RETRY]
    found = session.exec(
        select(DailyException.target).where(
            col(DailyException.tenant) == tenant,
            col(DailyException.step) == step,
            col(DailyException.state).in_(states),
        )
    ).all()
    return set(found)


def row_of(target: str) -> RowKey | None:
    """The row that a target names as `<agreement>/<number>`."""
    agreement_id, _, no = target.partition("/")
    return (agreement_id, int(no)) if no.isascii() and no.isdigit() else None


def suspense(session: Session, *, tenant: str, after: str | None, limit: int) -> Sequence[BankReply]:
    """Money of nobody yet, in order of arrival; `after` is the id of the last one seen."""
    statement = select(BankReply).where(col(BankReply.tenant) == tenant, col(BankReply.state) == ReplyState.SUSPENSE)
    if after is not None:
        statement = statement.where(col(BankReply.id) > after)
    return session.exec(statement.order_by(col(BankReply.id)).limit(limit)).all()


def suspense_total(session: Session, *, tenant: str) -> tuple[int, int]:
    """How many entries lie in suspense, and what they come to in minor units; what went back counts below zero."""
    came = case((col(BankReply.status) == "SETTLED", col(BankReply.amount_minor)), else_=-col(BankReply.amount_minor))
    count, total = session.exec(
        select(func.count(), func.coalesce(func.sum(came), 0)).where(
            col(BankReply.tenant) == tenant, col(BankReply.state) == ReplyState.SUSPENSE
        )
    ).one()
    return count, int(total)
