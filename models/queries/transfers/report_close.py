"""What a job lacks before it may be closed (结项条件), by codes; from the records, never from a note about them."""

from collections.abc import Iterator
from typing import Final

from sqlmodel import Session, col, func, select

from models.domain.transfers.report import Verdict
from models.domain.transfers.states import BackupState, MatchVerdict, MoveState, RowOutcome, Side, WaveState
from models.queries.transfers import report_facts as facts
from models.queries.transfers.report_events import RECONCILED, events_of, reconciled_in
from models.queries.transfers.report_notices import notices_of, untold
from models.queries.transfers.reports import newest_report
from models.tables.transfer_notices import TransferFollowUp
from models.tables.transfers import TransferJob, TransferPair, TransferRow

SETTLED: Final = frozenset({WaveState.MOVED.value, WaveState.UNDONE.value})


def close_lacks(session: Session, job: TransferJob) -> tuple[str, ...]:
    """Codes of everything that stands against closing; the texts are `transfer-report.lack.<code>`."""
    return (
        *_report(session, job),
        *_customers(session, job),
        *_rows(session, job.token),
        *_backups(session, job),
        *_waves(session, job.token),
    )


def _report(session: Session, job: TransferJob) -> Iterator[str]:
    report = newest_report(session, job.token, written=True)
    if report is None or report.written_at is None:
        yield "report-missing"
        return
    if report.verdict == Verdict.FAILED:
        yield "report-failed"
    began = [each.begun_at for each in facts.waves_of(session, job.token) if each.begun_at is not None]
    if any(at > report.written_at for at in began):  # something moved after the auditor had looked
        yield "report-stale"


def _customers(session: Session, job: TransferJob) -> Iterator[str]:
    if untold(session, job.token):
        yield "customers-untold"
    if notices_of(session, job).moved_without_consent:
        yield "consent-missing"
    if _count(session, TransferFollowUp, TransferFollowUp.job == job.token, TransferFollowUp.state == "open"):
        yield "follow-ups-open"
    if facts.open_tasks(session, job.token):
        yield "tasks-open"


def _rows(session: Session, job: str) -> Iterator[str]:
    of_job = TransferRow.job == job
    goes = col(TransferRow.outcome).in_((RowOutcome.ACCEPTED, RowOutcome.MERGED))
    sources = facts.sources_of(session, job)
    if not all(hop.holds for hop in facts.hops_of(session, job, sources)):
        yield "not-conserved"
    if _count(session, TransferRow, of_job, col(TransferRow.outcome).is_(None)):
        yield "rows-undecided"
    if _count(session, TransferPair, TransferPair.job == job, TransferPair.verdict == MatchVerdict.REVIEW):
        yield "pairs-open"
    if _count(session, TransferRow, of_job, goes, TransferRow.move == MoveState.CONFLICT):
        yield "conflicts-open"
    still = col(TransferRow.move).in_((MoveState.WAITING, MoveState.UNDONE))
    if _count(session, TransferRow, of_job, goes, still, col(TransferRow.wave).is_not(None)):
        yield "rows-not-moved"


def _backups(session: Session, job: TransferJob) -> Iterator[str]:
    newest = {each.side: each for each in facts.backups_of(session, job.token)}
    wanted = {Side.TARGET.value} | ({Side.SOURCE.value} if job.source_tenant is not None else set())
    if wanted - newest.keys():
        yield "backup-missing"
    if any(newest[side].state != BackupState.PROVEN for side in wanted & newest.keys()):
        yield "backup-not-proven"


def _waves(session: Session, job: str) -> Iterator[str]:
    if any(each.state not in SETTLED for each in facts.waves_of(session, job)):
        yield "waves-open"
    reconciled = reconciled_in(events_of(session, job, actions=RECONCILED))
    if reconciled is None or reconciled.differs is not None:
        yield "not-reconciled"


def _count(session: Session, table: type[TransferRow | TransferPair | TransferFollowUp], *where: object) -> int:
    return session.exec(select(func.count()).select_from(table).where(*where)).one()  # type: ignore[arg-type]
