"""The signing desk: prints, seals and archives what is signed, and sends the customer the link to read and sign it.

A document goes to its place first and gets its row after, under a name that follows from its business key: a step that
was killed in between finds its file again. What a document says of a person is in memory for the length of one call.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session
from temporalio import activity

from activities.documents.content import Agreement, CostStatement, SigningForm
from activities.documents.facts import facts_of
from activities.documents.render import Renderer
from activities.documents.seal import seal_pdf
from activities.gateways.core import open_card
from activities.installments.signing_content import (
    WORDING,
    Papers,
    Party,
    Settled,
    agreement_content,
    letter_content,
    statement_content,
)
from activities.installments.signing_links import Told, tell
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.files import FileAddress, SealedFile
from compliance.vault.keyring import Vault
from compliance.vault.shelf import Shelf
from models.contracts.agreements import (
    AgreementPrepared,
    CloseInput,
    InviteInput,
    PrepareAgreementInput,
    SealAgreementInput,
)
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.application import MAX_LINK_HOURS, DocumentKind, LinkPurpose
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.notices import NoticeChannel, NoticeKind
from models.domain.servicing.events import EventKind
from models.domain.shanghai import shanghai_date
from models.domain.states import Outcome
from models.domain.tokens import named_token, new_token
from models.errors import NotFound, WrongState
from models.operations.cases import NewDocument, add_document
from models.operations.signing import revoke_mandates
from models.queries import agreements, signing
from models.queries.case_file import document_of_case
from models.queries.notices import contact_point_for, notice_by_key
from models.queries.products import product_named
from models.tables.agreements import AgreementEvent, AgreementText, PlanOffer, Signature
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.parties import ContactPoint, Subject
from models.tables.tasks import Decision
from models.tables.tenants import Tenant
from workflows.ports.agreements import SigningPort

_PDF = "application/pdf"
_LINK_LIFE = timedelta(hours=MAX_LINK_HOURS)
_MONEY_IN = frozenset({EventKind.PAYMENT, EventKind.PREPAYMENT, EventKind.SETTLEMENT})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Customer:
    """Rows about whom a document is: cells still sealed."""

    tenant: Tenant
    case: InstallmentCase
    subject: Subject
    mobile: ContactPoint | None


@dataclass(slots=True)
class SigningDesk(SigningPort):
    """The adapter.

    Attributes:
        files_root: where sealed files lie; the same as the API's.
        links_url: how customers reach this service from outside, without a slash at the end.
    """

    database: Database
    vault: Vault
    clock: Clock
    files_root: Path
    links_url: str
    renderer: Renderer = field(default_factory=Renderer)

    @activity.defn(name="installments.prepare_agreement", no_thread_cancel_exception=True)
    def prepare_agreement(self, input: PrepareAgreementInput) -> AgreementPrepared:
        """Print agreement and cost statement of the approved plan, sealed (协议、综合融资成本明示表)."""
        key, now = f"text/{input.case_token}/{input.round}", self.clock()
        with self.database.read() as session:
            known = signing.text_by_key(session, key)
            if known is not None:
                return _prepared(known)
            about, offer = _customer(session, input.case_token), _approved(session, input.case_token)
            product = product_named(session, about.tenant.code, version=offer.terms["product"])
        papers = Papers(
            tenant=about.tenant,
            party=self._open(about),
            offer=offer,
            product=product,
            currency=about.case.currency,
            agreement_id=named_token("doc", f"{key}/{DocumentKind.AGREEMENT}"),
            cost_id=named_token("doc", f"{key}/{DocumentKind.COST_STATEMENT}"),
            made_on=shanghai_date(now),
        )
        agreement, statement = agreement_content(papers), statement_content(papers)
        statement_pdf = self.renderer.render(statement)
        # The statement is the bank's own word, so it bears the seal when the customer reads it.
        sealed_statement = self._sealed(about.tenant, statement_pdf, reason=f"statement {papers.cost_id}", now=now)
        on_paper = _on_paper(papers, key)
        documents = (
            self._put(about.case, papers.agreement_id, DocumentKind.AGREEMENT, self.renderer.render(agreement)),
            self._put(about.case, papers.cost_id, DocumentKind.COST_STATEMENT, sealed_statement),
            *(self._put(about.case, id_, kind, self.renderer.render(told)) for id_, kind, told in on_paper),
        )
        text = AgreementText(
            id=new_token("txt"),
            tenant=about.case.tenant,
            case_token=about.case.token,
            business_key=key,
            plan_hash=offer.plan_hash or "",
            agreement_document_id=papers.agreement_id,
            cost_document_id=papers.cost_id,
            paper_agreement_document_id=on_paper[0][0],
            paper_cost_document_id=on_paper[1][0],
            wording_version=WORDING,
            facts=facts_of(agreement, statement, locale=papers.locale),
            created_at=now,
        )
        return self._keep_text(text, documents, now=now)

    @activity.defn(name="installments.invite", no_thread_cancel_exception=True)
    def invite(self, input: InviteInput) -> Done:
        """Send the customer the link to read and sign; links of earlier rounds work no more."""
        now, key = self.clock(), f"invite/{input.case_token}/{input.round}"
        with self.database.read() as session:
            if notice_by_key(session, tenant=tenant_of_case(input.case_token), business_key=key) is not None:
                return Done()
            about, offer = _customer(session, input.case_token), _approved(session, input.case_token)
        told = Told(
            case=about.case,
            business_key=key,
            kind=NoticeKind.SIGN_INVITATION,
            purpose=LinkPurpose.SIGNING,
            expires_at=now + _LINK_LIFE,
            params={"amount": int(offer.terms["principalMinor"]), "months": int(offer.figures["term"])},
        )
        tell(self.database, self.vault, told, links_url=self.links_url, now=now)
        return Done()

    @activity.defn(name="installments.seal_agreement", no_thread_cancel_exception=True)
    def seal_agreement(self, input: SealAgreementInput) -> Done:
        """Put the bank's seal on the signed agreement and archive it, its hash in the log (用印、归档)."""
        now = self.clock()
        with self.database.read() as session:
            case = session.get_one(InstallmentCase, input.case_token)
            tenant = session.get_one(Tenant, case.tenant)
            signature = _signature_of(session, case, input.decision_id)
            text = session.get(AgreementText, signature.text_id) if signature.text_id is not None else None
        if signature.sealed_document_id is not None:
            return Done()
        if text is None:
            raise WrongState(detail=case.token, params={"state": "not-printed"})
        shelf = self._shelf()
        printed_id = _signed_text(text, signature)
        printed = shelf.read(FileAddress(case.tenant, case.subject_id, printed_id))
        reason = f"agreement {printed_id} signed by decision {input.decision_id}"
        document_id = named_token("doc", f"seal/{input.case_token}/{input.decision_id}")
        sealed = self._sealed(tenant, printed, reason=reason, now=now)
        archived = self._put(case, document_id, DocumentKind.SEALED_AGREEMENT, sealed)
        # Of the file that stands, which may be an earlier try's: what it hashes to holds a signature nobody can guess.
        pdf = shelf.read(FileAddress(case.tenant, case.subject_id, document_id))
        pdf_digest = hashlib.sha256(pdf).hexdigest()
        self._keep_seal(signature, archived, pdf_digest=pdf_digest, now=now)
        return Done()

    @activity.defn(name="installments.close_letter", no_thread_cancel_exception=True)
    def close_letter(self, input: CloseInput) -> Done:
        """Print, seal and announce the letter that nothing is owed any more (结清证明)."""
        now, key = self.clock(), f"close-letter/{input.case_token}"
        with self.database.read() as session:
            if notice_by_key(session, tenant=tenant_of_case(input.case_token), business_key=key) is not None:
                return Done()
            about = _customer(session, input.case_token)
            agreement = agreements.agreement_of_case(session, case_token=input.case_token)
            events = agreements.events_of_agreement(session, agreement.id) if agreement is not None else []
        if agreement is None or agreement.closed_on is None:
            raise WrongState(detail=input.case_token, params={"state": "not-closed"})
        document_id = named_token("doc", key)
        content = letter_content(
            Settled(
                tenant=about.tenant,
                party=self._open(about),
                agreement=agreement,
                letter_id=document_id,
                signed_on=shanghai_date(agreement.signed_at),
                settled_on=agreement.closed_on,
                paid_minor=_paid(events),
                made_on=shanghai_date(now),
            )
        )
        pdf = self._sealed(about.tenant, self.renderer.render(content), reason=f"letter {document_id}", now=now)
        letter = self._put(about.case, document_id, DocumentKind.CLOSE_LETTER, pdf)
        told = Told(
            case=about.case,
            business_key=key,
            kind=NoticeKind.CLOSE_LETTER_READY,
            purpose=LinkPurpose.PROGRESS,
            expires_at=now + _LINK_LIFE,
            params={},
            document=letter,
        )
        tell(self.database, self.vault, told, links_url=self.links_url, now=now)
        return Done()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _shelf(self) -> Shelf:
        return Shelf(vault=self.vault, root=self.files_root)

    def _open(self, about: _Customer) -> Party:
        subject, mobile = about.subject, about.mobile
        row = RowAddress(tenant=subject.tenant, table="subjects", row=subject.id, subject=subject.id)
        cells = {"name_cell": subject.name_cell, "id_cell": subject.id_cell}
        if subject.address_cell is not None:
            cells["address_cell"] = subject.address_cell
        opened = self.vault.open_many_text(row, cells)
        number = None
        if mobile is not None:
            address = CellAddress(mobile.tenant, "contact_points", "value_cell", mobile.id, mobile.subject_id)
            number = self.vault.open_text(address, mobile.value_cell)
        return Party(
            name=opened["name_cell"],
            id_type=subject.id_type,
            id_number=opened["id_cell"],
            mobile=number,
            address=opened.get("address_cell"),
            card_number=open_card(self.vault, subject).number,
        )

    def _sealed(self, tenant: Tenant, pdf: bytes, *, reason: str, now: datetime) -> bytes:
        # A tenant from before there were seals gets one with its first document.
        self.vault.ensure_seal(tenant=tenant.code, organisation=tenant.name)
        return seal_pdf(pdf, self.vault.document_seal(tenant.code), reason=reason, at=now)

    def _put(self, case: InstallmentCase, document_id: str, kind: DocumentKind, pdf: bytes) -> NewDocument:
        address = FileAddress(case.tenant, case.subject_id, document_id)
        return _document(case, document_id, kind, self._shelf().put_once(address, pdf))

    def _keep_text(
        self, text: AgreementText, documents: tuple[NewDocument, ...], *, now: datetime
    ) -> AgreementPrepared:
        deed = Deed(
            tenant=text.tenant,
            action="agreement.printed",
            target=text.case_token,
            actor="workflow",
            at=now,
            facts={
                "text": text.id,
                "plan": text.plan_hash,
                "wording": text.wording_version,
                "documents": {document.kind: [document.id, document.digest] for document in documents},
            },
        )
        answer = _prepared(text)
        with unit_of_work(self.database, deed) as unit:
            known = signing.text_by_key(unit.session, text.business_key)
            if known is not None:
                answer = _prepared(known)
                raise Unchanged
            for document in documents:
                add_document(unit.session, document, now=now)
            unit.session.add(text)
        return answer

    def _keep_seal(self, signature: Signature, archived: NewDocument, *, pdf_digest: str, now: datetime) -> None:
        deed = Deed(
            tenant=signature.tenant,
            action="agreement.sealed",
            target=signature.case_token,
            actor="workflow",
            at=now,
            facts={
                "signature": signature.id,
                "method": signature.method,
                "text": signature.text_id,
                "paper": signature.paper_document_id,
                "plan": signature.plan_hash,
                "document": archived.id,
                "digest": archived.digest,
                "pdfDigest": pdf_digest,
            },
        )
        with unit_of_work(self.database, deed) as unit:
            known = signing.signature_by_decision(unit.session, signature.decision_id)
            if known is not None and known.sealed_document_id is not None:
                raise Unchanged
            standing = known or signature
            if known is None:  # on paper nobody authorised debits; what an earlier signature did counts no more
                revoke_mandates(unit.session, case_token=signature.case_token, now=now)
            add_document(unit.session, archived, now=now)
            standing.sealed_document_id = archived.id
            unit.session.add(standing)
            deed.facts["signature"] = standing.id


def _customer(session: Session, case_token: str) -> _Customer:
    case = session.get_one(InstallmentCase, case_token)
    return _Customer(
        tenant=session.get_one(Tenant, case.tenant),
        case=case,
        subject=session.get_one(Subject, case.subject_id),
        mobile=contact_point_for(session, case.subject_id, channel=NoticeChannel.SMS),
    )


def _approved(session: Session, case_token: str) -> PlanOffer:
    offer = signing.chosen_offer(session, case_token=case_token)
    if offer is None or offer.plan_hash is None:
        raise WrongState(detail=case_token, params={"state": "no-plan"})
    return offer


def _on_paper(papers: Papers, key: str) -> tuple[tuple[str, DocumentKind, Agreement | CostStatement], ...]:
    """Both documents as they are signed by hand: no seal box, lines to write on; the bank stamps them itself."""
    agreement_id = named_token("doc", f"{key}/{DocumentKind.PAPER_AGREEMENT}")
    cost_id = named_token("doc", f"{key}/{DocumentKind.PAPER_COST_STATEMENT}")
    by_hand = replace(papers, form=SigningForm.PAPER, agreement_id=agreement_id, cost_id=cost_id)
    return (
        (agreement_id, DocumentKind.PAPER_AGREEMENT, agreement_content(by_hand)),
        (cost_id, DocumentKind.PAPER_COST_STATEMENT, statement_content(by_hand)),
    )


def _signed_text(text: AgreementText, signature: Signature) -> str:
    """The document with the words that were signed: a paper has words of its own."""
    by_hand = text.paper_agreement_document_id if signature.method == "paper" else None
    return by_hand or text.agreement_document_id


def _prepared(text: AgreementText) -> AgreementPrepared:
    return AgreementPrepared(agreement_document_id=text.agreement_document_id, cost_document_id=text.cost_document_id)


def _document(case: InstallmentCase, document_id: str, kind: DocumentKind, kept: SealedFile) -> NewDocument:
    return NewDocument(
        id=document_id,
        tenant=case.tenant,
        case_token=case.token,
        subject_id=case.subject_id,
        kind=kind,
        media_type=_PDF,
        filename_cell=None,
        size_bytes=kept.size_bytes,
        digest=kept.digest,
        added_by="workflow",
    )


def _signature_of(session: Session, case: InstallmentCase, decision_id: str) -> Signature:
    """The signature that a decision made; of a signing on paper, the one that it stands for.

    On paper the customer signs the cost statement and then the agreement, and one scan shows both. That it lies with
    the case proves the one; that it is registered, and another person has compared it, concludes the other.
    """
    known = signing.signature_by_decision(session, decision_id)
    if known is not None:
        return known
    decision = session.get(Decision, decision_id)
    if decision is None or decision.case_token != case.token or decision.outcome != Outcome.PAPER:
        raise NotFound(detail=decision_id)
    scan: CaseDocument | None = document_of_case(session, str(decision.form.get("document")), case_token=case.token)
    text = agreements.latest_text(session, case_token=case.token)
    if scan is None or text is None:
        raise WrongState(detail=case.token, params={"state": "not-printed" if text is None else "no-paper"})
    return Signature(
        id=new_token("sig"),
        tenant=case.tenant,
        case_token=case.token,
        subject_id=case.subject_id,
        method="paper",
        plan_hash=text.plan_hash,
        text_id=text.id,
        paper_document_id=scan.id,
        cost_confirmed_at=scan.created_at,
        decision_id=decision_id,
        signed_at=decision.created_at,
    )


def _paid(events: list[AgreementEvent]) -> int:
    """All money that came in and stayed: not what was returned, nor what was paid back."""
    reversed_ids = {event.target for event in events if event.kind == EventKind.REVERSAL}
    standing = [event for event in events if event.id not in reversed_ids]
    received = sum(event.amount_minor for event in standing if event.kind in _MONEY_IN)
    return received - sum(event.amount_minor for event in standing if event.kind == EventKind.REFUND)
