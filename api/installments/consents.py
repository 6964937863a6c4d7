"""Consents on a case (同意): recorded with form and version of the text, withdrawn without being deleted."""

from http import HTTPStatus

from api.deps import ApiDeps
from api.idempotency import Stored
from api.identity.principal import Principal
from api.installments.bodies import NewConsentBody
from api.parties.views import consent_answer
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid
from models.operations.idempotency import KeySlot, open_key
from models.operations.parties import NewConsent, add_consent, withdraw_consent
from models.queries import case_file
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
    """Record a consent of the case's subject; blocking. Returns its id.

    Raises:
        FormInvalid: the evidence does not lie with this case.
        KeyTaken: another request under this key was first.
    """
    evidence = body.evidence_document_id
    if evidence is not None:
        with deps.database.read() as session:
            known = case_file.document_of_case(session, evidence, case_token=case.token)
        if known is None:
            raise FormInvalid(faults=(FieldFault(pointer="/evidenceDocumentId", code="unknown-document"),))
    now, consent_id = deps.clock(), new_token("cns")
    consent = NewConsent(
        id=consent_id,
        purpose=body.purpose,
        form=body.form,
        text_version=body.text_version,
        evidence_document_id=evidence,
    )
    deed = Deed(
        tenant=case.tenant,
        action="consent.recorded",
        target=case.token,
        actor=actor,
        at=now,
        facts={
            "consent": consent_id,
            "subject": case.subject_id,
            "purpose": body.purpose.value,
            "form": body.form.value,
            "textVersion": body.text_version,
            "evidence": evidence,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session, slot, fingerprint=fingerprint, resource_id=consent_id, now=now, status=HTTPStatus.CREATED
        )
        add_consent(unit.session, consent, tenant=case.tenant, subject_id=case.subject_id, now=now)
    return consent_id


def recorded(deps: ApiDeps, consent_id: str, *, locale: str) -> Stored:
    """The answer about a consent just recorded; blocking."""
    with deps.database.read() as session:
        consent = session.get_one(Consent, consent_id)
    body = consent_answer(consent, locale=locale).model_dump(mode="json")
    return Stored(status=HTTPStatus.CREATED, body=body | {"withdrawnAt": None})


def take_back(deps: ApiDeps, principal: Principal, case: InstallmentCase, *, consent_id: str) -> None:
    """Withdraw a consent (撤回同意); blocking, and repeatable.

    Raises:
        NotFound: the case's subject has no such consent.
    """
    now = deps.clock()
    deed = Deed(
        tenant=case.tenant,
        action="consent.withdrawn",
        target=case.token,
        actor=principal.staff_id,
        at=now,
        facts={"consent": consent_id, "subject": case.subject_id},
    )
    with unit_of_work(deps.database, deed) as unit:
        if not withdraw_consent(unit.session, consent_id, tenant=case.tenant, subject_id=case.subject_id, now=now):
            raise Unchanged
