"""Step 5: rows that fall due, and tries that are due again, become debit orders for what is unpaid now (扣款)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, func, select

from activities.daily.chunks import DayWork
from activities.daily.reminders import RowKey, row_name, unpaid_minor
from compliance.audit.unit import Unchanged, Unit
from compliance.rules.evaluate import blocks, evaluate_rule
from models.domain.daily import OPEN_ORDERS, OrderState
from models.domain.rule_words import AgreementStatus
from models.errors import BlockedByRule, WrongState
from models.operations.debit_orders import NewOrder, forget_retries, queue_order
from models.queries.daily import NOT_COLLECTED, open_order_sums, retries_due, rows_due
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.daily import DebitOrder, Ticket

# Rules of the gate before a debit whose facts stand in the books; the others are asked when a mandate is given.
_RULES: Final = ("BATCH-ONCE", "BATCH-CUT")
DISPUTE: Final = "dispute"  # a ticket of this kind stops debits while it is open (异议)


@dataclass(frozen=True, slots=True)
class _Books:
    """What stands in the books about a chunk's agreements, read in the transaction that makes the orders."""

    agreements: Mapping[str, Agreement]
    rows: Mapping[RowKey, AgreementRow]
    mandates: Mapping[str, Mandate]
    orders: Mapping[RowKey, list[DebitOrder]]
    under_way: dict[str, int]
    disputed: set[str]


def make_orders(work: DayWork) -> None:
    """Make the orders of the date."""
    with work.database.read() as session:
        due = rows_due(session, tenant=work.day.tenant, on=work.day.on)
        again = retries_due(session, tenant=work.day.tenant, on=work.day.on)
    keys = sorted({*due, *again})
    work.in_chunks(keys, lambda unit, chunk, now: _make(unit, work, chunk, now), name=row_name)
    work.finish()


def _make(unit: Unit, work: DayWork, keys: Sequence[RowKey], now: datetime) -> Mapping[str, int]:
    books = _read(unit.session, keys)
    made: list[DebitOrder] = []
    without_mandate = pointless = 0
    for key in keys:
        agreement, row, earlier = books.agreements[key[0]], books.rows.get(key), books.orders.get(key, [])
        if any(order.state in OPEN_ORDERS for order in earlier) or (earlier and not _is_due_again(earlier, work)):
            continue  # made before the step was interrupted, or waiting for its answer
        if agreement.folded_to != work.day.on:
            raise WrongState(detail=agreement.id, params={"state": "not-brought-to-date"})
        mandate = books.mandates.get(agreement.mandate_id or "")
        amount = _amount(books, agreement, mandate)
        stopped = agreement.status in NOT_COLLECTED or agreement.case_token in books.disputed
        if row is None or stopped or unpaid_minor(row) == 0 or amount <= 0:
            pointless += _forget(unit.session, key, earlier)
        elif mandate is None or not _stands(mandate, work):
            without_mandate += 1
            _forget(unit.session, key, earlier)
        else:
            new = _new_order(agreement, mandate, key, earlier, amount=amount)
            _ask_rules(books, agreement, row, new, on=work.day.on)
            _forget(unit.session, key, earlier)
            made.append(queue_order(unit.session, new, on=work.day.on, now=now))
            books.under_way[agreement.id] = books.under_way.get(agreement.id, 0) + amount
    if not made and not pointless and not without_mandate:
        raise Unchanged
    return {
        "orders": len(made),
        "ordersMinor": sum(order.amount_minor for order in made),
        "retries": sum(order.attempt > 1 for order in made),
        "pointless": pointless,
        "withoutMandate": without_mandate,
    }


def _is_due_again(earlier: Sequence[DebitOrder], work: DayWork) -> bool:
    return any(order.next_try_on is not None and order.next_try_on <= work.day.on for order in earlier)


def _stands(mandate: Mandate, work: DayWork) -> bool:
    return mandate.revoked_at is None and mandate.signed_on <= work.day.on <= mandate.valid_to


def _amount(books: _Books, agreement: Agreement, mandate: Mandate | None) -> int:
    """What is due and unpaid now, less what other orders already ask for, within the limit of the mandate."""
    missing = agreement.owed_minor - books.under_way.get(agreement.id, 0)
    return min(missing, mandate.limit_minor) if mandate is not None else missing


def _new_order(
    agreement: Agreement, mandate: Mandate, key: RowKey, earlier: Sequence[DebitOrder], *, amount: int
) -> NewOrder:
    return NewOrder(
        tenant=agreement.tenant,
        agreement_id=agreement.id,
        mandate_id=mandate.id,
        row_no=key[1],
        attempt=max((order.attempt for order in earlier), default=0) + 1,
        amount_minor=amount,
    )


def _forget(session: Session, key: RowKey, earlier: Sequence[DebitOrder]) -> int:
    if earlier:
        forget_retries(session, agreement_id=key[0], row_no=key[1])
    return 1 if earlier else 0


def _ask_rules(books: _Books, agreement: Agreement, row: AgreementRow, new: NewOrder, *, on: date) -> None:
    """Refuse an order that a rule bars.

    Raises:
        BlockedByRule: it stays out; the agreement goes to the exception queue.
    """
    earlier = books.orders.get((row.agreement_id, row.no), [])
    facts = {
        "orders_settled": sum(order.state == OrderState.SETTLED for order in earlier),
        "orders_open": sum(order.state in OPEN_ORDERS for order in earlier),
        "agreement_status": AgreementStatus.ACTIVE.value,
        "account_disputed": agreement.case_token in books.disputed,
        "row_paid": unpaid_minor(row) == 0,
        "debit_amount_minor": new.amount_minor,
        "due_now_minor": agreement.owed_minor,
    }
    for rule_id in _RULES:
        verdict = evaluate_rule(rule_id, facts, as_of=on)
        if blocks(result=verdict.result, severity=verdict.severity):
            raise BlockedByRule(detail=agreement.id, params={"rule": rule_id})


def _read(session: Session, keys: Sequence[RowKey]) -> _Books:
    ids = sorted({agreement_id for agreement_id, _ in keys})
    agreements = session.exec(
        select(Agreement).where(col(Agreement.id).in_(ids)).order_by(col(Agreement.id)).with_for_update()
    ).all()
    numbers = {no for _, no in keys}
    rows = session.exec(
        select(AgreementRow).where(col(AgreementRow.agreement_id).in_(ids), col(AgreementRow.no).in_(numbers))
    ).all()
    mandate_ids = {each.mandate_id for each in agreements if each.mandate_id is not None}
    mandates = session.exec(select(Mandate).where(col(Mandate.id).in_(mandate_ids))).all()
    orders: dict[RowKey, list[DebitOrder]] = {}
    for order in session.exec(select(DebitOrder).where(col(DebitOrder.agreement_id).in_(ids))).all():
        orders.setdefault((order.agreement_id, order.row_no), []).append(order)
    disputed = session.exec(
        select(Ticket.case_token).where(
            col(Ticket.case_token).in_([each.case_token for each in agreements]),
            func.lower(col(Ticket.kind)) == DISPUTE,
            col(Ticket.state) == "OPEN",
        )
    ).all()
    return _Books(
        agreements={each.id: each for each in agreements},
        rows={(row.agreement_id, row.no): row for row in rows},
        mandates={each.id: each for each in mandates},
        orders=orders,
        under_way=open_order_sums(session, ids),
        disputed=set(disputed),
    )
