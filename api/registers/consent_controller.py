"""The consent and notice register (同意与告知台账) for staff: by person, by purpose, as a file; withdrawal."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, QueryParameter

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.installments.bodies import TextVersion
from api.installments.consents import end_consent
from api.installments.controller import cursor_of, position_of
from api.paging import DEFAULT_LIMIT, After, Limit
from api.parties.reveal import subject_for
from api.parties.views import masked_subject
from api.registers.consent_bodies import (
    EntryAnswer,
    EntryPage,
    PurposeAnswer,
    PurposeList,
    SubjectRegisterAnswer,
)
from api.registers.entries import as_csv, effect_answer, entry_answers
from api.wording import worded
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.application import TOLD, Channel, ConsentPurpose
from models.domain.consent_effects import EFFECTS
from models.domain.roles import Permission
from models.queries.consent_register import (
    RegisterFilter,
    Standing,
    count_outdated,
    current_version,
    register_of_purpose,
)
from models.queries.parties import consents_of_subject
from models.tables.parties import Consent

MAX_EXPORT: Final = 5_000  # entries of one file; the next one goes on at its cursor
CSV: Final = "text/csv; charset=utf-8"


class ConsentController(Controller):
    """The register of the caller's institution: of persons with a case in the caller's branch."""

    path = "/v1/consents"
    tags = ("Registers",)

    @get("/purposes", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="ListPurposes")
    def purposes(self, deps: Deps, principal: Caller, locale: Locale) -> PurposeList:
        """Each purpose with the text that holds now, and with what a withdrawal stops."""
        return PurposeList(items=[_purpose(deps, principal, purpose, locale) for purpose in ConsentPurpose])

    @get("/", guards=[requires(Permission.REGISTERS_READ)], sync_to_thread=True, operation_id="ListConsents")
    def list_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        purpose: Annotated[ConsentPurpose, QueryParameter(name="purpose")],
        version: Annotated[TextVersion | None, QueryParameter(name="textVersion")] = None,
        standing: Annotated[Standing | None, QueryParameter(name="standing")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> EntryPage:
        """Entries of one purpose; `standing=outdated` lists who must be asked again after a material change."""
        wanted = RegisterFilter(purpose=purpose, text_version=version, standing=standing)
        items, end = _entries(deps, principal, wanted, after=after, limit=limit, locale=locale)
        return EntryPage(items=items, end_cursor=end)

    @get("/export", guards=[requires(Permission.REGISTERS_EXPORT)], sync_to_thread=True, operation_id="ExportConsents")
    def export(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        purpose: Annotated[ConsentPurpose, QueryParameter(name="purpose")],
        standing: Annotated[Standing | None, QueryParameter(name="standing")] = None,
        after: After = None,
    ) -> Response[str]:
        """Entries of one purpose as a file, at most 5,000; `X-End-Cursor` is where the next file goes on.

        Identifiers and codes only, no names. That it was taken out is recorded first, with the count.
        """
        wanted = RegisterFilter(purpose=purpose, standing=standing)
        items, end = _entries(deps, principal, wanted, after=after, limit=MAX_EXPORT, locale=locale)
        _note_export(deps, principal, target=principal.tenant, purpose=purpose.value, count=len(items))
        headers = {"X-End-Cursor": end} if end is not None else {}
        return _file(as_csv(items), name=f"consents-{purpose.value}", headers=headers)


class SubjectRegisterController(Controller):
    """The register of one person."""

    path = "/v1/subjects/{subject_id:str}/consents"
    tags = ("Registers",)

    @get("/", guards=[requires(Permission.SUBJECTS_READ)], sync_to_thread=True, operation_id="ListSubjectConsents")
    def of_subject(
        self, subject_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> SubjectRegisterAnswer:
        """What a person was told and agreed to, masked, with every version and withdrawal."""
        subject, points = subject_for(deps, principal, known_token(subject_id))
        return SubjectRegisterAnswer(
            subject=masked_subject(deps, subject, points, locale=locale),
            items=_of_subject(deps, subject.id, locale=locale),
        )

    @get(
        "/export",
        guards=[requires(Permission.REGISTERS_EXPORT)],
        sync_to_thread=True,
        operation_id="ExportSubjectConsents",
    )
    def export(self, subject_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> Response[str]:
        """A person's register as a file, the name masked. That it was taken out is recorded first."""
        subject, points = subject_for(deps, principal, known_token(subject_id))
        masked = masked_subject(deps, subject, points, locale=locale)
        items = _of_subject(deps, subject.id, locale=locale)
        _note_export(deps, principal, target=subject.id, purpose=None, count=len(items))
        return _file(as_csv(items, masked_name=masked.name), name=f"consents-{subject.id}", headers={})

    @post(
        "/{consent_id:str}/withdrawal",
        guards=[requires(Permission.CONSENTS_ADD)],
        status_code=HTTPStatus.OK,
        sync_to_thread=True,
        operation_id="WithdrawSubjectConsent",
    )
    def withdraw(
        self, subject_id: FromPath[str], consent_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> EntryAnswer:
        """Withdraw a consent as the person asks (撤回同意); it says what that stops. Repeating changes nothing."""
        subject, _ = subject_for(deps, principal, known_token(subject_id))
        end_consent(
            deps,
            tenant=subject.tenant,
            subject_id=subject.id,
            target=subject.id,
            consent_id=known_token(consent_id),
            channel=Channel.STAFF,
            actor=principal.staff_id,
        )
        return entry_of(deps, consent_id, locale=locale)


def entry_of(deps: ApiDeps, consent_id: str, *, locale: str) -> EntryAnswer:
    """One entry; blocking."""
    with deps.database.read() as session:
        found: Sequence[Consent] = [session.get_one(Consent, consent_id)]
        return entry_answers(session, found, now=deps.clock(), locale=locale)[0]


def _of_subject(deps: ApiDeps, subject_id: str, *, locale: str) -> list[EntryAnswer]:
    with deps.database.read() as session:
        found = consents_of_subject(session, subject_id)
        return entry_answers(session, found, now=deps.clock(), locale=locale)


def _entries(
    deps: ApiDeps, principal: Principal, wanted: RegisterFilter, *, after: str | None, limit: int, locale: str
) -> tuple[list[EntryAnswer], str | None]:
    now, start = deps.clock(), position_of(after, kind="consents")
    with deps.database.read() as session:
        found = register_of_purpose(
            session,
            wanted,
            tenant=principal.tenant,
            branch=principal.branch,
            now=now,
            after=start,
            limit=limit + 1,
        )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        items = entry_answers(session, page, now=now, locale=locale)
        return items, cursor_of("consents", last.given_at, last.id) if last is not None else None


def _purpose(deps: ApiDeps, principal: Principal, purpose: ConsentPurpose, locale: str) -> PurposeAnswer:
    now = deps.clock()
    with deps.database.read() as session:
        text = current_version(session, tenant=principal.tenant, kind=purpose, now=now)
        outdated = count_outdated(session, tenant=principal.tenant, branch=principal.branch, purpose=purpose, now=now)
    return PurposeAnswer(
        purpose=purpose,
        purpose_text=worded(f"consent-purpose.{purpose}", locale),
        told=purpose in TOLD,
        current_version=text.version if text is not None else None,
        content_hash=text.content_hash if text is not None else None,
        valid_from=text.valid_from if text is not None else None,
        effect=effect_answer(EFFECTS[purpose].as_record(), locale=locale),
        outdated=outdated,
    )


def _note_export(deps: ApiDeps, principal: Principal, *, target: str, purpose: str | None, count: int) -> None:
    deed = Deed(
        tenant=principal.tenant,
        action="consents.exported",
        target=target,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={"purpose": purpose, "count": count},
    )
    with unit_of_work(deps.database, deed):
        pass  # the event is all there is to write


def _file(text: str, *, name: str, headers: dict[str, str]) -> Response[str]:
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type=CSV, headers=headers | disposition)
