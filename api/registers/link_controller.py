"""The consent register for customers: they read what holds now, agree to it, look, and take it back."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, once
from api.in_thread import in_thread
from api.installments.consents import end_consent, write_consent
from api.links.intake import case_of_link, usable_link
from api.registers.consent_bodies import LinkConsentBody, LinkEntryAnswer, LinkEntryList
from api.registers.entries import entry_answers
from api.registers.text_bodies import LinkTextAnswer, LinkTextList, TextWords
from api.wording import worded
from compliance.vault.link_tokens import PATH
from models.domain.application import Channel, ConsentForm, ConsentPurpose, EvidenceKind, LinkPurpose
from models.domain.consent_effects import withdrawable_by_customer
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, NotFound, ShownChanged, WrongState
from models.operations.idempotency import KeySlot
from models.operations.parties import NewConsent
from models.queries.consent_register import Standing, current_version, version_named
from models.queries.parties import consents_of_subject
from models.tables.consent_register import TextVersion
from models.tables.installments import InstallmentCase
from models.tables.parties import Consent

_PUBLIC = {"public": True}  # the token in the path is what is asked for instead of a log-in


class LinkConsentController(Controller):
    """What a customer was told and agreed to."""

    path = f"{PATH}/{{token:str}}"
    tags = ("Links",)

    @get("/texts", opt=_PUBLIC, sync_to_thread=True, operation_id="ListTextsThroughLink")
    def texts(self, token: FromPath[str], deps: Deps, locale: Locale) -> LinkTextList:
        """The texts that hold now, in both languages: what is to be read before an application or a consent."""
        link, now = usable_link(deps, token), deps.clock()
        with deps.database.read() as session:
            found = [current_version(session, tenant=link.tenant, kind=purpose, now=now) for purpose in ConsentPurpose]
        return LinkTextList(items=[_text(each, locale) for each in found if each is not None])

    @get("/consents", opt=_PUBLIC, sync_to_thread=True, operation_id="ListConsentsThroughLink")
    def consents(self, token: FromPath[str], deps: Deps, locale: Locale) -> LinkEntryList:
        """What the customer was told and agreed to, with the words of each version."""
        case = case_of_link(deps, usable_link(deps, token, purpose=LinkPurpose.PROGRESS))
        with deps.database.read() as session:
            rows = consents_of_subject(session, case.subject_id)
        return LinkEntryList(items=_entries(deps, rows, locale))

    @post("/consents", opt=_PUBLIC, operation_id="ConsentThroughLink")
    async def consent(
        self,
        token: FromPath[str],
        data: JSONBody[LinkConsentBody],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[LinkEntryAnswer]:
        """Agree to a text, or acknowledge a notice, in the version that holds now; the hash says which words."""
        link = await in_thread(usable_link, deps, token, purpose=LinkPurpose.PROGRESS)
        case = await in_thread(case_of_link, deps, link)
        slot = KeySlot(tenant=link.tenant, principal=link.id, route="links.consent", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            _check_read(deps, case, data)
            consent = NewConsent(
                id=new_token("cns"),
                purpose=data.purpose,
                form=ConsentForm.ELECTRONIC,
                text_version=data.text_version,
                channel=Channel.LINK,
                evidence_kind=EvidenceKind.LINK,
                evidence_ref=link.id,
            )
            return write_consent(deps, case, consent, actor=link.id, slot=slot, fingerprint=digest)

        def rebuild(consent_id: str) -> Stored:
            answer = _entry(deps, consent_id, locale)
            headers = {"Location": "consents"}  # relative, since answers are stored and tokens are not
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @post(
        "/consents/{consent_id:str}/withdrawal",
        opt=_PUBLIC,
        status_code=HTTPStatus.OK,
        sync_to_thread=True,
        operation_id="WithdrawConsentThroughLink",
    )
    def withdraw(self, token: FromPath[str], consent_id: FromPath[str], deps: Deps, locale: Locale) -> LinkEntryAnswer:
        """Take a consent back, as easily as it was given (个人信息保护法 Art. 15); the answer says what that stops."""
        link = usable_link(deps, token, purpose=LinkPurpose.PROGRESS)
        case = case_of_link(deps, link)
        with deps.database.read() as session:
            consent = session.get(Consent, known_token(consent_id))
        if consent is None or (consent.tenant, consent.subject_id) != (case.tenant, case.subject_id):
            raise NotFound
        if not withdrawable_by_customer(consent.purpose):
            raise WrongState(params={"state": "told"})
        end_consent(
            deps,
            tenant=case.tenant,
            subject_id=case.subject_id,
            target=case.token,
            consent_id=consent.id,
            channel=Channel.LINK,
            actor=link.id,
        )
        return _entry(deps, consent.id, locale)


def _check_read(deps: ApiDeps, case: InstallmentCase, body: LinkConsentBody) -> None:
    """Agreed is to what holds now, in the words that were read.

    Raises:
        FormInvalid: no such text holds now.
        ShownChanged: its words are others than those that were read.
    """
    with deps.database.read() as session:
        current = current_version(session, tenant=case.tenant, kind=body.purpose, now=deps.clock())
    if current is None or current.version != body.text_version:
        raise FormInvalid(faults=(FieldFault(pointer="/textVersion", code="unknown-text-version"),))
    if current.content_hash != body.content_hash:
        raise ShownChanged


def _text(version: TextVersion, locale: str) -> LinkTextAnswer:
    return LinkTextAnswer(
        purpose=version.kind,
        purpose_text=worded(f"consent-purpose.{version.kind}", locale),
        version=version.version,
        content_hash=version.content_hash,
        text=TextWords(zh=version.zh, en=version.en),
        valid_from=version.valid_from,
    )


def _entry(deps: ApiDeps, consent_id: str, locale: str) -> LinkEntryAnswer:
    with deps.database.read() as session:
        row = session.get_one(Consent, consent_id)
    return _entries(deps, [row], locale)[0]


def _entries(deps: ApiDeps, rows: list[Consent], locale: str) -> list[LinkEntryAnswer]:
    with deps.database.read() as session:
        told = entry_answers(session, rows, now=deps.clock(), locale=locale)
        words = [version_named(session, tenant=row.tenant, kind=row.purpose, version=row.text_version) for row in rows]
    return [
        LinkEntryAnswer(
            id=each.id,
            purpose=each.purpose,
            purpose_text=each.purpose_text,
            text_version=each.text_version,
            text=TextWords(zh=text.zh, en=text.en) if text is not None else None,
            given_at=each.given_at,
            standing=each.standing,
            standing_text=each.standing_text,
            withdrawable=each.standing in (Standing.STANDS, Standing.OUTDATED)
            and withdrawable_by_customer(each.purpose),
            # Who of the bank entered it is the bank's to know.
            withdrawal=each.withdrawal.model_copy(update={"actor": None}) if each.withdrawal is not None else None,
        )
        for each, text in zip(told, words, strict=True)
    ]
