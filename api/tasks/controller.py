"""The staff inbox (待办): search, read, claim, remark, decide."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import Controller, Response, delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody
from sqlmodel import Session

from api.audit.readings import note_words_read
from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, check_version, etag, parse_if_match
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.tasks.bodies import CommentBody, TaskSearchBody
from api.tasks.deciding import DecidedAnswer, Kept, decided_answer, is_settled, send_and_answer
from api.tasks.intake import TaskDecision, decision_location
from api.tasks.record_deciders import decide_task
from api.tasks.views import (
    CommentAnswer,
    CommentPage,
    Reader,
    TaskAnswer,
    TaskDecisionAnswer,
    TaskPageAnswer,
    decision_answer,
    page_answer,
    task_answer,
)
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.roles import Permission
from models.domain.states import TaskState, TaskType
from models.domain.task_filter import parse_filter
from models.domain.tokens import new_token, uuid7
from models.domain.viewer import Viewer
from models.errors import BadRequest, FieldFault, NotFound, SubjectShredded
from models.operations import tasks as task_operations
from models.operations.idempotency import open_key
from models.queries.allowed import CLAIM, COMMENT, UNCLAIM, require_allowed
from models.queries.products import masks_of
from models.queries.tasks import get_task, list_comments, search_tasks, subject_of_task
from models.tables.tasks import Decision, Task, TaskComment
from models.texts.forms import json_schema

IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match")]
MaybeIfMatch = Annotated[str | None, HeaderParameter(name="If-Match")]
_COMMENT_COLUMN: Final = "text_cell"


class TaskController(Controller):
    """One inbox for all systems. What the reader may not see does not exist for them."""

    path = "/v1/tasks"
    tags = ("Tasks",)

    @post(
        "/search",
        guards=[requires(Permission.TASKS_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SearchTasks",
    )
    def search(self, data: JSONBody[TaskSearchBody], deps: Deps, principal: Caller, locale: Locale) -> TaskPageAnswer:
        """Find tasks, a page at a time, with exact counts by type, state, branch, role, assignee and due band."""
        reader = reader_of(deps, principal, locale)
        wanted = parse_filter(data.filter)
        with deps.database.read() as session:
            page = search_tasks(
                session,
                tenant=principal.tenant,
                viewer=reader.viewer,
                now=reader.now,
                filter=wanted,
                sort=data.sort,
                limit=data.limit,
                cursor=data.cursor,
                with_facets=data.facets,
            )
            masks = masks_of(session, principal.tenant)
        return page_answer(page, reader, masks)

    @post(
        "/claim-next",
        guards=[requires(Permission.TASKS_WORK)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ClaimNextTask",
        responses={204: ResponseSpec(None, description="No task is waiting that the caller may do")},
    )
    def claim_next(self, deps: Deps, principal: Caller, locale: Locale) -> Response[TaskAnswer | None]:
        """Take the most urgent free task that the caller may do; 204 if there is none."""
        reader = reader_of(deps, principal, locale)
        deed = _deed(principal, "task.claimed", target=principal.staff_id, now=reader.now)
        task_id: str | None = None
        with unit_of_work(deps.database, deed) as unit:
            taken = task_operations.claim_next(
                unit.session, tenant=principal.tenant, viewer=reader.viewer, now=reader.now
            )
            if taken is None:
                raise Unchanged
            task_id = taken.id
            _tell(deed, taken, how="next")
        if task_id is None:
            return Response(None, status_code=204)
        return _answer(deps, principal, reader, task_id)

    @get(
        "/{task_id:str}",
        guards=[requires(Permission.TASKS_READ)],
        sync_to_thread=True,
        operation_id="GetTask",
        responses={304: ResponseSpec(None, description="The version named by If-None-Match is the present one")},
    )
    def get_one(
        self,
        task_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_none_match: IfNoneMatch = None,
    ) -> Response[TaskAnswer | None]:
        """One task: what it shows, what the caller may do, and which rule bars the rest.

        The ETag names the version of the task; remarks do not move it.
        """
        return _answer(deps, principal, reader_of(deps, principal, locale), task_id, unless=if_none_match)

    @get(
        "/{task_id:str}/form",
        guards=[requires(Permission.TASKS_READ)],
        sync_to_thread=True,
        operation_id="GetTaskForm",
        media_type="application/schema+json",
    )
    def form(self, task_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> dict[str, Any]:
        """The JSON Schema (2020-12) of a decision on this task, with labels in the caller's language."""
        with deps.database.read() as session:
            task = visible_task(session, task_id, principal=principal, viewer=viewer_of(principal))
        return json_schema(TaskType(task.type), locale)

    @post(
        "/{task_id:str}/claim",
        guards=[requires(Permission.TASKS_WORK)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ClaimTask",
    )
    def claim(
        self,
        task_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match_header: MaybeIfMatch = None,
    ) -> Response[TaskAnswer | None]:
        """Take a free task; with `If-Match` only in the version read. To claim what one holds changes nothing."""
        reader = reader_of(deps, principal, locale)
        deed = _deed(principal, "task.claimed", target=task_id, now=reader.now)
        with unit_of_work(deps.database, deed) as unit:
            task = visible_task(unit.session, task_id, principal=principal, viewer=reader.viewer)
            if task.state == TaskState.CLAIMED and task.assignee == principal.staff_id:
                raise Unchanged
            _check_read(if_match_header, task)
            require_allowed(task, reader.viewer, CLAIM)
            task_operations.claim(
                unit.session,
                task_id,
                tenant=principal.tenant,
                staff_id=principal.staff_id,
                now=reader.now,
                expected_version=task.version,
            )
            _tell(deed, task, how="chosen")
        return _answer(deps, principal, reader, task_id)

    @delete(
        "/{task_id:str}/claim",
        guards=[requires(Permission.TASKS_WORK)],
        sync_to_thread=True,
        status_code=200,
        operation_id="UnclaimTask",
    )
    def unclaim(
        self,
        task_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match_header: MaybeIfMatch = None,
    ) -> Response[TaskAnswer | None]:
        """Give a task back that the caller holds."""
        reader = reader_of(deps, principal, locale)
        deed = _deed(principal, "task.unclaimed", target=task_id, now=reader.now)
        with unit_of_work(deps.database, deed) as unit:
            task = visible_task(unit.session, task_id, principal=principal, viewer=reader.viewer)
            _check_read(if_match_header, task)
            require_allowed(task, reader.viewer, UNCLAIM)
            task_operations.unclaim(
                unit.session,
                task_id,
                tenant=principal.tenant,
                staff_id=principal.staff_id,
                now=reader.now,
                expected_version=task.version,
            )
            _tell(deed, task)
        return _answer(deps, principal, reader, task_id)

    @get(
        "/{task_id:str}/comments",
        guards=[requires(Permission.TASKS_READ)],
        sync_to_thread=True,
        operation_id="ListTaskComments",
    )
    def comments(
        self,
        task_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> CommentPage:
        """Remarks on a task, oldest first."""
        start = _comment_start(after)
        with deps.database.read() as session:
            task = visible_task(session, task_id, principal=principal, viewer=viewer_of(principal))
            subject = subject_of_task(session, task)
            found = list_comments(session, task.id, limit=limit + 1, after=start)
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        items = _comments_read(deps, principal, task, page, subject=subject)
        return CommentPage(
            items=items,
            end_cursor=encode_cursor("comments", last.created_at.isoformat(), last.id) if last is not None else None,
        )

    @post("/{task_id:str}/comments", guards=[requires(Permission.TASKS_WORK)], operation_id="CommentOnTask")
    async def comment(
        self,
        task_id: FromPath[str],
        data: JSONBody[CommentBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[CommentAnswer]:
        """Add a remark. It is sealed under the customer's key and cannot be changed."""
        slot = key_slot(principal, route=f"tasks.comment/{known_token(task_id)}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        viewer = viewer_of(principal)

        def act() -> str:
            now, comment_id = deps.clock(), new_token("cmt")
            with deps.database.read() as session:
                task = visible_task(session, task_id, principal=principal, viewer=viewer)
                subject = subject_of_task(session, task)
            if task.type == TaskType.TRANSFER_CONFLICT:  # about no one person: it has a key once somebody speaks of it
                deps.vault.create_subject(tenant=principal.tenant, subject_id=subject)
            sealed = deps.vault.seal(_comment_address(principal.tenant, comment_id, subject), data.text)
            deed = _deed(principal, "task.commented", target=task_id, now=now)
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=comment_id, status=201, now=now)
                task = visible_task(unit.session, task_id, principal=principal, viewer=viewer)
                require_allowed(task, viewer, COMMENT)
                task_operations.comment(
                    unit.session,
                    comment_id=comment_id,
                    tenant=principal.tenant,
                    task_id=task_id,
                    author=principal.staff_id,
                    text_cell=sealed,
                    now=now,
                )
                _tell(deed, task, comment=comment_id)
            return comment_id

        def rebuild(comment_id: str) -> Stored:
            with deps.database.read() as session:
                row = session.get_one(TaskComment, comment_id)
                subject = subject_of_task(session, session.get_one(Task, row.task_id))
            answer = _comment_answer(deps, row, subject=subject)  # what the caller has just sent: nobody reads it
            return Stored(status=201, body=answer.model_dump(mode="json"))

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @post(
        "/{task_id:str}/decisions",
        guards=[requires(Permission.TASKS_WORK)],
        operation_id="DecideTask",
        responses={202: ResponseSpec(DecidedAnswer, description="Kept and under way; look at Location")},
    )
    async def decide(
        self,
        task_id: FromPath[str],
        *,
        data: JSONBody[dict[str, Any]],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
        if_match: IfMatch,
    ) -> Response[DecidedAnswer]:
        """Decide a task; the body is what its form asks for.

        201: the workflow has applied it. 202: it is kept and under way, look at `Location`. 409: it was refused, and
        the task is back with the reason.
        """
        slot = key_slot(principal, route=f"tasks.decide/{known_token(task_id)}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        request = TaskDecision(
            decision_id=uuid7(deps.clock()),
            task_id=task_id,
            body=data,
            read_version=if_match,
            principal=principal,
            viewer=viewer_of(principal),
            slot=slot,
            fingerprint=digest,
        )

        taken: list[Kept] = []

        def act() -> str:
            kept = decide_task(deps, request)
            if kept is not None:
                taken.append(kept)
            return request.decision_id

        def rebuild(decision_id: str) -> Stored:
            return decided_answer(deps, decision_id, location=decision_location(task_id, decision_id))

        async def finish(decision_id: str) -> Stored:
            location = decision_location(task_id, decision_id)
            if not taken:  # a record's, applied in its own commit: no workflow has to agree
                return await in_thread(decided_answer, deps, decision_id, location=location)
            return await send_and_answer(deps, decision_id, slot=slot, location=location, kept=taken[0])

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=act,
            rebuild=rebuild,
            finish=finish,
            settled=lambda decision_id: is_settled(deps, decision_id),
        )

    @get(
        "/{task_id:str}/decisions/{decision_id:str}",
        guards=[requires(Permission.TASKS_READ)],
        sync_to_thread=True,
        operation_id="GetTaskDecision",
    )
    def decision(
        self, task_id: FromPath[str], decision_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> TaskDecisionAnswer:
        """One decision and what became of it."""
        with deps.database.read() as session:
            task = visible_task(session, task_id, principal=principal, viewer=viewer_of(principal))
            found = session.get(Decision, decision_id)
        if found is None or found.task_id != task.id:
            raise NotFound
        return decision_answer(found, task_id=task.id, locale=locale)


def viewer_of(principal: Principal) -> Viewer:
    """The caller as the inbox knows them."""
    return Viewer(
        staff_id=principal.staff_id,
        person_id=principal.person_id,
        branch=principal.branch,
        roles=principal.roles,
        authority_amount_minor=principal.authority_amount_minor,
        authority_concession_bps=principal.authority_concession_bps,
    )


def reader_of(deps: ApiDeps, principal: Principal, locale: str) -> Reader:
    """Who reads, in which language, now."""
    return Reader(viewer=viewer_of(principal), locale=locale, now=deps.clock())


def visible_task(session: Session, task_id: str, *, principal: Principal, viewer: Viewer) -> Task:
    """The task, if the caller may see it.

    Raises:
        NotFound: there is none, or it is not the caller's to see.
    """
    task = get_task(session, known_token(task_id), tenant=principal.tenant, viewer=viewer)
    if task is None:
        raise NotFound
    return task


def _answer(
    deps: ApiDeps, principal: Principal, reader: Reader, task_id: str, *, unless: str | None = None
) -> Response[TaskAnswer | None]:
    with deps.database.read() as session:
        task = visible_task(session, task_id, principal=principal, viewer=reader.viewer)
        headers = {"ETag": etag(task.version), "Content-Language": reader.locale, "Vary": "Accept-Language"}
        if unless is not None and etag(task.version) in {tag.strip() for tag in unless.split(",")}:
            return Response(None, status_code=304, headers=headers)
        return Response(task_answer(session, task, reader), status_code=200, headers=headers)


def _check_read(if_match: str | None, task: Task) -> None:
    if if_match is not None:
        check_version(read=parse_if_match(if_match), current=task.version)


def _deed(principal: Principal, action: str, *, target: str, now: datetime) -> Deed:
    return Deed(tenant=principal.tenant, action=action, target=target, actor=principal.staff_id, at=now)


def _tell(deed: Deed, task: Task, **facts: str) -> None:
    """What was done belongs to the case, so that its timeline is whole."""
    deed.target = task.case_token or task.id
    deed.facts = {"task": task.id, "type": task.type, **facts}


def _comment_address(tenant: str, comment_id: str, subject: str) -> CellAddress:
    return CellAddress(tenant, "task_comments", _COMMENT_COLUMN, comment_id, subject)


def _comments_read(
    deps: ApiDeps, principal: Principal, task: Task, rows: Sequence[TaskComment], *, subject: str
) -> list[CommentAnswer]:
    """Remarks in words, that they were read recorded; blocking."""
    items = [_comment_answer(deps, row, subject=subject) for row in rows]
    note_words_read(
        deps,
        "task.comments-read",
        tenant=principal.tenant,
        actor=principal.staff_id,
        target=task.case_token or task.id,
        count=sum(item.text is not None for item in items),
        task=task.id,
        type=task.type,
    )
    return items


def _comment_answer(deps: ApiDeps, row: TaskComment, *, subject: str) -> CommentAnswer:
    try:
        text = deps.vault.open_text(_comment_address(row.tenant, row.id, subject), row.text_cell)
    except SubjectShredded:
        text = None
    return CommentAnswer(id=row.id, author=row.author, text=text, created_at=row.created_at)


def _comment_start(after: str | None) -> tuple[datetime, str] | None:
    values = decode_cursor(after, kind="comments", types=(str, str))
    if values is None:
        return None
    at, comment_id = values
    try:
        return datetime.fromisoformat(str(at)).astimezone(UTC), str(comment_id)
    except (ValueError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None
