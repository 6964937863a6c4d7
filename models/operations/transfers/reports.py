"""Writes of the audit report of a transfer job: the seed first, the report and its papers after."""

from datetime import datetime

from sqlmodel import Session

from models.domain.transfers.report_ids import report_id
from models.errors import WrongState
from models.tables.transfer_reports import TransferPaper, TransferReport


def begin_report(session: Session, *, tenant: str, job: str, number: int, seed: str, now: datetime) -> bool:
    """Record the seed of a new report; False if somebody was first, whose seed then stands."""
    if session.get(TransferReport, report_id(job, number)) is not None:
        return False
    session.add(
        TransferReport(id=report_id(job, number), tenant=tenant, job=job, number=number, seed=seed, seeded_at=now)
    )
    return True


def finish_report(
    session: Session,
    report: TransferReport,
    *,
    body: str,
    digest: str,
    fingerprint: str,
    verdict: str,
    papers: list[TransferPaper],
    now: datetime,
) -> bool:
    """Write the body and the papers, once; False if they stand already.

    Raises:
        WrongState: the report was never begun.
    """
    standing = session.get(TransferReport, report.id, with_for_update=True)
    if standing is None:
        raise WrongState(detail=report.id, params={"state": "not-begun"})
    if standing.written_at is not None:
        return False
    standing.body, standing.digest, standing.fingerprint = body, digest, fingerprint
    standing.verdict, standing.written_at = verdict, now
    session.add(standing)
    session.add_all(papers)
    return True
