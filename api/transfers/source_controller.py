"""Routes of a transfer job's sources: registered, previewed, suggested a mapping for; and figures of what came in."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.deps import Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.transfers.lookup import read_job
from api.transfers.row_bodies import (
    PreviewAnswer,
    PreviewBody,
    QualityAnswer,
    SourceAnswer,
    SourcePlace,
    SourcesAnswer,
    SuggestionsAnswer,
)
from api.transfers.row_views import source_answer
from api.transfers.sourcing import preview, register, suggestions
from models.domain.roles import Permission
from models.queries.transfers.conservation import conservation_of
from models.queries.transfers.sources import quality_of, sources_of
from models.tables.transfers import TransferSource


class TransferSourceController(Controller):
    """Where the rows of a job come from."""

    path = "/v1/transfers/{job:str}"
    tags = ("Transfers",)

    @post("/sources", guards=[requires(Permission.TRANSFERS_COLLECT)], operation_id="RegisterTransferSource")
    async def register(
        self,
        job: FromPath[str],
        data: JSONBody[SourcePlace],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[SourceAnswer]:
        """Put a source on record. It is opened first: what does not fit is said at once."""
        slot = key_slot(principal, route=f"transfers.sources/{job}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(source_id: str) -> Stored:
            with deps.database.read() as session:
                source = session.get_one(TransferSource, source_id)
            return Stored(status=HTTPStatus.CREATED, body=source_answer(source).model_dump(mode="json"))

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: register(deps, principal, job, data, slot=slot, fingerprint=digest),
            rebuild=rebuild,
        )

    @get(
        "/sources",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="ListTransferSources",
    )
    def list_sources(self, job: FromPath[str], deps: Deps, principal: Caller) -> SourcesAnswer:
        """All sources, and whether read = accepted + rejected + merged + held."""
        found = read_job(deps, principal, job, own=True)
        with deps.database.read() as session:
            sources, counted = sources_of(session, found.token), conservation_of(session, found.token)
        return SourcesAnswer(
            items=[source_answer(each) for each in sources],
            conservation=counted.as_counts(),
            holds=counted.holds,
        )

    @post(
        "/mapping-suggestions",
        guards=[requires(Permission.TRANSFERS_COLLECT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SuggestTransferMapping",
    )
    def suggest(
        self, job: FromPath[str], data: JSONBody[SourcePlace], deps: Deps, principal: Caller
    ) -> SuggestionsAnswer:
        """A draft of a mapping, from the columns' names and from what their values look like."""
        return suggestions(deps, principal, job, data)

    @post(
        "/preview",
        guards=[requires(Permission.TRANSFERS_COLLECT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="PreviewTransferSource",
    )
    def preview(
        self, job: FromPath[str], data: JSONBody[PreviewBody], deps: Deps, principal: Caller, locale: Locale
    ) -> PreviewAnswer:
        """The first rows as they would come in, masked, and how often each rule is broken. Nothing is kept."""
        return preview(deps, principal, job, data, locale=locale)

    @get(
        "/quality",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferQuality",
    )
    def quality(self, job: FromPath[str], deps: Deps, principal: Caller) -> QualityAnswer:
        """The data-quality report before corrections, and after them."""
        found = read_job(deps, principal, job, own=True)
        with deps.database.read() as session:
            reports = quality_of(session, found.token)
        before, after = reports.get("before"), reports.get("after")
        return QualityAnswer(
            before=None if before is None else before.figures, after=None if after is None else after.figures
        )
