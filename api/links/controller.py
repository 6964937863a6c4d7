"""Customers' links: made by staff, used by the customer without a log-in. The token is the key; it is never logged."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, JSONBody

from api.deps import Deps, Locale
from api.idempotency import KeyHeader, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.installments.answers import DocumentAnswer
from api.installments.bodies import LinkApplicationBody, WithdrawalBody
from api.installments.documents import Adding, UploadOperation, store_document
from api.installments.withdrawal import ANSWERS, Withdrawal, check_reason, withdraw
from api.links.bodies import AppliedAnswer, LinkAnswer, NewLinkBody, NoticeAnswer, OpenLinkAnswer, ProgressAnswer
from api.links.intake import (
    application_link,
    applied,
    apply_through,
    case_of_link,
    made,
    make_link,
    progress_answer,
    usable_link,
)
from api.tasks.deciding import DecidedAnswer
from api.wording import worded
from compliance.vault.link_tokens import PATH
from models.domain.application import LinkPurpose
from models.domain.roles import Permission
from models.operations.idempotency import KeySlot

NOTICE_VERSION: Final = "2026-01"  # a changed text is a new version
_CURRENCY: Final = "CNY"
_PUBLIC: Final = {"public": True}  # the token in the path is what is asked for instead of a log-in


class CustomerLinkController(Controller):
    """Links that staff hand to customers."""

    path = "/v1/customer-links"
    tags = ("Links",)

    @post("/", guards=[requires(Permission.LINKS_CREATE)], operation_id="CreateCustomerLink")
    async def create(
        self, data: JSONBody[NewLinkBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[LinkAnswer]:
        """Make a link of one purpose that expires within a week; the answer is the only place that shows its token."""
        slot = key_slot(principal, route="links.create", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: make_link(deps, principal, data, slot=slot, fingerprint=digest),
            rebuild=lambda link_id: made(deps, principal, link_id),
        )


class LinkController(Controller):
    """What a customer does through a link."""

    path = f"{PATH}/{{token:str}}"
    tags = ("Links",)

    @get("/", opt=_PUBLIC, sync_to_thread=True, operation_id="OpenLink")
    def open_link(self, token: FromPath[str], deps: Deps, locale: Locale) -> OpenLinkAnswer:
        """What the link is for, what stands filled in, and what the customer must be told first."""
        link = usable_link(deps, token)
        key = f"link-notice.{link.purpose}"
        return OpenLinkAnswer(
            purpose=link.purpose,
            state="open",
            expires_at=link.expires_at,
            terms=link.terms,
            currency=_CURRENCY,
            notice=NoticeAnswer(key=key, version=NOTICE_VERSION, text=worded(key, locale)),
        )

    @post("/application", opt=_PUBLIC, operation_id="ApplyThroughLink")
    async def apply(
        self,
        token: FromPath[str],
        data: JSONBody[LinkApplicationBody],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[AppliedAnswer]:
        """Apply, once per link; the answer holds a link under which the case's progress can be seen."""
        link, slot = await in_thread(application_link, deps, token, key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        cases: list[str] = []

        def act() -> str:
            cases.append(apply_through(deps, link, data, slot=slot, fingerprint=digest))
            return cases[0]

        answer = await once(
            deps, slot, fingerprint=digest, act=act, rebuild=lambda case: applied(deps, link, case, locale=locale)
        )
        for case_token in cases:
            await deps.dispatcher.start_case(case_token)  # if nobody answers, the relay starts it
        return answer

    @get("/progress", opt=_PUBLIC, sync_to_thread=True, operation_id="GetProgress")
    def progress(self, token: FromPath[str], deps: Deps, locale: Locale) -> ProgressAnswer:
        """How the case stands."""
        link = usable_link(deps, token, purpose=LinkPurpose.PROGRESS)
        return progress_answer(deps, link, locale=locale)

    @post(
        "/documents",
        opt={**_PUBLIC, "multipart": True},
        operation_class=UploadOperation,
        operation_id="AddDocumentThroughLink",
    )
    async def add_document(
        self,
        token: FromPath[str],
        request: Request[Any, Any, Any],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[DocumentAnswer]:
        """Add a PDF, PNG or JPEG of at most 10 MiB to the case."""
        link = await in_thread(usable_link, deps, token, purpose=LinkPurpose.PROGRESS)
        case = await in_thread(case_of_link, deps, link)
        slot = KeySlot(tenant=link.tenant, principal=link.id, route="links.add-document", key=idempotency_key)
        adding = Adding(case=case, actor=link.id, slot=slot, locale=locale, location=None)
        return await store_document(deps, request, adding)

    @post("/withdrawal", opt=_PUBLIC, responses=ANSWERS, operation_id="WithdrawThroughLink")
    async def withdraw_case(
        self, token: FromPath[str], data: JSONBody[WithdrawalBody], deps: Deps, idempotency_key: KeyHeader
    ) -> Response[DecidedAnswer]:
        """Withdraw the application (撤回申请), at any point before its end."""
        check_reason(data.reason_code)
        link = await in_thread(usable_link, deps, token, purpose=LinkPurpose.PROGRESS)
        case = await in_thread(case_of_link, deps, link)
        withdrawal = Withdrawal(
            case=case,
            reason_code=data.reason_code,
            note=data.note,
            actor=link.id,
            staff_id=None,
            person_id=None,
            expected_version=None,
            slot=KeySlot(tenant=link.tenant, principal=link.id, route="links.withdraw", key=idempotency_key),
            location="progress",  # relative, since answers are stored and tokens are not
        )
        return await withdraw(deps, withdrawal, data)
