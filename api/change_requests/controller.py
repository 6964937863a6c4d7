"""Single changes of a customer's record (客户信息变更申请): collect, review, second look; both sides are told."""

from http import HTTPStatus
from typing import Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody
from sqlmodel import and_, col, or_, select

from api.change_requests.acts import changes_of, create, decide, note_read, request_for, values_of
from api.change_requests.bodies import (
    ChangeDecisionBody,
    ChangeRequestAnswer,
    ChangeRequestBody,
    ChangeRequestDetail,
    ChangeRequestPage,
    ChangeValueAnswer,
)
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.installments.controller import cursor_of, position_of
from api.paging import DEFAULT_LIMIT, After, Limit
from api.wording import worded
from compliance.vault.masking import masked
from models.domain.customers.change_request import needs_second
from models.domain.privacy.words import Mask
from models.domain.roles import Permission
from models.queries.products import masks_of
from models.tables.change_requests import ChangeRequest
from models.tables.customers import CustomerRecord

_KIND: Final = "change-requests"
_MASKS: Final = {
    "name": Mask.NAME,
    "id_number": Mask.ID_NUMBER,
    "mobile": Mask.PHONE,
    "email": Mask.EMAIL,
    "account": Mask.CARD,
    "address": Mask.ADDRESS,
    "id_type": Mask.NONE,
    "language": Mask.NONE,
}


class ChangeRequestController(Controller):
    """Requests of the caller's institution."""

    path = "/v1/change-requests"
    tags = ("Customers",)

    @post("/", guards=[requires(Permission.CHANGES_REQUEST)], operation_id="CreateChangeRequest")
    async def create_request(
        self,
        data: JSONBody[ChangeRequestBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ChangeRequestAnswer]:
        """Take down what a customer asks to have changed, by phone, mail or at the counter."""
        slot = key_slot(principal, route="change-requests.create", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: create(deps, principal, data, slot=slot, fingerprint=digest),
            rebuild=lambda request_id: _stored(deps, principal, request_id, locale),
        )

    @get("/", guards=[requires(Permission.CHANGES_REQUEST)], sync_to_thread=True, operation_id="ListChangeRequests")
    def list_all(
        self, deps: Deps, principal: Caller, locale: Locale, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> ChangeRequestPage:
        """Requests of the caller's institution, the newest first."""
        start = position_of(after, kind=_KIND)
        query = select(ChangeRequest).where(col(ChangeRequest.tenant) == principal.tenant)
        if start is not None:
            at, last = start
            query = query.where(
                or_(
                    col(ChangeRequest.created_at) < at,
                    and_(col(ChangeRequest.created_at) == at, col(ChangeRequest.id) < last),
                )
            )
        ordered = query.order_by(col(ChangeRequest.created_at).desc(), col(ChangeRequest.id).desc()).limit(limit + 1)
        with deps.database.read() as session:
            found = session.exec(ordered).all()
        page = found[:limit]
        cursor = cursor_of(_KIND, page[-1].created_at, page[-1].id) if len(found) > limit else None
        return ChangeRequestPage(items=[_answer(row, locale) for row in page], end_cursor=cursor)

    @get(
        "/{change_id:str}",
        guards=[requires(Permission.CHANGES_REQUEST)],
        sync_to_thread=True,
        operation_id="GetChangeRequest",
    )
    def get_one(self, change_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> ChangeRequestDetail:
        """One request with what changes, masked; that it was looked at is recorded."""
        request = request_for(deps, principal, change_id)
        return ChangeRequestDetail(
            **_answer(request, locale).model_dump(by_alias=False), values=_values(deps, principal, request, locale)
        )

    @post(
        "/{change_id:str}/review",
        guards=[requires(Permission.CHANGES_REVIEW)],
        operation_id="ReviewChangeRequest",
    )
    async def review(
        self,
        *,
        change_id: FromPath[str],
        data: JSONBody[ChangeDecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ChangeRequestAnswer]:
        """Review: refuse, or approve. Without a key field the record is changed at once."""
        return await _decided(deps, principal, change_id, data, second=False, key=idempotency_key, locale=locale)

    @post(
        "/{change_id:str}/confirmation",
        guards=[requires(Permission.CHANGES_REVIEW)],
        operation_id="ConfirmChangeRequest",
    )
    async def confirm(
        self,
        *,
        change_id: FromPath[str],
        data: JSONBody[ChangeDecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ChangeRequestAnswer]:
        """The second person (复核), where a key field changes: neither who entered it nor who reviewed it."""
        return await _decided(deps, principal, change_id, data, second=True, key=idempotency_key, locale=locale)


async def _decided(
    deps: ApiDeps,
    principal: Principal,
    request_id: str,
    body: ChangeDecisionBody,
    *,
    second: bool,
    key: str,
    locale: str,
) -> Response[ChangeRequestAnswer]:
    slot = key_slot(principal, route=f"change-requests.{'confirm' if second else 'review'}/{request_id[:40]}", key=key)
    digest = await in_thread(fingerprint, deps, slot, body)
    return await once(
        deps,
        slot,
        fingerprint=digest,
        act=lambda: decide(deps, principal, request_id, body, second=second, slot=slot, fingerprint=digest),
        rebuild=lambda found: _stored(deps, principal, found, locale),
    )


def _stored(deps: ApiDeps, principal: Principal, request_id: str, locale: str) -> Stored:
    answer = _answer(request_for(deps, principal, request_id), locale)
    headers = {"Location": f"/v1/change-requests/{request_id}"}
    return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)


def _answer(row: ChangeRequest, locale: str) -> ChangeRequestAnswer:
    return ChangeRequestAnswer(
        id=row.id,
        customer_id=row.record_id,
        channel=row.channel,
        fields=row.fields,
        fields_text=(", " if locale == "en" else "、").join(
            worded(f"changed-field.{name}", locale) for name in row.fields
        ),
        needs_second=needs_second(row.fields),
        state=row.state,
        state_text=worded(f"change-request-state.{row.state}", locale),
        reason_code=row.reason_code,
        shown_hash=row.shown_hash,
        created_by=row.created_by,
        reviewed_by=row.reviewed_by,
        confirmed_by=row.confirmed_by,
        created_at=row.created_at,
        applied_at=row.applied_at,
        ended_at=row.ended_at,
    )


def _values(deps: ApiDeps, principal: Principal, request: ChangeRequest, locale: str) -> list[ChangeValueAnswer]:
    """What changes, masked. Once the request is over nothing of it is left here."""
    changed = changes_of(deps.vault, request)
    if not changed:
        return []
    with deps.database.read() as session:
        record = session.get_one(CustomerRecord, request.record_id)
        masks = masks_of(session, request.tenant)
    before = values_of(deps.vault, record)
    note_read(deps, principal, request)
    return [
        ChangeValueAnswer(
            field=name,
            field_text=worded(f"changed-field.{name}", locale),
            before=_shown(name, before.get(name), masks),
            after=_shown(name, value, masks),
        )
        for name, value in sorted(changed.items())
    ]


def _shown(name: str, value: str | None, masks: object) -> str | None:
    return None if value is None else masked(_MASKS.get(name, Mask.HIDDEN), value, masks)  # type: ignore[arg-type]
