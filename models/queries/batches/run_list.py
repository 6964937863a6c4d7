"""Reads of the surface (批量业务列表): a tenant's run, its runs in a list, its orders a page at a time."""

from datetime import datetime

from sqlmodel import Session, col, select, tuple_

from models.domain.batches.kinds import MemberSource
from models.domain.batches.states import RunStage
from models.tables.batch_books import BatchPaper
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRun

Position = tuple[datetime, str]


def run_for(session: Session, token: str, *, tenant: str) -> BatchRun | None:
    """The run, if it is the tenant's."""
    return session.exec(select(BatchRun).where(col(BatchRun.token) == token, col(BatchRun.tenant) == tenant)).first()


def import_of(session: Session, run: str) -> BatchImport | None:
    """The file of a run, once it has come."""
    return session.exec(select(BatchImport).where(col(BatchImport.run) == run)).one_or_none()


def lacks_file(session: Session, run: BatchRun) -> bool:
    """Whether a run still waits for its file."""
    return run.source == MemberSource.FILE and run.stage != RunStage.ENDED and import_of(session, run.token) is None


def list_runs(
    session: Session,
    *,
    tenant: str,
    kind: str | None,
    stage: str | None,
    only_open: bool,
    after: Position | None,
    limit: int,
) -> list[BatchRun]:
    """Runs of the tenant, newest first."""
    query = select(BatchRun).where(col(BatchRun.tenant) == tenant)
    if kind is not None:
        query = query.where(col(BatchRun.kind) == kind)
    if stage is not None:
        query = query.where(col(BatchRun.stage) == stage)
    if only_open:
        query = query.where(col(BatchRun.stage) != RunStage.ENDED.value)
    if after is not None:
        query = query.where(tuple_(col(BatchRun.created_at), col(BatchRun.token)) < tuple_(*after))
    ordered = query.order_by(col(BatchRun.created_at).desc(), col(BatchRun.token).desc())
    return list(session.exec(ordered.limit(limit)).all())


def list_orders(
    session: Session, run: str, *, state: str | None, after: tuple[int, int], limit: int
) -> list[BatchOrder]:
    """Orders of a run by member and attempt, behind a place; `state` narrows them down."""
    query = select(BatchOrder).where(
        col(BatchOrder.run) == run, tuple_(col(BatchOrder.member), col(BatchOrder.attempt)) > tuple_(*after)
    )
    if state is not None:
        query = query.where(col(BatchOrder.state) == state)
    return list(session.exec(query.order_by(col(BatchOrder.member), col(BatchOrder.attempt)).limit(limit)).all())


def paper_of(session: Session, report: str, *, locale: str, form: str) -> BatchPaper | None:
    """One paper of a report."""
    query = select(BatchPaper).where(
        col(BatchPaper.report) == report, col(BatchPaper.locale) == locale, col(BatchPaper.form) == form
    )
    return session.exec(query).first()


def list_rows(session: Session, import_id: str, *, state: str | None, after: int, limit: int) -> list[BatchRow]:
    """Rows of a file by number, behind one; `state` narrows them down."""
    query = select(BatchRow).where(col(BatchRow.import_id) == import_id, col(BatchRow.number) > after)
    if state is not None:
        query = query.where(col(BatchRow.state) == state)
    return list(session.exec(query.order_by(col(BatchRow.number)).limit(limit)))
