"""The search for transfer jobs: filter, order, keyset page and exact facets, as the inbox has them for tasks."""

from datetime import UTC, datetime

from litestar import Controller, post
from litestar.params import JSONBody

from api.deps import Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.paging import decode_cursor, encode_cursor
from api.transfers.job_bodies import JobFacetsAnswer, JobSearchAnswer, JobSearchBody
from api.transfers.job_controller import PATH
from api.transfers.job_views import job_item
from models.domain.roles import Permission
from models.domain.transfers.job_filter import LANGUAGE
from models.errors import BadRequest, FieldFault
from models.queries.transfers.job_search import JobSort, search_jobs


class TransferSearchController(Controller):
    """Jobs that the caller's institution receives or gives; others do not exist for them."""

    path = PATH
    tags = ("Transfers",)

    @post(
        "/search",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SearchTransferJobs",
    )
    def search(self, data: JSONBody[JobSearchBody], deps: Deps, principal: Caller, locale: Locale) -> JobSearchAnswer:
        """Find jobs, a page at a time, with exact counts by stage, class, state and side."""
        tests, after = LANGUAGE.tests(data.filter, at="/filter"), _position(data.cursor, data.sort)
        with deps.database.read() as session:
            found = search_jobs(
                session,
                tenant=principal.tenant,
                tests=tests,
                sort=data.sort,
                after=after,
                limit=data.limit,
                with_facets=data.facets,
            )
        last, facets = found.items[-1] if found.more else None, found.facets
        return JobSearchAnswer(
            items=[job_item(job, locale=locale) for job in found.items],
            total=found.total,
            facets=None
            if facets is None
            else JobFacetsAnswer(stage=facets.stage, classes=facets.classes, state=facets.state, side=facets.side),
            next_cursor=None
            if last is None
            else encode_cursor(_list(data.sort), data.sort.of(last).isoformat(), last.token),
        )


def _list(sort: JobSort) -> str:
    """A cursor belongs to one order."""
    return f"transfer-jobs/{sort.value}"


def _position(cursor: str | None, sort: JobSort) -> tuple[datetime, str] | None:
    """Behind which job the page begins.

    Raises:
        BadRequest: it is no cursor of this order.
    """
    try:
        values = decode_cursor(cursor, kind=_list(sort), types=(str, str))
        return None if values is None else (datetime.fromisoformat(str(values[0])).astimezone(UTC), str(values[1]))
    except (BadRequest, ValueError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/cursor", code="cursor"),)) from None
