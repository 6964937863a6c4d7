"""What a run lacks before it may be closed (结项条件), by codes; from the records, never from a note about them."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from models.queries.batches.sides import open_disputes, open_orders, open_suspense
from models.tables.batch_books import BatchReport
from models.tables.batch_runs import BatchRun


def run_lacks(session: Session, run: BatchRun) -> tuple[str, ...]:
    """Codes of all that stands against closing; the texts are `block.batch-<code>.title`."""
    return tuple(_lacks(session, run))


def newest_report(session: Session, run: str) -> BatchReport | None:
    """The last report of a run."""
    query = select(BatchReport).where(BatchReport.run == run)
    return session.exec(query.order_by(col(BatchReport.made_at).desc(), col(BatchReport.id)).limit(1)).first()


def _lacks(session: Session, run: BatchRun) -> Iterator[str]:
    if open_orders(session, run.token):
        yield "orders-open"
    if open_suspense(session, run.token):
        yield "suspense-open"
    if open_disputes(session, run.token):
        yield "disputes-open"
    if newest_report(session, run.token) is None:
        yield "report-missing"
    reconciled = run.counts.get("reconciled")
    if reconciled is None or reconciled["differs"]:
        yield "not-equal"
