"""Routes of a transfer job's rows: quarantine, corrections under four-eyes, entry from phone and mail."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlmodel import col, select

from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, etag
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.transfers.correcting import correct_row, decide_correction, discard, enter_row
from api.transfers.lookup import job_to_open
from api.transfers.readings import note_rows_shown
from api.transfers.row_bodies import (
    CorrectionBody,
    DecisionBody,
    DiscardBody,
    EntryBody,
    RefusalBody,
    RowAnswer,
    RowPage,
)
from api.transfers.row_views import correction_answers, row_answers
from models.domain.roles import Permission
from models.domain.transfers.states import RowOutcome
from models.errors import NotFound
from models.queries.products import masks_of
from models.queries.transfers.sources import corrections_of, row_of, rows_of
from models.tables.transfers import TransferRow

_CURSOR = "transfer-rows"


class TransferRowController(Controller):
    """The rows of a job, masked."""

    path = "/v1/transfers/{job:str}/rows"
    tags = ("Transfers",)

    @get("/", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferRows")
    def list_rows(
        self,
        *,
        job: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        outcome: Annotated[RowOutcome | None, QueryParameter(name="outcome")] = None,
        reason: Annotated[str | None, QueryParameter(name="reason", max_length=40)] = None,
    ) -> RowPage:
        """Rows by number; `outcome=held&reason=quarantine` is what waits for a correction."""
        found = job_to_open(deps, principal, job)
        position = decode_cursor(after, kind=_CURSOR, types=(int,))
        start = int(position[0] or 0) if position is not None else 0
        with deps.database.read() as session:
            rows = rows_of(session, found.token, outcome=outcome, reason_code=reason, after=start, limit=limit + 1)
            masks = masks_of(session, principal.tenant)
        page = rows[:limit]
        items = row_answers(deps, page, tenant=found.tenant, masks=masks, locale=locale)
        _note(deps, principal, found.token, items)
        return RowPage(
            items=items,
            end_cursor=encode_cursor(_CURSOR, page[-1].number) if len(rows) > limit else None,
        )

    @post("/", guards=[requires(Permission.TRANSFERS_COLLECT)], operation_id="EnterTransferRow")
    async def enter(
        self,
        *,
        job: FromPath[str],
        data: JSONBody[EntryBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[RowAnswer]:
        """Enter one row from phone, mail or counter; it is checked with all others."""
        slot = key_slot(principal, route=f"transfers.rows/{job}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(subject: str) -> Stored:
            with deps.database.read() as session:
                row = session.exec(
                    select(TransferRow).where(col(TransferRow.job) == job, col(TransferRow.subject_id) == subject)
                ).one()
            answer = _answer(deps, principal, job, row.number, locale)
            return Stored(
                status=HTTPStatus.CREATED,
                body=answer.model_dump(mode="json"),
                headers={"Location": f"/v1/transfers/{job}/rows/{row.number}", "ETag": etag(answer.version)},
            )

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: enter_row(deps, principal, job, data, slot=slot, fingerprint=digest),
            rebuild=rebuild,
        )

    @get(
        "/{number:int}",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferRow",
    )
    def get_row(
        self, job: FromPath[str], number: FromPath[int], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[RowAnswer]:
        """One row with its faults and corrections."""
        return _response(deps, principal, job, number, locale)

    @post(
        "/{number:int}/corrections",
        guards=[requires(Permission.TRANSFERS_COLLECT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="CorrectTransferRow",
    )
    def correct(
        self,
        *,
        job: FromPath[str],
        number: FromPath[int],
        data: JSONBody[CorrectionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[RowAnswer]:
        """Correct a quarantined row. Where a key field changes, a second person confirms before it counts."""
        correct_row(deps, principal, job, number, data.values.given(), read_version=if_match)
        return _response(deps, principal, job, number, locale)

    @post(
        "/{number:int}/corrections/{correction:str}/confirmation",
        guards=[requires(Permission.TRANSFERS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ConfirmTransferCorrection",
    )
    def confirm(
        self,
        *,
        job: FromPath[str],
        number: FromPath[int],
        correction: FromPath[str],
        data: JSONBody[DecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[RowAnswer]:
        """Confirm a correction of key fields as the second person. Needs a fresh log-in."""
        decide_correction(deps, principal, job, number, correction, shown=data.shown_hash, confirm=True)
        return _response(deps, principal, job, number, locale)

    @post(
        "/{number:int}/corrections/{correction:str}/refusal",
        guards=[requires(Permission.TRANSFERS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RefuseTransferCorrection",
    )
    def refuse(
        self,
        *,
        job: FromPath[str],
        number: FromPath[int],
        correction: FromPath[str],
        data: JSONBody[RefusalBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[RowAnswer]:
        """Refuse a correction as the second person: the row stays as it is, in quarantine."""
        decide_correction(
            deps,
            principal,
            job,
            number,
            correction,
            shown=data.shown_hash,
            confirm=False,
            reason_code=data.reason_code,
        )
        return _response(deps, principal, job, number, locale)

    @post(
        "/{number:int}/rejection",
        guards=[requires(Permission.TRANSFERS_COLLECT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectTransferRow",
    )
    def reject(
        self,
        *,
        job: FromPath[str],
        number: FromPath[int],
        data: JSONBody[DiscardBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[RowAnswer]:
        """Reject a quarantined row for good."""
        discard(deps, principal, job, number, reason_code=data.reason_code, read_version=if_match)
        return _response(deps, principal, job, number, locale)


def _answer(deps: ApiDeps, principal: Principal, token: str, number: int, locale: str) -> RowAnswer:
    job = job_to_open(deps, principal, token)
    with deps.database.read() as session:
        row = row_of(session, job.token, number)
        if row is None:
            raise NotFound
        corrections = corrections_of(session, job.token, number)
        masks = masks_of(session, principal.tenant)
    [answer] = row_answers(deps, [row], tenant=job.tenant, masks=masks, locale=locale)
    told = correction_answers(deps, corrections, tenant=job.tenant, masks=masks)
    shown = answer.model_copy(update={"corrections": told})
    _note(deps, principal, job.token, [shown])
    return shown


def _note(deps: ApiDeps, principal: Principal, job: str, rows: Sequence[RowAnswer]) -> None:
    """Who is shown rows leaves an event, before they leave."""
    fields = {name for row in rows for name in row.values}
    fields |= {name for row in rows for each in row.corrections for name in each.values}
    note_rows_shown(deps, principal, job, [row.number for row in rows], fields=fields)


def _response(deps: ApiDeps, principal: Principal, token: str, number: int, locale: str) -> Response[RowAnswer]:
    answer = _answer(deps, principal, token, number, locale)
    return Response(answer, headers={"ETag": etag(answer.version)})
