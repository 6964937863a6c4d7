"""The exception queue (例外队列) and money in suspense (暂收): what daily runs could not do, and what follows."""

from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlmodel import Session

from api.bodies import known_token
from api.business_dates.queue_bodies import (
    CloseBody,
    ExceptionAnswer,
    ExceptionDetail,
    ExceptionPage,
    RuleSaidAnswer,
    SuspenseAnswer,
    SuspensePage,
    exception_fields,
)
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.daily import DayStep, ExceptionState
from models.domain.roles import Permission
from models.errors import BadRequest, FieldFault, NotFound
from models.operations.daily_exceptions import ask_again, close_item
from models.operations.idempotency import open_key
from models.queries.daily_exceptions import (
    Filter,
    case_of,
    exception_by_id,
    exceptions_page,
    suspense,
    suspense_total,
    verdicts_under,
)
from models.tables.daily import DailyException

QUEUE: Final = "/v1/business-dates/exceptions"
_KIND: Final = "daily-exceptions"
_SUSPENSE: Final = "suspense"

InState = Annotated[ExceptionState | None, QueryParameter(name="state")]
Step = Annotated[DayStep | None, QueryParameter(name="step")]
Code = Annotated[str | None, QueryParameter(name="code", max_length=40)]
Since = Annotated[date | None, QueryParameter(name="since")]
Until = Annotated[date | None, QueryParameter(name="until")]


class ExceptionController(Controller):
    """What the daily runs could not do (例外)."""

    path = QUEUE
    tags = ("Business dates",)

    @get(
        "/",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        sync_to_thread=True,
        operation_id="ListDailyExceptions",
    )
    def show_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        in_state: InState = None,
        step: Step = None,
        code: Code = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> ExceptionPage:
        """The queue, the oldest business date first; without filters everything that was ever in it."""
        wanted = Filter(
            tenant=principal.tenant,
            states=() if in_state is None else (in_state.value,),
            step=step,
            code=code,
            since=since,
            until=until,
        )
        with deps.database.read() as session:
            found = exceptions_page(session, wanted, after=_start(after), limit=limit + 1)
        items = found[:limit]
        more = len(found) > limit
        last = items[-1] if items else None
        return ExceptionPage(
            items=tuple(ExceptionAnswer.of(item, locale=locale) for item in items),
            next=encode_cursor(_KIND, last.business_date.isoformat(), last.id) if more and last else None,
        )

    @get(
        "/{exception_id:str}",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        sync_to_thread=True,
        operation_id="GetDailyException",
    )
    def show(self, exception_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> ExceptionDetail:
        """One item: what it is about, and which rule with which words stands against it."""
        return _detail(deps, principal, exception_id, locale=locale)

    @post(
        "/{exception_id:str}/retry",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        status_code=HTTPStatus.OK,
        operation_id="RetryDailyException",
    )
    async def retry(
        self,
        *,
        exception_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ExceptionDetail]:
        """Have the next run try it again; a debit is asked of all rules anew."""
        handling = _Handling(deps, principal, exception_id, idempotency_key, locale)

        def act(session: Session, item: DailyException) -> dict[str, object]:
            ask_again(session, item, by=principal.staff_id)
            return {}

        return await handling.once("retry", {}, act)

    @post(
        "/{exception_id:str}/close",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        status_code=HTTPStatus.OK,
        operation_id="CloseDailyException",
    )
    async def close(
        self,
        *,
        exception_id: FromPath[str],
        data: JSONBody[CloseBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ExceptionDetail]:
        """Close it for a reason: nothing more is tried."""
        handling = _Handling(deps, principal, exception_id, idempotency_key, locale)

        def act(session: Session, item: DailyException) -> dict[str, object]:
            close_item(session, item, reason=data.reason, by=principal.staff_id, now=deps.clock())
            return {"reason": data.reason.value}

        return await handling.once("close", data.model_dump(mode="json"), act)


class SuspenseController(Controller):
    """Money of nobody yet (暂收)."""

    path = "/v1/business-dates/suspense"
    tags = ("Business dates",)

    @get("/", guards=[requires(Permission.BUSINESS_DATES_RUN)], sync_to_thread=True, operation_id="ListSuspense")
    def show_all(
        self, *, deps: Deps, principal: Caller, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> SuspensePage:
        """What the bank booked and no order explains, in order of arrival."""
        values = decode_cursor(after, kind=_SUSPENSE, types=(str,))
        with deps.database.read() as session:
            found = suspense(
                session, tenant=principal.tenant, after=str(values[0]) if values else None, limit=limit + 1
            )
            entries, total = suspense_total(session, tenant=principal.tenant)
        items = found[:limit]
        return SuspensePage(
            items=tuple(SuspenseAnswer.of(reply) for reply in items),
            next=encode_cursor(_SUSPENSE, items[-1].id) if len(found) > limit else None,
            entries=entries,
            total_minor=total,
        )


class _Handling:
    """One request that changes an item."""

    def __init__(self, deps: ApiDeps, principal: Principal, exception_id: str, key: str, locale: str) -> None:
        self.deps, self.principal, self.key, self.locale = deps, principal, key, locale
        self.item_id = known_token(exception_id)

    async def once(
        self, verb: str, body: dict[str, object], act: Callable[[Session, DailyException], dict[str, object]]
    ) -> Response[ExceptionDetail]:
        """Have the effect once under the key; the answer is the item as it stands then."""
        deps, principal = self.deps, self.principal
        slot = key_slot(principal, route=f"daily-exceptions.{verb}/{self.item_id}", key=self.key)
        digest = await in_thread(fingerprint, deps, slot, body)

        def effect() -> str:
            now = deps.clock()
            deed = Deed(
                tenant=principal.tenant,
                action=f"daily.exception-{verb}",
                target=self.item_id,
                actor=principal.staff_id,
                at=now,
            )
            with unit_of_work(deps.database, deed) as unit:
                open_key(
                    unit.session, slot, fingerprint=digest, resource_id=self.item_id, status=HTTPStatus.OK, now=now
                )
                item = _item(unit.session, principal, self.item_id)
                about = {"step": item.step, "target": item.target, "code": item.code, "rule": item.rule_id}
                deed.facts |= about | act(unit.session, item)
            return self.item_id

        def rebuild(item_id: str) -> Stored:
            answer = _detail(deps, principal, item_id, locale=self.locale)
            return Stored(status=HTTPStatus.OK, body=answer.model_dump(mode="json"), headers={})

        return await once(deps, slot, fingerprint=digest, act=effect, rebuild=rebuild)


def _detail(deps: ApiDeps, principal: Principal, exception_id: str, *, locale: str) -> ExceptionDetail:
    with deps.database.read() as session:
        item = _item(session, principal, known_token(exception_id))
        agreement_id, case_token = case_of(session, item)
        verdicts = verdicts_under(session, item.gate_key) if item.gate_key is not None else ()
    return ExceptionDetail(
        **exception_fields(item, locale=locale),
        agreement_id=agreement_id,
        case_token=case_token,
        verdicts=tuple(RuleSaidAnswer.of(verdict, locale=locale) for verdict in verdicts),
    )


def _item(session: Session, principal: Principal, exception_id: str) -> DailyException:
    """The item, if it is of the caller's institution.

    Raises:
        NotFound: it is not, or there is none.
    """
    found = exception_by_id(session, exception_id, tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def _start(after: str | None) -> tuple[str, str] | None:
    """Where the page begins.

    Raises:
        BadRequest: the cursor is none of this list.
    """
    values = decode_cursor(after, kind=_KIND, types=(str, str))
    if values is None:
        return None
    day, item_id = str(values[0]), str(values[1])
    try:
        date.fromisoformat(day)
    except ValueError:
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None
    return day, item_id
