"""Files that go to the bank: id, name and time are fixed before the first byte, so that a file can be written again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select, update

from models.domain.daily import FileState, OrderState
from models.domain.tokens import new_token
from models.errors import BankFileConflict
from models.tables.daily import BankFile, DebitOrder

_ORDERS: Final = DebitOrder.__table__  # type: ignore[attr-defined]
_NOTE_ACCOUNT: Final = (
    update(_ORDERS).where(_ORDERS.c.id == bindparam("order")).values(account_index=bindparam("index"))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFile:
    """A file to be: what makes it this file and no other. `kind` is its message, without version."""

    tenant: str
    name: str
    message_id: str
    business_date: date
    kind: str = "pain.008"


def reserve_file(session: Session, new: NewFile, *, now: datetime) -> BankFile:
    """The file of this name; made if it is not there, with the time that will stand in it."""
    known = session.exec(
        select(BankFile).where(
            col(BankFile.tenant) == new.tenant, col(BankFile.direction) == "out", col(BankFile.name) == new.name
        )
    ).one_or_none()
    if known is not None:
        return known
    file = BankFile(
        id=new_token("bkf"),
        tenant=new.tenant,
        direction="out",
        kind=new.kind,
        name=new.name,
        message_id=new.message_id,
        business_date=new.business_date,
        state=FileState.RESERVED,
        created_at=now,
    )
    session.add(file)
    session.flush()
    return file


def assign_orders(session: Session, file: BankFile, order_ids: Sequence[str], *, now: datetime) -> int:
    """Put queued orders into a file that is not written yet; answers how many were put."""
    if file.state != FileState.RESERVED:
        raise BankFileConflict(detail=file.id)
    return int(
        session.exec(
            update(DebitOrder)
            .where(
                col(DebitOrder.id).in_(order_ids),
                col(DebitOrder.state) == OrderState.QUEUED,
                col(DebitOrder.file_id).is_(None),
            )
            .values(file_id=file.id, updated_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount
    )


def note_accounts(session: Session, asked: Mapping[str, bytes | None]) -> None:
    """Keep of each order which account it asks for, as a blind index, so that the bank's word can be held against it.

    Args:
        session: of the unit of work that puts the orders into their file.
        asked: by id of the order.
    """
    known = [{"order": order_id, "index": index} for order_id, index in asked.items() if index is not None]
    if known:
        session.connection().execute(_NOTE_ACCOUNT, known)


def totals(session: Session, file_id: str) -> tuple[int, int]:
    """How many orders stand in a file, and their sum in minor units."""
    count, total = session.exec(
        select(func.count(), func.coalesce(func.sum(DebitOrder.amount_minor), 0)).where(
            col(DebitOrder.file_id) == file_id
        )
    ).one()
    return int(count), int(total)


def mark_written(session: Session, file_id: str, *, digest: str, items: int, total_minor: int) -> None:
    """The file lies whole on disk.

    Raises:
        BankFileConflict: written again, it came out differently.
    """
    file = session.get_one(BankFile, file_id)
    if file.digest is not None and file.digest != digest:
        raise BankFileConflict(detail=file_id)
    file.digest, file.items, file.total_minor = digest, items, total_minor
    if file.state == FileState.RESERVED:
        file.state = FileState.WRITTEN
    session.add(file)


def mark_orders_sent(session: Session, order_ids: Sequence[str], *, now: datetime) -> int:
    """The bank has them; answers of how many that was not known yet."""
    return int(
        session.exec(
            update(DebitOrder)
            .where(col(DebitOrder.id).in_(order_ids), col(DebitOrder.state) == OrderState.QUEUED)
            .values(state=OrderState.SENT, updated_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount
    )


def orders_in(session: Session, file_id: str, *, state: OrderState | None = None) -> list[str]:
    """Ids of a file's orders in the order in which they stand in it."""
    statement = select(DebitOrder.id).where(col(DebitOrder.file_id) == file_id)
    if state is not None:
        statement = statement.where(col(DebitOrder.state) == state)
    return list(session.exec(statement.order_by(col(DebitOrder.end_to_end_id))).all())
