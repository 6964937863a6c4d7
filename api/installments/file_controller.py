"""What lies in a case's file: its contact log, its documents, its consents."""

from http import HTTPStatus
from typing import Any

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.installments.access import PATH, case_for, document_for
from api.installments.answers import ContactAnswer, ContactPage, DocumentAnswer
from api.installments.bodies import ContactBody, NewConsentBody
from api.installments.consents import record_consent, recorded, take_back
from api.installments.controller import cursor_of, position_of
from api.installments.documents import FILE_RESPONSE, Adding, UploadOperation, open_document, store_document
from api.installments.views import contact_answer
from api.paging import DEFAULT_LIMIT, After, Limit
from api.parties.views import ConsentAnswer
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid
from models.operations.cases import NewContact, add_contact
from models.operations.idempotency import KeySlot, open_key
from models.queries import case_file
from models.tables.installments import CaseContact, InstallmentCase


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
        """Add a talk with the customer to the contact log (沟通记录); its words are sealed."""
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
        page = found[:limit]
        return ContactPage(
            items=[contact_answer(row, locale=locale) for row in page],
            end_cursor=cursor_of("contacts", page[-1].at, page[-1].id) if len(found) > limit else None,
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


def log_talk(
    deps: ApiDeps, case: InstallmentCase, body: ContactBody, *, actor: str, slot: KeySlot, fingerprint: str
) -> str:
    """Write an entry of the contact log; blocking. Returns its id.

    Raises:
        FormInvalid: the talk would be held in the future.
        KeyTaken: another request under this key was first.
    """
    now, contact_id, note = deps.clock(), new_token("con"), None
    at = body.at or now
    if at > now:
        fault = FieldFault(pointer="/at", code="date-future", params={"max": now.date().isoformat()})
        raise FormInvalid(faults=(fault,))
    if body.note is not None:
        address = CellAddress(case.tenant, "case_contacts", "note_cell", contact_id, case.subject_id)
        note = deps.vault.seal(address, body.note)
    contact = NewContact(
        id=contact_id,
        tenant=case.tenant,
        case_token=case.token,
        channel=body.channel,
        direction=body.direction,
        result=body.result_code,
        note_cell=note,
        by_staff=actor,
        at=at,
    )
    deed = Deed(
        tenant=case.tenant,
        action="contact.logged",
        target=case.token,
        actor=actor,
        at=now,
        facts={
            "contact": contact_id,
            "channel": body.channel.value,
            "direction": body.direction.value,
            "result": body.result_code.value,
            "hasNote": note is not None,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session, slot, fingerprint=fingerprint, resource_id=contact_id, now=now, status=HTTPStatus.CREATED
        )
        add_contact(unit.session, contact)
    return contact_id


def _logged(deps: ApiDeps, contact_id: str, *, locale: str) -> Stored:
    with deps.database.read() as session:
        contact = session.get_one(CaseContact, contact_id)
    return Stored(status=HTTPStatus.CREATED, body=contact_answer(contact, locale=locale).model_dump(mode="json"))
