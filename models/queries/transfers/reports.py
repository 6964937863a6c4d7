"""Reads of the audit reports of transfer jobs."""

from sqlmodel import Session, col, select

from models.tables.transfer_reports import TransferPaper, TransferReport


def newest_report(session: Session, job: str, *, written: bool = False) -> TransferReport | None:
    """The last report of a job; with `written`, the last that is finished."""
    query = select(TransferReport).where(TransferReport.job == job)
    if written:
        query = query.where(col(TransferReport.written_at).is_not(None))
    return session.exec(query.order_by(col(TransferReport.number).desc()).limit(1)).first()


def reports_of_job(session: Session, job: str) -> list[TransferReport]:
    """Every finished report, the newest first."""
    query = select(TransferReport).where(TransferReport.job == job, col(TransferReport.written_at).is_not(None))
    return list(session.exec(query.order_by(col(TransferReport.number).desc())))


def papers_of(session: Session, report: str) -> list[TransferPaper]:
    """The sealed papers of a report."""
    return list(session.exec(select(TransferPaper).where(TransferPaper.report == report).order_by(TransferPaper.id)))
