"""What lies in a case's file: its contact log, its documents, its consents."""

from http import HTTPStatus
from typing import Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.installments.access import PATH, case_for, document_for
from api.installments.answers import (
    ContactAnswer,
    ContactCheckAnswer,
    ContactPage,
    DocumentAnswer,
    LimitationAnswer,
    LimitationEventAnswer,
)
from api.installments.bodies import CardBody, ContactBody, ContactCheckBody, NewConsentBody, RecordingBody
from api.installments.card import put_card
from api.installments.consents import record_consent, recorded, take_back
from api.installments.contacts import check_contact, findings, log_talk, put_recording
from api.installments.controller import cursor_of, position_of
from api.installments.documents import FILE_RESPONSE, Adding, UploadOperation, open_document, store_document
from api.installments.views import contact_answer
from api.paging import DEFAULT_LIMIT, After, Limit
from api.parties.views import ConsentAnswer
from models.domain.roles import Permission
from models.queries import case_file
from models.queries.limitation import limitation_events
from models.tables.installments import CaseContact


class CaseFileController(Controller):
    """The file of one case."""

    path = f"{PATH}/{{case_token:str}}"
    tags = ("Installments",)

    @post("/contacts", guards=[requires(Permission.CASES_CREATE)], operation_id="AddCaseContact")
    async def log_contact(
        self,
        *,
        case_token: FromPath[str],
        data: JSONBody[ContactBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ContactAnswer]:
        """Add a talk with the customer to the contact log (沟通记录); its words are sealed.

        If it was we who got in touch about the debt, the rules of contact are asked; what they hold against it stands
        with the entry, which is kept all the same.
        """
        case = await in_thread(case_for, deps, principal, case_token)
        slot = key_slot(principal, route=f"cases.add-contact/{case.token}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: log_talk(deps, case, data, actor=principal.staff_id, slot=slot, fingerprint=digest),
            rebuild=lambda contact_id: _logged(deps, contact_id, locale=locale),
        )

    @post(
        "/contact-checks",
        guards=[requires(Permission.CASES_CREATE)],
        status_code=HTTPStatus.OK,
        sync_to_thread=True,
        operation_id="CheckCaseContact",
    )
    def check_contact(
        self, case_token: FromPath[str], data: JSONBody[ContactCheckBody], deps: Deps, principal: Caller, locale: Locale
    ) -> ContactCheckAnswer:
        """Ask, before it is made, whether a contact about the debt is allowed (催收规则); nothing is recorded."""
        return check_contact(deps, case_for(deps, principal, case_token), data, locale=locale)

    @put(
        "/contacts/{contact_id:str}/recording",
        guards=[requires(Permission.CASES_CREATE)],
        status_code=HTTPStatus.NO_CONTENT,
        sync_to_thread=True,
        operation_id="PutContactRecording",
    )
    def put_recording(
        self,
        case_token: FromPath[str],
        contact_id: FromPath[str],
        data: JSONBody[RecordingBody],
        deps: Deps,
        principal: Caller,
    ) -> None:
        """Name the recording of a contact that was logged before it was filed (补录录音编号)."""
        case = case_for(deps, principal, case_token)
        put_recording(deps, principal, case, contact_id=known_token(contact_id), ref=data.recording_ref)

    @get("/contacts", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="ListCaseContacts")
    def list_contacts(
        self,
        *,
        case_token: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> ContactPage:
        """The contact log, oldest first; words are shown through a reveal only."""
        case, start = case_for(deps, principal, case_token), position_of(after, kind="contacts")
        with deps.database.read() as session:
            found = case_file.contacts_of_case(session, case.token, after=start, limit=limit + 1)
            against = findings(session, [row.id for row in found])
        page = found[:limit]
        return ContactPage(
            items=[contact_answer(row, against.get(row.id, ()), locale=locale) for row in page],
            end_cursor=cursor_of("contacts", page[-1].at, page[-1].id) if len(found) > limit else None,
        )

    @get(
        "/limitation-events",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        operation_id="ListLimitationEvents",
    )
    def list_limitation_events(self, case_token: FromPath[str], deps: Deps, principal: Caller) -> LimitationAnswer:
        """What interrupted limitation of the debt (诉讼时效中断): each debit, each contact about it."""
        case = case_for(deps, principal, case_token)
        with deps.database.read() as session:
            found = limitation_events(session, case.token)
        return LimitationAnswer(
            items=[LimitationEventAnswer(on=each.on, kind=each.kind.value, record=each.record) for each in found]
        )

    @post(
        "/documents",
        guards=[requires(Permission.DOCUMENTS_ADD)],
        opt={"multipart": True},
        operation_class=UploadOperation,
        operation_id="AddCaseDocument",
    )
    async def add_document(
        self,
        *,
        case_token: FromPath[str],
        request: Request[Any, Any, Any],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[DocumentAnswer]:
        """Add a PDF, PNG or JPEG of at most 10 MiB; it is sealed as it comes in."""
        case = await in_thread(case_for, deps, principal, case_token)
        adding = Adding(
            case=case,
            actor=principal.staff_id,
            slot=key_slot(principal, route=f"cases.add-document/{case.token}", key=idempotency_key),
            locale=locale,
            location=f"{PATH}/{case.token}/documents",
        )
        return await store_document(deps, request, adding)

    @get(
        "/documents/{document_id:str}",
        guards=[requires(Permission.SUBJECTS_REVEAL)],
        sync_to_thread=True,
        responses=FILE_RESPONSE,
        operation_id="OpenCaseDocument",
    )
    def get_document(
        self, case_token: FromPath[str], document_id: FromPath[str], deps: Deps, principal: Caller
    ) -> Stream:
        """Open a document, as an attachment; that it was opened is recorded first."""
        document = document_for(deps, principal, case_token=case_token, document_id=document_id)
        return open_document(deps, document, actor=principal.staff_id)

    @put(
        "/card",
        guards=[requires(Permission.CASES_CREATE)],
        status_code=HTTPStatus.NO_CONTENT,
        sync_to_thread=True,
        operation_id="PutCaseCard",
    )
    def put_card(self, case_token: FromPath[str], data: JSONBody[CardBody], deps: Deps, principal: Caller) -> None:
        """Record the card whose debt is meant (信用卡卡号), where the application did not name it."""
        put_card(deps, principal, case_for(deps, principal, case_token), data)

    @post("/consents", guards=[requires(Permission.CONSENTS_ADD)], operation_id="AddCaseConsent")
    async def add_consent(
        self,
        *,
        case_token: FromPath[str],
        data: JSONBody[NewConsentBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ConsentAnswer]:
        """Record what the customer agreed to; the newest consent of a purpose counts."""
        case = await in_thread(case_for, deps, principal, case_token)
        slot = key_slot(principal, route=f"cases.add-consent/{case.token}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: record_consent(deps, case, data, actor=principal.staff_id, slot=slot, fingerprint=digest),
            rebuild=lambda consent_id: recorded(deps, consent_id, locale=locale),
        )

    @delete(
        "/consents/{consent_id:str}",
        guards=[requires(Permission.CONSENTS_ADD)],
        sync_to_thread=True,
        operation_id="WithdrawCaseConsent",
    )
    def withdraw_consent(
        self, case_token: FromPath[str], consent_id: FromPath[str], deps: Deps, principal: Caller
    ) -> None:
        """Withdraw a consent (撤回同意); it stays on record, marked. Repeating it changes nothing."""
        case = case_for(deps, principal, case_token)
        take_back(deps, principal, case, consent_id=known_token(consent_id))


def _logged(deps: ApiDeps, contact_id: str, *, locale: str) -> Stored:
    with deps.database.read() as session:
        contact = session.get_one(CaseContact, contact_id)
        against = findings(session, [contact_id]).get(contact_id, ())
    body = contact_answer(contact, against, locale=locale).model_dump(mode="json")
    return Stored(status=HTTPStatus.CREATED, body=body)
