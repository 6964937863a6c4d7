"""Pairs of a transfer job that may be one person's: list, look (masked), take apart, check the audit sample.

Deciding about a pair is deciding its task (`POST /v1/tasks/{id}/decisions` with `same` or `different`).
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.transfers.lookup import job_to_open, read_job
from api.transfers.matches_bodies import (
    MatchAnswer,
    MatchCheckBody,
    MatchDetailAnswer,
    MatchPage,
    MatchSampleAnswer,
    UnmergeBody,
)
from api.transfers.matches_views import OPENED_FIELDS, match_answer, match_detail
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.roles import CANDIDATE_ROLE, Permission, Role
from models.domain.states import TaskType
from models.domain.transfers.states import MatchVerdict
from models.errors import NotACandidate, NotFound
from models.operations.idempotency import KeySlot, open_key
from models.operations.transfers.match_deciding import check_sampled, unmerge
from models.queries.transfers.match_pairs import count_pairs, list_pairs, pair_of, sample_of
from models.tables.transfers import TransferJob

PATH: Final = "/v1/transfers/{job:str}/matches"
_CURSOR: Final = "transfer-matches"
Verdict = Annotated[MatchVerdict | None, QueryParameter(name="verdict")]
_REVIEWER: Final = CANDIDATE_ROLE[TaskType.MATCH_REVIEW]


class MatchController(Controller):
    """Duplicates inside a job and against the receiving institution's book (查重)."""

    path = PATH
    tags = ("Transfers",)

    @get("/", guards=[requires(Permission.TASKS_READ)], sync_to_thread=True, operation_id="ListTransferMatches")
    def list_matches(
        self,
        job: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        *,
        verdict: Verdict = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> MatchPage:
        """Pairs by row, by themselves: codes and scores, nobody is shown."""
        read = decode_cursor(after, kind=_CURSOR, types=(int, str))
        begin = None if read is None else (int(read[0] or 0), str(read[1]))
        token = read_job(deps, principal, job, own=True).token
        with deps.database.read() as session:
            found = list(list_pairs(session, token, verdict=verdict, after=begin, limit=limit + 1))
            counts = count_pairs(session, token)
        shown = found[:limit]
        following = encode_cursor(_CURSOR, shown[-1].row_number, shown[-1].id) if len(found) > limit else None
        return MatchPage(
            items=[match_answer(pair, locale=locale) for pair in shown], counts=counts, next_after=following
        )

    @get(
        "/sample", guards=[requires(Permission.TASKS_READ)], sync_to_thread=True, operation_id="GetTransferMatchSample"
    )
    def sample(self, job: FromPath[str], deps: Deps, principal: Caller) -> MatchSampleAnswer:
        """2 % of the automatic merges by a recorded seed, and the precision that their checks show."""
        found = read_job(deps, principal, job, own=True)
        with deps.database.read() as session:
            figures = sample_of(session, found)
        return MatchSampleAnswer(
            seed=figures.seed,
            autos=figures.autos,
            sampled=list(figures.pairs),
            checked=figures.checked,
            right=figures.right,
            precision_low_ppm=None if figures.precision is None else figures.precision.low,
            precision_high_ppm=None if figures.precision is None else figures.precision.high,
        )

    @get(
        "/{pair_id:str}",
        guards=[requires(Permission.SUBJECTS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferMatch",
    )
    def get_match(
        self, job: FromPath[str], pair_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> MatchDetailAnswer:
        """One pair, masked, with what each field is worth; that it was looked at is recorded first."""
        _require_reviewer(principal)
        found = job_to_open(deps, principal, job)
        answer = match_detail(deps, found, known_token(pair_id), locale=locale)
        deed = _deed(
            deps, principal, found, "transfer.pair-shown", pair=pair_id, form="masked", fields=list(OPENED_FIELDS)
        )
        with unit_of_work(deps.database, deed):
            pass  # the event is all there is to write
        return answer

    @post(
        "/{pair_id:str}/unmerge", guards=[requires(Permission.TASKS_WORK)], status_code=200,
        operation_id="UnmergeTransferMatch",
    )  # fmt: skip
    async def unmerge_match(
        self,
        job: FromPath[str],
        pair_id: FromPath[str],
        *,
        data: JSONBody[UnmergeBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[MatchAnswer]:
        """Take a merge apart, automatic or decided; the row is again what its other pairs say."""
        found, known = await _known(deps, principal, job, pair_id)
        slot = key_slot(principal, route=f"transfers.unmerge/{known}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            deed = _deed(deps, principal, found, "transfer.unmerged")
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=known, now=deed.at)
                deed.facts |= unmerge(
                    unit.session, known, tenant=found.tenant, reason=data.reason_code,
                    staff_id=principal.staff_id, now=deed.at,
                )  # fmt: skip
            return known

        return await _told(deps, found, slot, digest, act=act, locale=locale)

    @post(
        "/{pair_id:str}/checks", guards=[requires(Permission.TASKS_READ)], status_code=200,
        operation_id="CheckTransferMatch",
    )  # fmt: skip
    async def check(
        self,
        job: FromPath[str],
        pair_id: FromPath[str],
        *,
        data: JSONBody[MatchCheckBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[MatchAnswer]:
        """Say whether an automatic merge of the audit sample is right; a wrong one is taken apart."""
        found, known = await _known(deps, principal, job, pair_id)
        slot = key_slot(principal, route=f"transfers.check/{known}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            deed = _deed(deps, principal, found, "transfer.match-checked")
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=known, now=deed.at)
                if known not in sample_of(unit.session, found).pairs:
                    raise NotFound
                deed.facts |= check_sampled(
                    unit.session, known, tenant=found.tenant, right=data.right,
                    staff_id=principal.staff_id, now=deed.at,
                )  # fmt: skip
            return known

        return await _told(deps, found, slot, digest, act=act, locale=locale)


async def _known(deps: ApiDeps, principal: Principal, job: str, pair_id: str) -> tuple[TransferJob, str]:
    """Job and pair of a request that changes something.

    Raises:
        NotACandidate, NotFound: the caller is no reviewer, or there is none.
    """
    _require_reviewer(principal)
    found, known = await in_thread(read_job, deps, principal, job, own=True), known_token(pair_id)

    def look() -> None:
        with deps.database.read() as session:
            if pair_of(session, found.token, known) is None:
                raise NotFound

    await in_thread(look)
    return found, known


async def _told(
    deps: ApiDeps, job: TransferJob, slot: KeySlot, digest: str, *, act: Callable[[], str], locale: str
) -> Response[Any]:
    def rebuild(known: str) -> Stored:
        with deps.database.read() as session:
            pair = pair_of(session, job.token, known)
        if pair is None:
            raise NotFound
        return Stored(status=200, body=match_answer(pair, locale=locale).model_dump(mode="json"))

    return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)


def _require_reviewer(principal: Principal) -> None:
    if not principal.roles & {_REVIEWER, Role.AUDITOR, Role.PRIVACY_OFFICER}:
        raise NotACandidate(params={"role": _REVIEWER.value, "branch": principal.branch})


def _deed(deps: ApiDeps, principal: Principal, job: TransferJob, action: str, **facts: Any) -> Deed:
    return Deed(
        tenant=principal.tenant, action=action, target=job.token, actor=principal.staff_id, at=deps.clock(), facts=facts
    )
