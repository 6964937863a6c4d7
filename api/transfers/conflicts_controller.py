"""Routes of conflicts (冲突). They are decided in the inbox, by the decision on their task."""

from typing import Annotated, Literal

from litestar import Controller, get
from litestar.params import FromPath, QueryParameter

from api.bodies import known_token
from api.deps import Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.transfers.conflicts_views import conflict_answer, opened_conflict
from api.transfers.lookup import job_to_open, known_job
from api.transfers.readings import note_conflict_shown
from api.transfers.waves_bodies import ConflictAnswer, ConflictPage
from models.domain.roles import Permission
from models.errors import NotFound
from models.queries.transfers.waves import list_conflicts
from models.tables.transfer_waves import TransferConflict


class TransferConflictController(Controller):
    """What of a job waits, or waited, for a person's word."""

    path = "/v1/transfers/{job:str}/conflicts"
    tags = ("Transfers",)

    @get("/", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferConflicts")
    def list_all(
        self,
        *,
        job: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        stands: Annotated[Literal["open", "proposed", "decided"] | None, QueryParameter(name="state")] = None,
    ) -> ConflictPage:
        """Conflicts by row, a page at a time; values are shown one by one only."""
        start = decode_cursor(after, kind="conflicts", types=(int, str))
        key = None if start is None else (int(str(start[0])), str(start[1]))
        with deps.database.read() as session:
            token = known_job(session, principal, job, own=True).token
            found = list_conflicts(session, token, state=stands, after=key, limit=limit + 1)
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return ConflictPage(
            items=[conflict_answer(each, locale=locale) for each in page],
            end_cursor=None if last is None else encode_cursor("conflicts", last.row_number, last.id),
        )

    @get(
        "/{conflict_id:str}",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferConflict",
    )
    def get_one(
        self, job: FromPath[str], conflict_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> ConflictAnswer:
        """One conflict: what differs, masked on both sides, and what may be decided; that it was shown is recorded."""
        token = job_to_open(deps, principal, job).token
        with deps.database.read() as session:
            conflict = session.get(TransferConflict, known_token(conflict_id))
        if conflict is None or conflict.job != token:
            raise NotFound
        answer = opened_conflict(deps, conflict, locale=locale)
        fields = {*(answer.row_values or {}), *(answer.record_values or {})}
        note_conflict_shown(deps, principal, token, conflict.id, fields=fields)
        return answer
