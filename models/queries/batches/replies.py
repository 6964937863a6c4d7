"""Lines of the bank's answers that speak of batches, and what of them still waits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement
from sqlalchemy import select as rows_of
from sqlmodel import Session, and_, col, exists, func, or_, select

from models.domain.daily import ReplyState
from models.queries.batches.own_orders import not_of_daily_run
from models.tables.batch_runs import BatchOrder
from models.tables.daily import BankFile, BankReply

_ORDER: Final = "bor_%"
_PART: Final = 500


def of_batches() -> ColumnElement[bool]:
    """Whether a line is of a batch: it is matched with an order of one, or carries the ids of one's order or file."""
    by_order = exists().where(
        col(BatchOrder.end_to_end_id) == col(BankReply.end_to_end_id), col(BatchOrder.tenant) == col(BankReply.tenant)
    )
    by_file = exists().where(
        col(BankFile.message_id) == col(BankReply.original_message_id),
        col(BankFile.tenant) == col(BankReply.tenant),
        col(BatchOrder.file_id) == col(BankFile.id),
        not_of_daily_run(),
    )
    # Spelled so that it is never NULL: its negation asks for all other lines.
    matched = func.coalesce(col(BankReply.order_id), "").like(_ORDER)
    return or_(matched, and_(col(BankReply.order_id).is_(None), or_(by_order, by_file)))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line from which nothing has followed, and the run that it belongs to."""

    run: str
    status: str
    reply_id: str


@dataclass(frozen=True, slots=True)
class _Line:
    """What of a line tells whose it is."""

    reply_id: str
    status: str
    order_id: str | None
    end_to_end_id: str | None
    message_id: str | None


def waiting_lines(session: Session, *, tenant: str) -> list[Waiting]:
    """New lines of the tenant's batches, each with its run."""
    found = session.execute(
        rows_of(
            col(BankReply.id),
            col(BankReply.status),
            col(BankReply.order_id),
            col(BankReply.end_to_end_id),
            col(BankReply.original_message_id),
        )
        .where(col(BankReply.tenant) == tenant, col(BankReply.state) == ReplyState.NEW, of_batches())
        .order_by(col(BankReply.id))
    ).all()
    lines = [_Line(*row) for row in found]
    known: dict[str, str] = {}
    for first in range(0, len(lines), _PART):
        known |= _runs_of_orders(session, lines[first : first + _PART])
    # A file has as many orders as a batch: it is asked for once, and only for lines that name none of them.
    by_file = _runs_of_files(session, {line.message_id for line in lines if line.reply_id not in known})
    waiting = []
    for line in lines:
        run = known.get(line.reply_id) or by_file.get(line.message_id or "")
        if run is not None:
            waiting.append(Waiting(run, line.status, line.reply_id))
    return waiting


def _runs_of_orders(session: Session, lines: Sequence[_Line]) -> dict[str, str]:
    """The runs of the orders that lines name, by line."""
    ids = {line.order_id for line in lines if line.order_id}
    ends = {line.end_to_end_id for line in lines if line.end_to_end_id}
    orders = session.exec(
        select(BatchOrder.id, BatchOrder.end_to_end_id, BatchOrder.run).where(
            or_(col(BatchOrder.id).in_(ids), col(BatchOrder.end_to_end_id).in_(ends))
        )
    ).all()
    known = {order_id: run for order_id, _, run in orders} | {end: run for _, end, run in orders if end}
    found = {}
    for line in lines:
        run = known.get(line.order_id or "") or known.get(line.end_to_end_id or "")
        if run is not None:
            found[line.reply_id] = run
    return found


def _runs_of_files(session: Session, messages: Collection[str | None]) -> dict[str, str]:
    """The runs of the files with these message ids, by message id."""
    wanted = sorted(message for message in messages if message)
    found: dict[str, str] = {}
    for first in range(0, len(wanted), _PART):
        rows = session.exec(
            select(BankFile.message_id, BatchOrder.run)
            .join(BatchOrder, col(BatchOrder.file_id) == col(BankFile.id))
            .where(col(BankFile.message_id).in_(wanted[first : first + _PART]), not_of_daily_run())
            .distinct()
        ).all()
        found |= {message: run for message, run in rows if message}
    return found
