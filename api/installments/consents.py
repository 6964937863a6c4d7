"""Consents on a case (同意): recorded with form and version of the text, withdrawn without being deleted."""

from http import HTTPStatus

from api.deps import ApiDeps
from api.idempotency import Stored
from api.identity.principal import Principal
from api.installments.bodies import NewConsentBody
from api.parties.views import consent_answer
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.domain.application import Channel, EvidenceKind
from models.domain.consent_effects import EFFECTS_VERSION
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid
from models.operations.idempotency import KeySlot, open_key
from models.operations.parties import NewConsent, add_consent, withdraw_consent
from models.queries import case_file
from models.queries.consent_register import is_known_text
from models.tables.installments import InstallmentCase
from models.tables.parties import Consent


def record_consent(
    deps: ApiDeps,
    case: InstallmentCase,
    body: NewConsentBody,
    *,
    actor: str,
    slot: KeySlot,
    fingerprint: str,
) -> str:
    """Record a consent of the case's subject, entered by staff; blocking. Returns its id.

    Raises:
        FormInvalid: the evidence does not lie with this case, or nobody was ever given such a text.
        KeyTaken: another request under this key was first.
    """
    consent = _checked(deps, case, body)
    return write_consent(deps, case, consent, actor=actor, slot=slot, fingerprint=fingerprint)


def write_consent(
    deps: ApiDeps, case: InstallmentCase, consent: NewConsent, *, actor: str, slot: KeySlot, fingerprint: str
) -> str:
    """Write a consent that has passed its checks; blocking. Returns its id.

    Raises:
        KeyTaken: another request under this key was first.
    """
    now = deps.clock()
    deed = Deed(
        tenant=case.tenant,
        action="consent.recorded",
        target=case.token,
        actor=actor,
        at=now,
        facts={
            "consent": consent.id,
            "subject": case.subject_id,
            "purpose": consent.purpose.value,
            "form": consent.form.value,
            "textVersion": consent.text_version,
            "channel": consent.channel.value,
            "evidence": consent.evidence_document_id or consent.evidence_ref,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session, slot, fingerprint=fingerprint, resource_id=consent.id, now=now, status=HTTPStatus.CREATED
        )
        add_consent(unit.session, consent, tenant=case.tenant, subject_id=case.subject_id, now=now)
    return consent.id


def recorded(deps: ApiDeps, consent_id: str, *, locale: str) -> Stored:
    """The answer about a consent just recorded; blocking."""
    with deps.database.read() as session:
        consent = session.get_one(Consent, consent_id)
    body = consent_answer(consent, locale=locale).model_dump(mode="json")
    return Stored(status=HTTPStatus.CREATED, body=body | {"withdrawnAt": None})


def take_back(deps: ApiDeps, principal: Principal, case: InstallmentCase, *, consent_id: str) -> None:
    """Withdraw a consent (撤回同意) at staff's hand; blocking, and repeatable.

    Raises:
        NotFound: the case's subject has no such consent.
    """
    end_consent(
        deps,
        tenant=case.tenant,
        subject_id=case.subject_id,
        target=case.token,
        consent_id=consent_id,
        channel=Channel.STAFF,
        actor=principal.staff_id,
    )


def end_consent(
    deps: ApiDeps, *, tenant: str, subject_id: str, target: str, consent_id: str, channel: Channel, actor: str
) -> None:
    """Withdraw a consent and keep what that stops; blocking, and repeatable.

    `target` is what the event is about: the case, or the subject. `actor` is a staff id or a link id.

    Raises:
        NotFound: the subject has no such consent.
    """
    now = deps.clock()
    deed = Deed(
        tenant=tenant,
        action="consent.withdrawn",
        target=target,
        actor=actor,
        at=now,
        facts={
            "consent": consent_id,
            "subject": subject_id,
            "channel": channel.value,
            "effectsVersion": EFFECTS_VERSION,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        if not withdraw_consent(
            unit.session, consent_id, tenant=tenant, subject_id=subject_id, channel=channel, actor=actor, now=now
        ):
            raise Unchanged


def _checked(deps: ApiDeps, case: InstallmentCase, body: NewConsentBody) -> NewConsent:
    document, other = body.evidence_document_id, body.evidence
    faults = []
    with deps.database.read() as session:
        if not is_known_text(
            session, tenant=case.tenant, kind=body.purpose.value, version=body.text_version, now=deps.clock()
        ):
            faults.append(FieldFault(pointer="/textVersion", code="unknown-text-version"))
        if document is not None and case_file.document_of_case(session, document, case_token=case.token) is None:
            faults.append(FieldFault(pointer="/evidenceDocumentId", code="unknown-document"))
    if document is not None and other is not None:
        allowed: dict[str, str | int] = {"allowed": "evidenceDocumentId, evidence"}
        faults.append(FieldFault(pointer="", code="exactly-one", params=allowed))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return NewConsent(
        id=new_token("cns"),
        purpose=body.purpose,
        form=body.form,
        text_version=body.text_version,
        channel=Channel.STAFF,
        evidence_document_id=document,
        evidence_kind=EvidenceKind.DOCUMENT if document is not None else other.kind if other is not None else None,
        evidence_ref=other.reference if other is not None else None,
    )
