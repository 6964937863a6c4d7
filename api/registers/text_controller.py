"""Routes of texts (告知与同意文本): drafted, submitted, published by a second person; then read and never changed."""

from typing import Annotated

from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from api.deps import Deps, Locale
from api.etags import IfMatch, check_version, etag
from api.four_eyes import by
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.installments.bodies import TextVersion as VersionName
from api.installments.controller import cursor_of, position_of
from api.moments import moment_of
from api.paging import DEFAULT_LIMIT, After, Limit
from api.registers import texts
from api.registers.text_bodies import (
    ReturnBody,
    ShownBody,
    TextBody,
    TextDraftAnswer,
    TextDraftPage,
    TextVersionAnswer,
    TextVersionList,
)
from compliance.audit.unit import unit_of_work
from models.domain.consent_texts import TextKind, TextState
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.errors import NotFound
from models.operations.consent_texts import (
    change_draft,
    content_of,
    draft_text,
    publish_draft,
    return_draft,
    submit_draft,
)
from models.operations.idempotency import open_key
from models.queries.consent_register import current_version, ends_at, list_drafts, versions_of
from models.tables.consent_register import TextVersion

DRAFTS = "/v1/text-drafts"


class TextDraftController(Controller):
    """Texts on their way to publication."""

    path = DRAFTS
    tags = ("Registers",)

    @post("/", guards=[requires(Permission.TEXTS_DRAFT)], operation_id="DraftText")
    async def draft(
        self, data: JSONBody[TextBody], deps: Deps, principal: Caller, locale: Locale, idempotency_key: KeyHeader
    ) -> Response[TextDraftAnswer]:
        """Write a text in both languages; nobody is shown it before it is published."""
        slot = key_slot(principal, route="texts.draft", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            now, draft_id = deps.clock(), new_token("txd")
            content, validity = texts.read_text(data, drafted_by=principal.staff_id, now=now)
            deed = texts.text_deed(
                principal,
                "text.drafted",
                draft_id,
                at=now,
                kind=content.kind,
                version=content.version,
                content=content.digest(),
            )
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=draft_id, status=201, now=now)
                draft_text(unit.session, content, validity, draft_id=draft_id, by=by(principal), now=now)
            return draft_id

        def rebuild(draft_id: str) -> Stored:
            draft = texts.draft_for(deps, principal, draft_id)
            return Stored(
                status=201,
                body=texts.draft_answer(draft, locale=locale).model_dump(mode="json"),
                headers={"Location": f"{DRAFTS}/{draft_id}", "ETag": etag(draft.revision)},
            )

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @get("/", guards=[requires(Permission.REGISTERS_READ)], sync_to_thread=True, operation_id="ListTextDrafts")
    def list_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        kind: Annotated[TextKind | None, QueryParameter(name="kind")] = None,
        stands: Annotated[TextState | None, QueryParameter(name="state")] = None,
    ) -> TextDraftPage:
        """Drafts, newest first, a page at a time."""
        start = position_of(after, kind="text-drafts")
        with deps.database.read() as session:
            found = list_drafts(session, tenant=principal.tenant, kind=kind, state=stands, after=start, limit=limit + 1)
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return TextDraftPage(
            items=[texts.draft_answer(draft, locale=locale) for draft in page],
            end_cursor=cursor_of("text-drafts", last.created_at, last.id) if last is not None else None,
        )

    @get(
        "/{draft_id:str}",
        guards=[requires(Permission.REGISTERS_READ)],
        sync_to_thread=True,
        operation_id="GetTextDraft",
    )
    def get_one(
        self, draft_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[TextDraftAnswer]:
        """One draft."""
        draft = texts.draft_for(deps, principal, draft_id)
        return Response(texts.draft_answer(draft, locale=locale), headers={"ETag": etag(draft.revision)})

    @put(
        "/{draft_id:str}",
        guards=[requires(Permission.TEXTS_DRAFT)],
        sync_to_thread=True,
        operation_id="ChangeTextDraft",
    )
    def change(
        self,
        *,
        draft_id: FromPath[str],
        data: JSONBody[TextBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[TextDraftAnswer]:
        """Put other words into a draft; whoever does so is one of its makers."""
        now = deps.clock()
        texts.draft_for(deps, principal, draft_id)
        content, validity = texts.read_text(data, drafted_by=principal.staff_id, now=now)
        deed = texts.text_deed(
            principal, "text.changed", draft_id, at=now, version=content.version, content=content.digest()
        )
        with unit_of_work(deps.database, deed) as unit:
            change_draft(
                unit.session,
                content,
                validity,
                draft_id=draft_id,
                read_revision=if_match,
                by=by(principal),
                now=now,
            )
        return self._told(deps, principal, draft_id, locale)

    @post(
        "/{draft_id:str}/submission",
        guards=[requires(Permission.TEXTS_DRAFT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SubmitTextDraft",
    )
    def submit(
        self, draft_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale, if_match: IfMatch
    ) -> Response[TextDraftAnswer]:
        """Freeze a draft for the second person."""
        now, draft = deps.clock(), texts.draft_for(deps, principal, draft_id)
        check_version(read=if_match, current=draft.revision)
        shown = texts.hash_of(draft)
        deed = texts.text_deed(
            principal, "text.submitted", draft_id, at=now, shown=shown, content=content_of(draft).digest()
        )
        with unit_of_work(deps.database, deed) as unit:
            submit_draft(
                unit.session,
                draft_id=draft_id,
                read_revision=if_match,
                shown_hash=shown,
                by=by(principal),
                now=now,
            )
        return self._told(deps, principal, draft_id, locale)

    @post(
        "/{draft_id:str}/publication",
        guards=[requires(Permission.TEXTS_PUBLISH)],
        sync_to_thread=True,
        status_code=200,
        operation_id="PublishText",
    )
    def publish(
        self, draft_id: FromPath[str], data: JSONBody[ShownBody], deps: Deps, principal: Caller, locale: Locale
    ) -> TextVersionAnswer:
        """Publish a text as the second person; its words never change again. Needs a fresh log-in."""
        now, draft = deps.clock(), texts.draft_for(deps, principal, draft_id)
        texts.check_second_person(principal, draft, shown=data.shown_hash)
        fresh_login(principal, now=now)
        deed = texts.text_deed(principal, "text.published", draft_id, at=now, shown=data.shown_hash, kind=draft.kind)
        with unit_of_work(deps.database, deed) as unit:
            made = publish_draft(unit.session, draft_id=draft_id, shown_hash=data.shown_hash, by=by(principal), now=now)
            deed.facts |= {
                "version": made.version,
                "content": made.content_hash,
                "validFrom": made.valid_from.isoformat(),
                "material": made.material,
            }
        return texts.version_answer(made, ends=made.valid_until, now=now, locale=locale)

    @post(
        "/{draft_id:str}/return",
        guards=[requires(Permission.TEXTS_PUBLISH)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ReturnTextDraft",
    )
    def give_back(
        self, draft_id: FromPath[str], data: JSONBody[ReturnBody], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[TextDraftAnswer]:
        """Give a submitted draft back to its makers, with a reason."""
        now, draft = deps.clock(), texts.draft_for(deps, principal, draft_id)
        texts.check_second_person(principal, draft, shown=data.shown_hash)
        deed = texts.text_deed(
            principal, "text.returned", draft_id, at=now, shown=data.shown_hash, reason=data.reason_code
        )
        with unit_of_work(deps.database, deed) as unit:
            return_draft(
                unit.session,
                draft_id=draft_id,
                shown_hash=data.shown_hash,
                reason_code=data.reason_code,
                by=by(principal),
                now=now,
            )
        return self._told(deps, principal, draft_id, locale)

    @staticmethod
    def _told(deps: Deps, principal: Caller, draft_id: str, locale: str) -> Response[TextDraftAnswer]:
        draft = texts.draft_for(deps, principal, draft_id)
        return Response(texts.draft_answer(draft, locale=locale), headers={"ETag": etag(draft.revision)})


class TextVersionController(Controller):
    """Published texts: what somebody was told or agreed to, word for word."""

    path = "/v1/text-versions"
    tags = ("Registers",)

    @get("/", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="ListTextVersions")
    def list_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        kind: Annotated[TextKind, QueryParameter(name="kind")],
        version: Annotated[VersionName | None, QueryParameter(name="version")] = None,
    ) -> TextVersionList:
        """Every version of a kind, or the one named, each with the time for which it holds."""
        now = deps.clock()
        with deps.database.read() as session:
            found = versions_of(session, tenant=principal.tenant, kind=kind)
        return TextVersionList(
            items=[
                texts.version_answer(each, ends=ends_at(each, found), now=now, locale=locale)
                for each in found
                if version in (None, each.version)
            ]
        )

    @get(
        "/current",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        operation_id="GetCurrentText",
    )
    def current(
        self,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        kind: Annotated[TextKind, QueryParameter(name="kind")],
        at: Annotated[str | None, QueryParameter(name="at", max_length=40)] = None,
    ) -> TextVersionAnswer:
        """The version that holds now, or held at a moment: what a customer is to be given."""
        now = deps.clock()
        when = moment_of("at", at) if at is not None else now
        with deps.database.read() as session:
            found: TextVersion | None = current_version(session, tenant=principal.tenant, kind=kind, now=when)
            others = versions_of(session, tenant=principal.tenant, kind=kind)
        if found is None:
            raise NotFound
        return texts.version_answer(found, ends=ends_at(found, others), now=now, locale=locale)
