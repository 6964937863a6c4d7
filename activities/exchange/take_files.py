"""The bank's files are read, and each line of them is kept once under its business key (收取回盘).

One reader for the daily run's orders and those of batches: what follows from a line is each one's own.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from sqlalchemy import select as rows_of
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from activities.exchange.bank import BankConnection
from activities.exchange.bank_ids import bank_id, batch_of, message_of
from activities.exchange.work import ExchangeWork
from activities.gateways.bank.incoming import open_replies
from activities.gateways.bank.matching import SentOrder, SentOrders, index_orders, match
from activities.gateways.bank.port import InboundFile
from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus
from compliance.audit.unit import Unit
from models.database.hints import unindexed
from models.domain.batches.states import OrderState as BatchOrderState
from models.domain.daily import FileState, OrderState, ReplyState
from models.domain.tokens import new_token
from models.errors import BankFileUnreadable
from models.operations.business_dates import note_exception
from models.queries.batches.own_orders import not_of_daily_run
from models.tables.agreements import Agreement
from models.tables.batch_runs import BatchOrder
from models.tables.daily import BankFile, BankReply, DebitOrder

# A unit of work holds the one writer's lock of SQLite: short enough for people who wait beside it.
CHUNK: Final = 100
_KEY_LENGTH: Final = 160
BATCH_ORDER: Final = "bor_"
AccountIndex = Callable[[str], bytes | None]
_MONEY: Final = frozenset({ReplyStatus.SETTLED, ReplyStatus.RETURNED})


@dataclass(frozen=True, slots=True)
class _Source:
    """The file whose lines are being kept."""

    work: ExchangeWork
    file_id: str
    account_index: AccountIndex


def take_files(
    work: ExchangeWork, bank: BankConnection, *, account_index: AccountIndex, beat: Callable[[], bool]
) -> bool:
    """Take every complete file that waits; one that cannot be read goes into quarantine.

    Args:
        work: the step.
        bank: the tenant's.
        account_index: the blind index of a debtor's account: the account itself is not kept.
        beat: of the lease, called between any two chunks; once it is False another reads on, and we stop.

    Returns:
        Whether all that waited was taken; False: another reads on.
    """
    for file in bank.port.replies():
        if not beat() or not _take(work, bank, file, account_index, beat):
            return False
        work.rest()
    return True


def _take(
    work: ExchangeWork,
    bank: BankConnection,
    file: InboundFile,
    account_index: AccountIndex,
    beat: Callable[[], bool],
) -> bool:
    try:
        replies = open_replies(file.path)
    except BankFileUnreadable as broken:
        problem = broken.faults[0].code if broken.faults else broken.code
        _record(work, file, kind="unknown", problem=problem)
        bank.port.quarantine(file, broken.faults)
        return True
    file_id = _record(work, file, kind=replies.kind, items=replies.items)
    source, waiting = _Source(work, file_id, account_index), iter(replies)
    while chunk := list(islice(waiting, CHUNK)):
        if not beat():
            return False  # the file stays where it is: who has taken over puts it away
        work.once(partial(_keep, source, chunk))
        work.rest()
    if replies.faults:
        work.note(file_id, "unreadable-lines")
    work.once(lambda unit, _now: _taken(unit, file_id))
    bank.port.settle(file)
    return True


def _record(work: ExchangeWork, file: InboundFile, *, kind: str, items: int = 0, problem: str | None = None) -> str:
    """The file's own row. It goes by its digest: banks use names again, and a name may say too much."""
    found: list[str] = []

    def write(unit: Unit, now: datetime) -> Mapping[str, int]:
        known = unit.session.exec(
            select(BankFile).where(
                col(BankFile.tenant) == work.day.tenant,
                col(BankFile.direction) == "in",
                col(BankFile.name) == file.digest,
            )
        ).one_or_none()
        if known is not None:
            found.append(known.id)
            return {}
        row = BankFile(
            id=new_token("bkf"),
            tenant=work.day.tenant,
            direction="in",
            kind=kind,
            name=file.digest,
            business_date=work.day.on,
            state=FileState.QUARANTINED if problem else FileState.RECEIVED,
            digest=file.digest,
            items=items,
            problem=problem,
            created_at=now,
        )
        unit.session.add(row)
        unit.deed.facts["file"] = row.id
        found.append(row.id)
        if problem:
            note_exception(unit.session, work.day, step=work.step, target=row.id, code="file-unreadable", now=now)
        return {"quarantined" if problem else "files": 1}

    work.once(write)
    return found[0]


def _keep(source: _Source, items: Sequence[ReplyItem], unit: Unit, now: datetime) -> Mapping[str, int]:
    """Keep a chunk's lines, each with the order that it decides; a line of many orders becomes one for each."""
    work = source.work
    sent = _sent_orders(unit.session, work.day.tenant, items)
    rows, unmatched = [], []
    for item in items:
        found = match(item, sent=sent)
        common = {"tenant": work.day.tenant, "file_id": source.file_id, "created_at": now, **_spoken(item, source)}
        for order in found.orders:
            many = item.level is not ReplyLevel.ITEM
            amount = order.amount_minor if item.amount_minor is not None else 0
            key = line_key(work.day.tenant, f"{item.key}/{order.order_id}" if many else item.key)
            rows.append(
                common
                | _line(key, ReplyState.NEW)
                | {"order_id": order.order_id, "end_to_end_id": order.end_to_end_id, "amount_minor": amount}
            )
        if found.reason is not None:
            is_money = item.status in _MONEY and bool(item.amount_minor)
            row = common | _line(line_key(work.day.tenant, item.key), ReplyState.NEW if is_money else ReplyState.NOTED)
            whose = item.original_message_id or message_of(item.batch_id) or None
            rows.append(row | {"amount_minor": item.amount_minor or 0, "original_message_id": whose})
            if is_money and not _of_batch(item, sent):  # that goes to its batch's own suspense, as a record task
                unmatched.append((row["id"], found.reason.value))
    kept = _insert(unit.session, rows)
    for target, code in unmatched:
        if target in kept:
            note_exception(unit.session, work.day, step=work.step, target=target, code=code, now=now)
    return {"lines": len(kept), "repeated": len(rows) - len(kept), "unmatched": sum(t in kept for t, _ in unmatched)}


def _of_batch(item: ReplyItem, sent: SentOrders) -> bool:
    """Whether what matches nothing for certain carries ids of a batch's orders or files all the same."""
    whose = item.original_message_id or message_of(item.batch_id)
    near = [*sent.by_end_to_end.get(item.end_to_end_id or "", ()), *sent.by_message.get(whose, ())]
    return any(order.order_id.startswith(BATCH_ORDER) for order in near)


def _taken(unit: Unit, file_id: str) -> Mapping[str, int]:
    file = unit.session.get_one(BankFile, file_id)
    file.state = FileState.TAKEN
    unit.session.add(file)
    unit.deed.facts |= {"file": file_id, "items": file.items}
    return {}


def _spoken(item: ReplyItem, source: _Source) -> dict[str, Any]:
    """What the bank says, whoever it says it of."""
    return {
        "end_to_end_id": item.end_to_end_id,
        "original_message_id": item.original_message_id,
        "status": item.status.value,
        "reason_code": item.reason_code,
        "value_date": item.value_date or item.booking_date,
        "credit": item.credit,
        "account_index": source.account_index(item.account) if item.account else None,
        "order_id": None,
    }


def _line(key: str, state: ReplyState) -> dict[str, Any]:
    return {"id": new_token("bkr"), "business_key": key, "state": state.value}


def line_key(tenant: str, key: str) -> str:
    """The business key of a line: the bank's, for this tenant; a digest of it where it is too long."""
    whole = f"{tenant}/{key}"
    return whole if len(whole) <= _KEY_LENGTH else f"{tenant}/{hashlib.sha256(whole.encode()).hexdigest()}"


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Ids of the lines that were not known before."""
    if not rows:
        return set()
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(BankReply).on_conflict_do_nothing(index_elements=["business_key"]), list(rows))
    ids = [row["id"] for row in rows]
    return set(session.exec(select(BankReply.id).where(col(BankReply.id).in_(ids))).all())


def _sent_orders(session: Session, tenant: str, items: Sequence[ReplyItem]) -> SentOrders:
    """The orders that these lines may speak of."""
    singles = [item.end_to_end_id for item in items if item.level is ReplyLevel.ITEM and item.end_to_end_id]
    wholes = [item for item in items if item.level is not ReplyLevel.ITEM]
    orders: list[SentOrder] = []
    if singles:
        orders += _debit_orders(session, tenant, col(DebitOrder.end_to_end_id).in_(singles))
        orders += _batch_orders(session, tenant, col(BatchOrder.end_to_end_id).in_(singles))
    if wholes:
        in_files = col(BankFile.message_id).in_(
            {each.original_message_id or message_of(each.batch_id) for each in wholes}
        )
        known = {order.order_id for order in orders}
        # A batch booked as one sum holds none that were rejected.
        debits = _debit_orders(session, tenant, in_files, col(DebitOrder.state) != OrderState.REJECTED)
        batched = _batch_orders(session, tenant, in_files, col(BatchOrder.state) != BatchOrderState.REJECTED)
        orders += [order for order in (*debits, *batched) if order.order_id not in known]
    return index_orders(orders)


def _batch_orders(session: Session, tenant: str, *conditions: Any) -> Iterator[SentOrder]:
    # Columns, and not whole orders: the policy that stands in each is longer than all the rest.
    found = session.execute(
        rows_of(
            col(BatchOrder.id),
            col(BatchOrder.end_to_end_id),
            col(BatchOrder.amount_minor),
            col(BatchOrder.currency),
            col(BankFile.message_id),
            col(BankFile.kind),
        )
        .join(BankFile, col(BankFile.id) == col(BatchOrder.file_id))
        .where(unindexed(BatchOrder.tenant) == tenant, not_of_daily_run(), *conditions)
    ).all()
    for order_id, end_to_end_id, amount_minor, currency, message, kind in found:
        yield SentOrder(
            order_id=order_id,
            message_id=message or "",
            batch_id=batch_of(message or "", kind=kind),
            instruction_id=bank_id(order_id),
            end_to_end_id=end_to_end_id or "",
            amount_minor=amount_minor,
            currency=currency,
        )


def _debit_orders(session: Session, tenant: str, *conditions: Any) -> Iterator[SentOrder]:
    found = session.exec(
        select(DebitOrder, BankFile.message_id, BankFile.kind, Agreement.currency)
        .join(BankFile, col(BankFile.id) == col(DebitOrder.file_id))
        .join(Agreement, col(Agreement.id) == col(DebitOrder.agreement_id))
        .where(unindexed(DebitOrder.tenant) == tenant, *conditions)
    ).all()
    for order, message, kind, currency in found:
        yield SentOrder(
            order_id=order.id,
            message_id=message or "",
            batch_id=batch_of(message or "", kind=kind),
            instruction_id=bank_id(order.id),
            end_to_end_id=order.end_to_end_id,
            amount_minor=order.amount_minor,
            currency=currency,
        )
