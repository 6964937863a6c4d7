"""The file of a run (批量文件): streamed into a sealed file, never in clear on our disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, JSONBody, QueryParameter

from api.batches import run_acts
from api.batches.bodies import (
    CorrectableRowAnswer,
    CorrectedFieldAnswer,
    CorrectionShownAnswer,
    ImportAnswer,
    RowCorrectionAnswer,
    RowCorrectionBody,
    RowCorrectionDecisionBody,
    RowPage,
)
from api.batches.controller import PATH
from api.batches.correcting import correct_row, decide_correction, row_of, show_correction, waiting_correction
from api.batches.lookup import known_run
from api.batches.views import import_answer, row_answer
from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, etag
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.uploads import FILE_FIELD, Wanted, receive
from compliance.vault.shelf import Shelf
from models.domain.batches.states import RowState
from models.domain.ids import batch_workflow_id
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.queries.batches.run_list import import_of, list_rows
from models.tables.batch_imports import BatchImport

RowFilter = Annotated[RowState | None, QueryParameter(name="state")]
_ROW: Final = "/rows/{number:int}"
_FORM_BYTES: Final = 64 * 1024  # of the form beside the file
_ANY: Final = Wanted(most_bytes=run_acts.MOST_FILE_BYTES, media_type=lambda _head: "application/octet-stream")


@dataclass
class BatchUpload(Operation):
    """A form with layout, control totals and one file; the body is streamed, so no parameter describes it."""

    def __post_init__(self) -> None:
        """Describe the form."""
        text, whole = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.STRING, pattern=r"\A[0-9]{1,15}\Z")
        form = Schema(
            type=OpenAPIType.OBJECT,
            required=["layout", FILE_FIELD],
            properties={
                "layout": text,
                "layoutVersion": text,
                "controlCount": whole,
                "controlMinor": whole,
                FILE_FIELD: Schema(
                    type=OpenAPIType.STRING,
                    content_media_type="application/octet-stream",
                    description="at most 256 MiB; its form is that of its layout",
                ),
            },
        )
        self.request_body = RequestBody(content={"multipart/form-data": OpenAPIMediaType(schema=form)}, required=True)


class BatchFileController(Controller):
    """What a run's rows are read from."""

    path = f"{PATH}/{{run:str}}"
    tags = ("Batches",)

    @get("/rows", guards=[requires(Permission.BATCHES_READ)], sync_to_thread=True, operation_id="ListBatchRows")
    def rows(
        self,
        *,
        run: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        row_state: RowFilter = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> RowPage:
        """Rows of the run's file with what is wrong with each; `state=held` is its quarantine (隔离)."""
        values = decode_cursor(after, kind="batch-rows", types=(int,))
        with deps.database.read() as session:
            taken = import_of(session, known_run(session, principal, run).token)
            if taken is None:
                return RowPage(items=[], end_cursor=None)
            found = list_rows(
                session,
                taken.id,
                state=row_state.value if row_state is not None else None,
                after=int(values[0] or 0) if values is not None else 0,
                limit=limit + 1,
            )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return RowPage(
            items=[row_answer(each, locale=locale) for each in page],
            end_cursor=encode_cursor("batch-rows", last.number) if last else None,
        )

    @get(_ROW, guards=[requires(Permission.BATCHES_READ)], sync_to_thread=True, operation_id="GetBatchRow")
    def row(
        self, run: FromPath[str], number: FromPath[int], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[CorrectableRowAnswer]:
        """One row with its faults, and the correction that waits."""
        return _row(deps, principal, run, number, locale)

    @post(
        f"{_ROW}/correction",
        guards=[requires(Permission.BATCHES_RUN)],
        sync_to_thread=True,
        status_code=200,
        operation_id="CorrectBatchRow",
    )
    def correct(
        self,
        *,
        run: FromPath[str],
        number: FromPath[int],
        data: JSONBody[RowCorrectionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[CorrectableRowAnswer]:
        """Propose what a quarantined row should say (更正). A second person confirms before it counts."""
        correct_row(deps, principal, run, number, data.values, read_version=if_match)
        return _row(deps, principal, run, number, locale)

    @post(
        f"{_ROW}/correction/reveals",
        guards=[requires(Permission.BATCHES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RevealBatchRowCorrection",
    )
    def show(self, run: FromPath[str], number: FromPath[int], deps: Deps, principal: Caller) -> CorrectionShownAnswer:
        """Show in clear what a correction would change, to who confirms it. Who looked is recorded before."""
        correction, changed, event = show_correction(deps, principal, run, number)
        fields = [CorrectedFieldAnswer(field=name, before=before, after=after) for name, before, after in changed]
        return CorrectionShownAnswer(shown_hash=correction.shown_hash, fields=fields, event_id=event)

    @post(
        f"{_ROW}/correction/confirmation",
        guards=[requires(Permission.BATCHES_CONFIRM)],
        status_code=200,
        operation_id="ConfirmBatchRowCorrection",
    )
    async def confirm(
        self,
        *,
        run: FromPath[str],
        number: FromPath[int],
        data: JSONBody[RowCorrectionDecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[CorrectableRowAnswer]:
        """Confirm a correction as the second person; the run judges the row anew. Needs a fresh log-in."""
        await in_thread(decide_correction, deps, principal, run, number, shown=data.shown_hash, confirm=True)
        await deps.dispatcher.nudge(batch_workflow_id(run))
        return await in_thread(_row, deps, principal, run, number, locale)

    @post(
        f"{_ROW}/correction/refusal",
        guards=[requires(Permission.BATCHES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RefuseBatchRowCorrection",
    )
    def refuse(
        self,
        *,
        run: FromPath[str],
        number: FromPath[int],
        data: JSONBody[RowCorrectionDecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[CorrectableRowAnswer]:
        """Refuse a correction as the second person: the row stays in quarantine as it is."""
        decide_correction(deps, principal, run, number, shown=data.shown_hash, confirm=False)
        return _row(deps, principal, run, number, locale)

    @post(
        "/file",
        guards=[requires(Permission.BATCHES_RUN)],
        opt={"multipart": True, "most_bytes": run_acts.MOST_FILE_BYTES + _FORM_BYTES},
        request_max_body_size=run_acts.MOST_FILE_BYTES + _FORM_BYTES,
        operation_class=BatchUpload,
        operation_id="AddBatchFile",
    )
    async def add(
        self,
        run: FromPath[str],
        request: Request[Any, Any, Any],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[ImportAnswer]:
        """Give a run its file, with the layout it is read by and what its sender says of it (控制总数).

        It is sealed as it comes in, under the run's own key; the run goes on with it. The same bytes are taken once.
        """
        slot = key_slot(principal, route=f"batches.add-file/{run}", key=idempotency_key)
        found = await in_thread(run_acts.file_wanted, deps, principal, run, slot=slot)
        import_id, kept = new_token("bim"), False
        address = run_acts.address_of(found, import_id)

        def seal(pieces: Iterator[bytes]) -> Any:
            return run_acts.seal_pieces(deps, address, pieces)

        try:
            upload = await receive(request, seal=seal, wanted=_ANY)
            said = {"fields": upload.fields, "content": upload.content_digest}
            digest = await in_thread(fingerprint, deps, slot, said)

            def act() -> str:
                nonlocal kept
                run_acts.keep_file(deps, principal, found, import_id, upload, slot=slot, digest=digest)
                kept = True
                return import_id

            answer = await once(deps, slot, fingerprint=digest, act=act, rebuild=lambda known: _kept(deps, known))
        finally:
            if not kept:  # refused, repeated or failed: a sealed file without a row is of no use to anybody
                shelf = Shelf(vault=deps.vault, root=deps.files_root)
                await in_thread(shelf.path(address).unlink, missing_ok=True)
        await deps.dispatcher.nudge(batch_workflow_id(run))
        return answer


def _row(deps: ApiDeps, principal: Principal, run: str, number: int, locale: str) -> Response[CorrectableRowAnswer]:
    with deps.database.read() as session:
        row = row_of(session, principal, run, number)
        waits = waiting_correction(session, row)
    answer = CorrectableRowAnswer(
        row=row_answer(row, locale=locale),
        correction=None
        if waits is None
        else RowCorrectionAnswer(
            id=waits.id,
            fields=waits.fields,
            shown_hash=waits.shown_hash,
            made_by=waits.made_by,
            created_at=waits.created_at,
        ),
    )
    return Response(answer, headers={"ETag": etag(row.version)})


def _kept(deps: ApiDeps, import_id: str) -> Stored:
    with deps.database.read() as session:
        answer = import_answer(session.get_one(BatchImport, import_id))
    return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"))
