"""Routes of impact assessments (个人信息保护影响评估): drafted, reviewed, approved by a second person."""

from http import HTTPStatus
from typing import Annotated, Final

from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from api.bodies import ShortCode
from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, check_version, etag
from api.four_eyes import by
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.installments.controller import cursor_of, position_of
from api.paging import DEFAULT_LIMIT, After, Limit
from api.registers.assessment_bodies import (
    AssessmentAnswer,
    AssessmentBody,
    AssessmentPage,
    AssessmentReturnBody,
)
from api.registers.assessments import (
    answer_of,
    assessment_for,
    check_body,
    check_second_person,
    hash_of,
    item_of,
    sealed_content,
)
from api.registers.text_bodies import ShownBody
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.assessments import AssessmentState
from models.domain.roles import Permission
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.operations.assessments import (
    approve_assessment,
    change_assessment,
    draft_assessment,
    return_assessment,
    submit_assessment,
)
from models.operations.idempotency import open_key
from models.queries.assessments import list_assessments

PATH: Final = "/v1/impact-assessments"


class AssessmentController(Controller):
    """Impact assessments of the caller's institution."""

    path = PATH
    tags = ("Registers",)

    @post("/", guards=[requires(Permission.ASSESSMENTS_DRAFT)], operation_id="DraftAssessment")
    async def draft(
        self, data: JSONBody[AssessmentBody], deps: Deps, principal: Caller, locale: Locale, idempotency_key: KeyHeader
    ) -> Response[AssessmentAnswer]:
        """Write an assessment; its words are sealed."""
        slot = key_slot(principal, route="assessments.draft", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            now, assessment_id = deps.clock(), new_token("pia")
            check_body(data, now=now)
            content = sealed_content(deps, data, tenant=principal.tenant, assessment_id=assessment_id)
            deed = _deed(deps, principal, "assessment.drafted", assessment_id)
            deed.facts = {"activity": data.activity, "content": content.content_hash}
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=assessment_id, status=201, now=now)
                draft_assessment(unit.session, content, assessment_id=assessment_id, by=by(principal), now=now)
            return assessment_id

        def rebuild(assessment_id: str) -> Stored:
            row = assessment_for(deps, principal, assessment_id)
            return Stored(
                status=HTTPStatus.CREATED,
                body=answer_of(deps, row, now=deps.clock(), locale=locale).model_dump(mode="json"),
                headers={"Location": f"{PATH}/{assessment_id}", "ETag": etag(row.revision)},
            )

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @get("/", guards=[requires(Permission.REGISTERS_READ)], sync_to_thread=True, operation_id="ListAssessments")
    def list_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        activity: Annotated[ShortCode | None, QueryParameter(name="activity")] = None,
        stands: Annotated[AssessmentState | None, QueryParameter(name="state")] = None,
        expired: Annotated[bool, QueryParameter(name="expired")] = False,
    ) -> AssessmentPage:
        """Assessments, newest first, a page at a time; `expired=true`: approved ones whose last day is over."""
        now, start = deps.clock(), position_of(after, kind="assessments")
        with deps.database.read() as session:
            found = list_assessments(
                session,
                tenant=principal.tenant,
                activity=activity,
                state=stands,
                expired_on=shanghai_date(now) if expired else None,
                after=start,
                limit=limit + 1,
            )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return AssessmentPage(
            items=[item_of(row, now=now, locale=locale) for row in page],
            end_cursor=cursor_of("assessments", last.created_at, last.id) if last is not None else None,
        )

    @get(
        "/{assessment_id:str}",
        guards=[requires(Permission.REGISTERS_READ)],
        sync_to_thread=True,
        operation_id="GetAssessment",
    )
    def get_one(
        self, assessment_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[AssessmentAnswer]:
        """One assessment with its words."""
        return _told(deps, principal, assessment_id, locale)

    @put(
        "/{assessment_id:str}",
        guards=[requires(Permission.ASSESSMENTS_DRAFT)],
        sync_to_thread=True,
        operation_id="ChangeAssessment",
    )
    def change(
        self,
        *,
        assessment_id: FromPath[str],
        data: JSONBody[AssessmentBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[AssessmentAnswer]:
        """Put other words into a draft; whoever does so is one of its makers."""
        now, row = deps.clock(), assessment_for(deps, principal, assessment_id)
        check_body(data, now=now)
        content = sealed_content(deps, data, tenant=principal.tenant, assessment_id=row.id)
        deed = _deed(deps, principal, "assessment.changed", row.id)
        deed.facts = {"activity": data.activity, "content": content.content_hash}
        with unit_of_work(deps.database, deed) as unit:
            change_assessment(
                unit.session, content, assessment_id=row.id, read_revision=if_match, by=by(principal), now=now
            )
        return _told(deps, principal, row.id, locale)

    @post(
        "/{assessment_id:str}/submission",
        guards=[requires(Permission.ASSESSMENTS_DRAFT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SubmitAssessment",
    )
    def submit(
        self, assessment_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale, if_match: IfMatch
    ) -> Response[AssessmentAnswer]:
        """Freeze a draft for review by a second person."""
        now, row = deps.clock(), assessment_for(deps, principal, assessment_id)
        check_version(read=if_match, current=row.revision)
        shown = hash_of(row)
        deed = _deed(deps, principal, "assessment.submitted", row.id)
        deed.facts = {"shown": shown, "content": row.content_hash}
        with unit_of_work(deps.database, deed) as unit:
            submit_assessment(
                unit.session,
                assessment_id=row.id,
                read_revision=if_match,
                shown_hash=shown,
                by=by(principal),
                now=now,
            )
        return _told(deps, principal, row.id, locale)

    @post(
        "/{assessment_id:str}/approval",
        guards=[requires(Permission.ASSESSMENTS_APPROVE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ApproveAssessment",
    )
    def approve(
        self, assessment_id: FromPath[str], data: JSONBody[ShownBody], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[AssessmentAnswer]:
        """Approve as the second person; from now on it answers rule PIPL-55. Needs a fresh log-in."""
        now, row = deps.clock(), assessment_for(deps, principal, assessment_id)
        check_second_person(principal, row, shown=data.shown_hash)
        fresh_login(principal, now=now)
        deed = _deed(deps, principal, "assessment.approved", row.id)
        deed.facts = {
            "shown": data.shown_hash,
            "content": row.content_hash,
            "activity": row.activity,
            "conclusion": row.conclusion,
            "validUntil": row.valid_until.isoformat(),
        }
        with unit_of_work(deps.database, deed) as unit:
            approve_assessment(
                unit.session, assessment_id=row.id, shown_hash=data.shown_hash, by=by(principal), now=now
            )
        return _told(deps, principal, row.id, locale)

    @post(
        "/{assessment_id:str}/return",
        guards=[requires(Permission.ASSESSMENTS_APPROVE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ReturnAssessment",
    )
    def give_back(
        self,
        assessment_id: FromPath[str],
        data: JSONBody[AssessmentReturnBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[AssessmentAnswer]:
        """Give it back to its makers, with a reason."""
        now, row = deps.clock(), assessment_for(deps, principal, assessment_id)
        check_second_person(principal, row, shown=data.shown_hash)
        deed = _deed(deps, principal, "assessment.returned", row.id)
        deed.facts = {"shown": data.shown_hash, "reason": data.reason_code}
        with unit_of_work(deps.database, deed) as unit:
            return_assessment(
                unit.session,
                assessment_id=row.id,
                shown_hash=data.shown_hash,
                reason_code=data.reason_code,
                by=by(principal),
                now=now,
            )
        return _told(deps, principal, row.id, locale)


def _told(deps: ApiDeps, principal: Principal, assessment_id: str, locale: str) -> Response[AssessmentAnswer]:
    row = assessment_for(deps, principal, assessment_id)
    answer = answer_of(deps, row, now=deps.clock(), locale=locale)
    return Response(answer, headers={"ETag": etag(row.revision)})


def _deed(deps: ApiDeps, principal: Principal, action: str, assessment_id: str) -> Deed:
    return Deed(tenant=principal.tenant, action=action, target=assessment_id, actor=principal.staff_id, at=deps.clock())
