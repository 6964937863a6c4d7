"""Files of a run that go out: which there are, what stands in each, and which of it must not leave any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from models.domain.batches.states import OrderState
from models.queries.batches.own_orders import not_of_daily_run
from models.tables.agreements import Mandate
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile


@dataclass(frozen=True, slots=True)
class FileContents:
    """What tells one state of a file's orders from another: none joins or leaves it without a change here."""

    count: int
    sum_minor: int
    wanted_on: date | None
    changed_at: datetime | None


def files_of(session: Session, run: BatchRun) -> list[BankFile]:
    """The files that a run has reserved, oldest first: their ids are named by the run."""
    named = f"B{run.token.rpartition('.')[2]}-"
    return list(
        session.exec(
            select(BankFile)
            .where(
                col(BankFile.tenant) == run.tenant,
                col(BankFile.direction) == "out",
                col(BankFile.message_id).startswith(named, autoescape=True),
            )
            .order_by(col(BankFile.message_id))
        )
    )


def contents_of(session: Session, file_id: str) -> FileContents:
    """What stands in a file now."""
    count, total, wanted, changed = session.exec(
        select(
            func.count(),
            func.sum(BatchOrder.amount_minor),
            func.max(BatchOrder.requested_on),
            func.max(BatchOrder.updated_at),
        ).where(col(BatchOrder.file_id) == file_id)
    ).one()
    return FileContents(count, int(total or 0), wanted, changed)


def stopped_in(session: Session, file_id: str) -> list[str]:
    """Orders of a file under a mandate that was stopped since (a dispute stops it, too)."""
    return list(
        session.exec(
            select(BatchOrder.id)
            .join(Mandate, col(Mandate.id) == col(BatchOrder.mandate_id))
            .where(
                col(BatchOrder.file_id) == file_id,
                col(BatchOrder.state) == OrderState.IN_FILE,
                col(Mandate.revoked_at).is_not(None),
            )
            .order_by(col(BatchOrder.id))
        )
    )


def queued_orders(session: Session, run: str, *, limit: int) -> list[BatchOrder]:
    """The next orders of a run that wait for a file, in that order; without their policy, as `in_order`."""
    return list(
        session.exec(
            select(BatchOrder)
            .where(col(BatchOrder.run) == run, col(BatchOrder.state) == OrderState.QUEUED, not_of_daily_run())
            .order_by(col(BatchOrder.member), col(BatchOrder.attempt))
            .limit(limit)
            .options(defer(BatchOrder.policy))  # type: ignore[arg-type]
            .with_hint(BatchOrder, "INDEXED BY ix_batch_orders_state", "sqlite")  # else past all that were put before
        )
    )


def orders_in(session: Session, file_id: str) -> list[str]:
    """Ids of the orders of a file, in the order in which they stand in it."""
    return list(
        session.exec(
            select(BatchOrder.id)
            .where(col(BatchOrder.file_id) == file_id)
            .order_by(col(BatchOrder.member), col(BatchOrder.attempt))
        )
    )


def in_order(session: Session, ids: Sequence[str]) -> list[BatchOrder]:
    """These orders, in that order; without their policy, which is longer than all the rest and leaves nowhere."""
    return list(
        session.exec(
            select(BatchOrder)
            .where(col(BatchOrder.id).in_(ids))
            .order_by(col(BatchOrder.member), col(BatchOrder.attempt))
            .options(defer(BatchOrder.policy))  # type: ignore[arg-type]
        )
    )
