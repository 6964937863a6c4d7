"""Reports of runs (批量报告): HTML, sealed PDF or JSON. What is handed out is what was written; reading is an event."""

from typing import Annotated, Final, Literal

from litestar import Controller, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter

from api.batches.lookup import known_run
from api.deps import Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.roles import Permission
from models.errors import NotFound
from models.queries.batches.closing import newest_report
from models.queries.batches.run_list import paper_of

_MEDIA: Final = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
_FILE: Final = {
    200: ResponseSpec(
        data_container=bytes, description="The file", media_type="application/octet-stream", generate_examples=False
    )
}
Form = Annotated[Literal["html", "pdf", "json"], QueryParameter(name="format")]
Language = Annotated[Literal["zh-CN", "en"] | None, QueryParameter(name="language")]


class BatchReportController(Controller):
    """The report of one run."""

    path = "/v1/batches/{run:str}"
    tags = ("Batches",)

    @get(
        "/report",
        guards=[requires(Permission.BATCHES_READ)],
        sync_to_thread=True,
        operation_id="GetBatchReport",
        responses=_FILE,
    )
    def get_report(
        self,
        *,
        run: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        form: Form = "json",
        language: Language = None,
    ) -> Response[bytes]:
        """The newest report of the run, with reconciliation, results by reason and the difference to the dry run."""
        chosen = language or locale
        with deps.database.read() as session:
            report = newest_report(session, known_run(session, principal, run).token)
            paper = paper_of(session, report.id, locale=chosen, form=form) if report is not None else None
        if paper is None:
            raise NotFound
        address = CellAddress(paper.tenant, "batch_papers", "content_cell", paper.id, paper.report)
        content = deps.vault.open(address, paper.content_cell)
        deed = Deed(
            tenant=principal.tenant,
            action="batch.report-read",
            target=run,
            actor=principal.staff_id,
            at=deps.clock(),
            facts={"report": paper.report, "form": form, "language": chosen},
        )
        with unit_of_work(deps.database, deed):
            pass  # the event is all there is to write
        headers = {"Content-Disposition": f'attachment; filename="batch-report.{chosen}.{form}"'}
        return Response(content, media_type=_MEDIA[form], headers=headers)
