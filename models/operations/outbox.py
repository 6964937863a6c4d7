"""What still has to reach Temporal. A row is closed by the workflow's own first write about it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, literal
from sqlmodel import Session, col, func, select, update

from models.domain.batches.states import RunStage
from models.domain.ids import start_key
from models.domain.states import CaseStage, DecisionState, FollowUpState, OutboxKind, TicketState
from models.domain.suite_changes import OPEN_CHANGES
from models.domain.tokens import uuid7
from models.domain.transfers.states import JobStage
from models.tables.aftercare import FollowUp
from models.tables.batch_runs import BatchRun
from models.tables.daily import Ticket
from models.tables.installments import InstallmentCase
from models.tables.platform import OutboxEntry
from models.tables.suite_changes import SuiteChange
from models.tables.tasks import Decision
from models.tables.transfers import TransferJob

# The caller sends by itself right after its commit; the relay steps in when nothing has come of that.
RELAY_AFTER: Final = timedelta(seconds=3)
_LONGEST_PAUSE: Final = timedelta(seconds=30)


def enqueue(
    session: Session,
    *,
    tenant: str,
    kind: OutboxKind,
    business_key: str,
    workflow_id: str,
    traceparent: str | None,
    now: datetime,
    relay_after: timedelta = RELAY_AFTER,
) -> None:
    """Add a row in the transaction of the effect that it carries on; nothing to wait for where nobody else sends it."""
    session.add(
        OutboxEntry(
            id=uuid7(now),
            tenant=tenant,
            kind=kind,
            business_key=business_key,
            workflow_id=workflow_id,
            traceparent=traceparent,
            next_try_at=now + relay_after,
            created_at=now,
        )
    )


def close(session: Session, *, kind: OutboxKind, business_key: str, now: datetime) -> None:
    """It has arrived."""
    session.exec(
        update(OutboxEntry)
        .where(
            col(OutboxEntry.kind) == kind,
            col(OutboxEntry.business_key) == business_key,
            col(OutboxEntry.done_at).is_(None),
        )
        .values(done_at=now)
        .execution_options(synchronize_session=False)
    )


def due(
    session: Session, *, now: datetime, limit: int, kinds: Collection[OutboxKind] = tuple(OutboxKind)
) -> list[OutboxEntry]:
    """Open rows of these kinds whose next try has come, oldest first."""
    return list(
        session.exec(
            select(OutboxEntry)
            .where(
                col(OutboxEntry.done_at).is_(None),
                col(OutboxEntry.next_try_at) <= now,
                col(OutboxEntry.kind).in_(kinds),
            )
            .order_by(col(OutboxEntry.next_try_at), col(OutboxEntry.id))
            .limit(limit)
        ).all()
    )


def open_news(session: Session, *, workflow_ids: Collection[str]) -> list[OutboxEntry]:
    """All news that these cases have not heard yet, in the order in which it became true."""
    return list(
        session.exec(
            select(OutboxEntry)
            .where(
                col(OutboxEntry.done_at).is_(None),
                col(OutboxEntry.kind) == OutboxKind.NEWS,
                col(OutboxEntry.workflow_id).in_(workflow_ids),
            )
            .order_by(col(OutboxEntry.id))
        ).all()
    )


def close_all(session: Session, *, entry_ids: Collection[str], now: datetime) -> None:
    """These have arrived."""
    session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.id).in_(entry_ids), col(OutboxEntry.done_at).is_(None))
        .values(done_at=now)
        .execution_options(synchronize_session=False)
    )


def tried(session: Session, *, entry_id: str, attempts: int, now: datetime) -> None:
    """Note a try that has not closed the row; the pause doubles up to half a minute."""
    pause = min(timedelta(seconds=2 ** min(attempts, 5)), _LONGEST_PAUSE)
    session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.id) == entry_id, col(OutboxEntry.done_at).is_(None))
        .values(attempts=attempts + 1, next_try_at=now + pause)
    )


def oldest_open(session: Session) -> datetime | None:
    """When the oldest open row was made; for readiness and metrics."""
    return session.exec(select(func.min(OutboxEntry.created_at)).where(col(OutboxEntry.done_at).is_(None))).one()


def requeue_open(session: Session, *, now: datetime) -> int:
    """After a restore: send every start, decision and piece of news of an open case again, under its old id.

    A workflow that knows it answers "already started" or gives the update's stored result; nothing happens twice.

    Returns:
        How many rows were opened again.
    """
    open_cases = select(InstallmentCase.token).where(col(InstallmentCase.stage) != CaseStage.ENDED)
    pending = select(Decision.id).where(
        col(Decision.state) != DecisionState.REFUSED,
        col(Decision.case_token).in_(open_cases),
        col(Decision.workflow_id).startswith("installments/"),
    )
    starts = session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.kind) == OutboxKind.START, col(OutboxEntry.business_key).in_(open_cases))
        .values(done_at=None, attempts=0, next_try_at=now)
    )
    # One after the other in the order in which they were made; a decision is never sent before its case's start.
    decisions = session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.kind) == OutboxKind.DECISION, col(OutboxEntry.business_key).in_(pending))
        .values(done_at=None, attempts=0, next_try_at=now + RELAY_AFTER)
    )
    # News last: a case takes them in only once it is in service, each key once.
    of_open = select(literal("installments/").concat(col(InstallmentCase.token))).where(
        col(InstallmentCase.stage) != CaseStage.ENDED
    )
    news = session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.kind) == OutboxKind.NEWS, col(OutboxEntry.workflow_id).in_(of_open))
        .values(done_at=None, attempts=0, next_try_at=now + 2 * RELAY_AFTER)
    )
    requeued = int(starts.rowcount) + int(decisions.rowcount) + int(news.rowcount)
    return (
        requeued
        + _requeue_care(session, now=now)
        + _requeue_changes(session, now=now)
        + _requeue_transfers(session, now=now)
        + _requeue_batches(session, now=now)
    )


def open_start_again(session: Session, workflow_id: str, *, now: datetime) -> bool:
    """Have the relay send a start again that counted as arrived.

    Returns:
        False if it is under way.
    """
    opened = session.exec(
        update(OutboxEntry)
        .where(
            col(OutboxEntry.kind) == OutboxKind.START,
            col(OutboxEntry.business_key) == start_key(workflow_id),
            col(OutboxEntry.done_at).is_not(None),
        )
        .values(done_at=None, attempts=0, next_try_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(opened.rowcount)


def _requeue_transfers(session: Session, *, now: datetime) -> int:
    """Starts of transfer jobs that have not ended, and the decisions about them."""
    ids = select(literal("transfers/").concat(col(TransferJob.token))).where(
        col(TransferJob.stage) != JobStage.ENDED.value
    )
    return _requeue_work(session, ids, now=now)


def _requeue_batches(session: Session, *, now: datetime) -> int:
    """The same of runs of batches."""
    ids = select(literal("batches/").concat(col(BatchRun.token))).where(col(BatchRun.stage) != RunStage.ENDED.value)
    return _requeue_work(session, ids, now=now)


def _requeue_work(session: Session, ids: Any, *, now: datetime) -> int:
    requeued = 0
    for kind, at in ((OutboxKind.START, now), (OutboxKind.DECISION, now + RELAY_AFTER)):
        opened = session.exec(
            update(OutboxEntry)
            .where(col(OutboxEntry.kind) == kind, col(OutboxEntry.workflow_id).in_(ids), _not_refused())
            .values(done_at=None, attempts=0, next_try_at=at)
        )
        requeued += int(opened.rowcount)
    return requeued


def _not_refused() -> ColumnElement[bool]:
    """What a workflow has refused is not sent again."""
    refused = select(Decision.id).where(col(Decision.state) == DecisionState.REFUSED)
    return col(OutboxEntry.business_key).not_in(refused)


def _requeue_changes(session: Session, *, now: datetime) -> int:
    """Starts of changes of suite that are under way."""
    ids = select(
        literal("parties/").concat(col(SuiteChange.tenant)).concat("/reseal/").concat(col(SuiteChange.id))
    ).where(col(SuiteChange.state).in_(OPEN_CHANGES))
    opened = session.exec(
        update(OutboxEntry)
        .where(col(OutboxEntry.kind) == OutboxKind.START, col(OutboxEntry.workflow_id).in_(ids))
        .values(done_at=None, attempts=0, next_try_at=now)
    )
    return int(opened.rowcount)


def _requeue_care(session: Session, *, now: datetime) -> int:
    """Starts of follow-ups and tickets that somebody still has to answer, and their decisions under way."""
    areas = (("aftercare", FollowUp, FollowUpState.OPEN), ("tickets", Ticket, TicketState.OPEN))
    requeued = 0
    for area, table, state in areas:
        ids = select(literal(f"{area}/").concat(col(table.case_token)).concat("/").concat(col(table.id))).where(
            col(table.state) == state
        )
        for kind, at in ((OutboxKind.START, now), (OutboxKind.DECISION, now + RELAY_AFTER)):
            opened = session.exec(
                update(OutboxEntry)
                .where(col(OutboxEntry.kind) == kind, col(OutboxEntry.workflow_id).in_(ids))
                .values(done_at=None, attempts=0, next_try_at=at)
            )
            requeued += int(opened.rowcount)
    return requeued
