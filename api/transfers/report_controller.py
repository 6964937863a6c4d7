"""Audit reports of transfer jobs (内部审计报告): for both companies and internal audit; the transparency page for all.

Reading a report is itself an event. What is handed out is what was written: papers are never made anew for a reader.
"""

import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Final, Literal

from litestar import Controller, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream
from sqlmodel import Session

from api.deps import ApiDeps, Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.streams import streamed
from api.transfers.lookup import known_job
from api.transfers.report_bodies import ReportAnswer, ReportList
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.transfers.report_bundle import open_paper, write_bundle
from models.domain.ids import CASE_TOKEN
from models.domain.roles import Permission
from models.domain.transfers.report_ids import report_id
from models.errors import NotFound
from models.queries.transfers.reports import newest_report, papers_of, reports_of_job
from models.tables.transfer_reports import TransferReport
from models.tables.transfers import TransferJob

_MAY_READ: Final = [requires(Permission.AUDIT_READ)]
_MEDIA: Final = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
_FILE: Final = {
    200: ResponseSpec(
        data_container=bytes, description="The file", media_type="application/octet-stream", generate_examples=False
    )
}
_PIECE: Final = 64 * 1024
Form = Annotated[Literal["html", "pdf", "json"], QueryParameter(name="format")]
Language = Annotated[Literal["zh-CN", "en"] | None, QueryParameter(name="language")]
Number = Annotated[int | None, QueryParameter(name="number", ge=1)]


class TransferReportController(Controller):
    """Reports of one job, for auditors of either company."""

    path = "/v1/transfers/{job:str}"
    tags = ("Transfers",)

    @get("/reports", guards=_MAY_READ, sync_to_thread=True, operation_id="ListTransferReports")
    def list_reports(self, job: FromPath[str], deps: Deps, principal: Caller) -> ReportList:
        """Every report of the job, the newest first."""
        with deps.database.read() as session:
            known_job(session, principal, job)
            return ReportList(items=[ReportAnswer.of(row) for row in reports_of_job(session, job)])

    @get("/report", guards=_MAY_READ, sync_to_thread=True, operation_id="GetTransferReport", responses=_FILE)
    def get_report(
        self,
        *,
        job: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        form: Form = "json",
        language: Language = None,
        number: Number = None,
    ) -> Response[bytes]:
        """The internal audit report as HTML, as sealed PDF, or as JSON; the newest, if no number is given."""
        with deps.database.read() as session:
            known_job(session, principal, job)
            report = _report(session, job, number)
        chosen = language or locale
        content = (report.body or "").encode() if form == "json" else _paper(deps, report, "report", chosen, form)
        _note(deps, principal, job, "transfer.report-read", report, form=form, language=chosen)
        name = (
            f"audit-report-{report.number}.{chosen}.{form}" if form != "json" else f"audit-report-{report.number}.json"
        )
        return _file(content, form, name)

    @get(
        "/transparency-report",
        guards=_MAY_READ,
        sync_to_thread=True,
        operation_id="GetTransparencyReport",
        responses=_FILE,
    )
    def get_transparency(
        self,
        *,
        job: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        form: Annotated[Literal["html", "pdf"], QueryParameter(name="format")] = "html",
        language: Language = None,
    ) -> Response[bytes]:
        """The transparency page, to be looked at before it is published."""
        with deps.database.read() as session:
            known_job(session, principal, job)
            report = _report(session, job, None)
        chosen = language or locale
        return _file(_paper(deps, report, "transparency", chosen, form), form, f"transparency.{chosen}.{form}")

    @get("/report-bundle", guards=_MAY_READ, sync_to_thread=True, operation_id="GetReportBundle", responses=_FILE)
    def get_bundle(self, job: FromPath[str], deps: Deps, principal: Caller, number: Number = None) -> Stream:
        """Everything by which somebody outside checks the report without this product, as one archive."""
        with deps.database.read() as session:
            known_job(session, principal, job)
            report = _report(session, job, number)
        file = tempfile.TemporaryFile(prefix="casework-bundle-")  # noqa: SIM115 - closed when it was sent
        try:
            bundled = write_bundle(deps.database, deps.vault, report.id, to=file, now=deps.clock())
            _note(deps, principal, job, "transfer.report-exported", report, digest=bundled.digest)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="audit-report-{report.number}.zip"'}
        return streamed(_pieces(file), close=file.close, media_type="application/zip", headers=headers)


@get(
    "/v1/transparency-reports/{job:str}",
    opt={"public": True},
    sync_to_thread=True,
    operation_id="ReadTransparencyReport",
    tags=["Transfers"],
    responses=_FILE,
)
def published_transparency(
    job: FromPath[str], deps: Deps, locale: Locale, language: Language = None
) -> Response[bytes]:
    """The transparency page of a job that has ended, for everybody; nothing of a person stands in it."""
    with deps.database.read() as session:
        found = session.get(TransferJob, job) if CASE_TOKEN.match(job) is not None else None
        if found is None or found.ended_at is None:
            raise NotFound
        report = _report(session, job, None)
    chosen = language or locale
    return _file(
        _paper(deps, report, "transparency", chosen, "html"), "html", f"transparency.{chosen}.html", shown=True
    )


def _report(session: Session, job: str, number: int | None) -> TransferReport:
    if number is None:
        found = newest_report(session, job, written=True)
    else:
        found = session.get(TransferReport, report_id(job, number))
    if found is None or found.written_at is None:
        raise NotFound
    return found


def _paper(deps: ApiDeps, report: TransferReport, kind: str, locale: str, form: str) -> bytes:
    with deps.database.read() as session:
        papers = papers_of(session, report.id)
    for paper in papers:
        if (paper.kind, paper.locale, paper.form) == (kind, locale, form):
            return open_paper(deps.vault, paper)
    raise NotFound


def _note(deps: ApiDeps, principal: Principal, job: str, action: str, report: TransferReport, **facts: str) -> None:
    deed = Deed(
        tenant=report.tenant,
        action=action,
        target=job,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={"report": report.number, **facts},
    )
    with unit_of_work(deps.database, deed):
        pass  # the event is all there is to write


def _file(content: bytes, form: str, name: str, *, shown: bool = False) -> Response[bytes]:
    place = "inline" if shown else "attachment"
    headers = {"Content-Disposition": f'{place}; filename="{name}"'}
    return Response(content, media_type=_MEDIA[form], headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
