"""Installment cases (个性化分期): made, read, found, told in events, and withdrawn."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from api.audit.readings import Shown, note_shown
from api.deps import ApiDeps, Deps, Locale
from api.etags import etag, parse_if_match
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.installments.access import PATH, case_for
from api.installments.answers import CaseAnswer, CasePage, CreatedCaseAnswer, TimelinePage
from api.installments.bodies import ApplicationBody, CaseFilterBody, CaseSearchBody, WithdrawalBody
from api.installments.intake import Sender, check_application, take_in
from api.installments.views import case_answer, created_answer, event_answer, read_case, summary_answer
from api.installments.withdrawal import ANSWERS, Withdrawal, check_reason, withdraw
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.tasks.deciding import DecidedAnswer
from models.domain.application import Channel
from models.domain.roles import Permission
from models.domain.shanghai import shanghai_date
from models.domain.viewer import ANY_BRANCH
from models.errors import BadRequest, FieldFault, FormInvalid
from models.queries import case_file, parties
from models.queries.case_file import CaseFilter, Position
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject

OPEN = "open"


class CaseController(Controller):
    """Installment cases of the caller's institution and branch."""

    path = PATH
    tags = ("Installments",)

    @post("/", guards=[requires(Permission.CASES_CREATE)], operation_id="CreateInstallmentCase")
    async def create(
        self, data: JSONBody[ApplicationBody], deps: Deps, principal: Caller, locale: Locale, idempotency_key: KeyHeader
    ) -> Response[CreatedCaseAnswer]:
        """Take in an application (进件). The same person is one subject, however many cases they have."""
        sender = Sender(
            tenant=principal.tenant,
            branch=branch_of(data.branch, principal),
            channel=Channel.STAFF,
            actor=principal.staff_id,
            person_id=principal.person_id,
        )
        application = check_application(data, sender=sender, today=shanghai_date(deps.clock()))
        slot = key_slot(principal, route="cases.create", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        made: list[str] = []

        def act() -> str:
            made.append(take_in(deps, application, slot=slot, fingerprint=digest, status=HTTPStatus.CREATED))
            return made[0]

        answer = await once(
            deps,
            slot,
            fingerprint=digest,
            act=act,
            rebuild=lambda token: created(deps, principal, token, locale=locale),
        )
        for token in made:
            await deps.dispatcher.start_case(token)  # if nobody answers, the relay starts it
        return answer

    @get("/", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="ListInstallmentCases")
    def list_cases(
        self,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> CasePage:
        """Cases, newest first, a page at a time."""
        return page_of_cases(deps, principal, filter=CaseFilter(), after=after, limit=limit, locale=locale)

    @post(
        "/search",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SearchInstallmentCases",
    )
    def search(self, data: JSONBody[CaseSearchBody], deps: Deps, principal: Caller, locale: Locale) -> CasePage:
        """Cases by stage, outcome, branch and time of making, newest first."""
        return page_of_cases(
            deps, principal, filter=filter_of(data.filter), after=data.after, limit=data.limit, locale=locale
        )

    @get(
        "/{case_token:str}",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        operation_id="GetInstallmentCase",
    )
    def get_case(
        self, case_token: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[CaseAnswer]:
        """One case with all that lies in it; the person is masked."""
        case = case_for(deps, principal, case_token)
        with deps.database.read() as session:
            rows = read_case(session, session.get_one(InstallmentCase, case.token))
        answer = case_answer(deps, rows, locale=locale)
        note_shown(
            deps,
            [answer.subject],
            tenant=case.tenant,
            actor=principal.staff_id,
            purpose=Shown.CASE_FILE,
            case=case.token,
        )
        return Response(answer, headers={"ETag": etag(rows.case.version)})

    @get(
        "/{case_token:str}/timeline",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        operation_id="GetCaseTimeline",
    )
    def timeline(
        self,
        *,
        case_token: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> TimelinePage:
        """What was done to the case, oldest first: identifiers, codes and amounts only."""
        case, start = case_for(deps, principal, case_token), position_of(after, kind="timeline")
        with deps.database.read() as session:
            found = case_file.events_of_target(session, case.token, tenant=case.tenant, after=start, limit=limit + 1)
        page = found[:limit]
        return TimelinePage(
            items=[event_answer(row, facts=json.loads(row.body)["facts"], locale=locale) for row in page],
            end_cursor=cursor_of("timeline", page[-1].at, page[-1].id) if len(found) > limit else None,
        )

    @post(
        "/{case_token:str}/withdrawal",
        guards=[requires(Permission.CASES_WITHDRAW)],
        responses=ANSWERS,
        operation_id="WithdrawInstallmentCase",
    )
    async def withdraw_case(
        self,
        *,
        case_token: FromPath[str],
        data: JSONBody[WithdrawalBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
        if_match_header: Annotated[str | None, HeaderParameter(name="If-Match")] = None,
    ) -> Response[DecidedAnswer]:
        """Withdraw the case (撤回申请), at any point before its end. `If-Match` is optional.

        201 when the workflow has applied it, 202 when it has not answered yet, 409 when it refused.
        """
        check_reason(data.reason_code)
        case = await in_thread(case_for, deps, principal, case_token)
        return await withdraw(
            deps,
            Withdrawal(
                case=case,
                reason_code=data.reason_code,
                note=data.note,
                actor=principal.staff_id,
                staff_id=principal.staff_id,
                person_id=principal.person_id,
                expected_version=parse_if_match(if_match_header) if if_match_header is not None else None,
                slot=key_slot(principal, route=f"cases.withdraw/{case.token}", key=idempotency_key),
                location=f"{PATH}/{case.token}",
            ),
            data,
        )


def created(deps: ApiDeps, principal: Principal, case_token: str, *, locale: str) -> Stored:
    """The answer to an application: the case as it was made; blocking."""
    with deps.database.read() as session:
        case = session.get_one(InstallmentCase, case_token)
        subject = session.get_one(Subject, case.subject_id)
        points = parties.contact_points(session, subject.id)
    then = [point for point in points if point.created_at <= case.created_at]
    answer = created_answer(deps, case, subject, then, locale=locale)
    note_shown(
        deps,
        [answer.subject],
        tenant=case.tenant,
        actor=principal.staff_id,
        purpose=Shown.CASE_MADE,
        case=case_token,
    )
    return Stored(
        status=HTTPStatus.CREATED,
        body=answer.model_dump(mode="json"),
        headers={"Location": f"{PATH}/{case_token}", "ETag": etag(1)},
    )


def branch_of(asked: str | None, principal: Principal) -> str:
    """The branch a new thing belongs to: the caller's own; who sees every branch must name one.

    Raises:
        FormInvalid: another branch than the caller's, or none where one must be named.
    """
    if principal.branch == ANY_BRANCH:
        if asked is None:
            raise FormInvalid(faults=(FieldFault(pointer="/branch", code="missing"),))
        return asked
    if asked not in (None, principal.branch):
        fault = FieldFault(pointer="/branch", code="not-one-of", params={"allowed": principal.branch})
        raise FormInvalid(faults=(fault,))
    return principal.branch


def filter_of(body: CaseFilterBody) -> CaseFilter:
    """What a list is narrowed to."""
    outcomes: set[str | None] = {None if outcome == OPEN else outcome for outcome in body.outcome or ()}
    return CaseFilter(
        stages=frozenset(body.stage or ()),
        outcomes=frozenset(outcomes),
        branches=frozenset(body.branch or ()),
        created_from=body.created_from,
        created_to=body.created_to,
    )


def page_of_cases(
    deps: ApiDeps, principal: Principal, *, filter: CaseFilter, after: str | None, limit: int, locale: str
) -> CasePage:
    """A page of what the caller may see; blocking.

    Raises:
        BadRequest: the cursor is not one of ours.
    """
    start = position_of(after, kind="cases")
    with deps.database.read() as session:
        found = case_file.search_cases(
            session,
            tenant=principal.tenant,
            branch=principal.branch,
            filter=filter,
            after=start,
            limit=limit + 1,
        )
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return CasePage(
        items=[summary_answer(case, locale=locale) for case in page],
        end_cursor=cursor_of("cases", last.created_at, last.token) if last is not None else None,
    )


def cursor_of(kind: str, at: datetime, key: str) -> str:
    """The cursor of a row that is ordered by time and key."""
    return encode_cursor(kind, at.isoformat(timespec="microseconds"), key)


def position_of(cursor: str | None, *, kind: str) -> Position | None:
    """Where a page goes on.

    Raises:
        BadRequest: the cursor is not one of ours.
    """
    values: tuple[Any, ...] | None = decode_cursor(cursor, kind=kind, types=(str, str))
    if values is None:
        return None
    try:
        # Ours always has a zone; one that has none is read as local time and begins the list elsewhere.
        return datetime.fromisoformat(values[0]).astimezone(UTC), str(values[1])
    except (ValueError, TypeError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None
