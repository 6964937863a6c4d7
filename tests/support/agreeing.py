"""What workflow tests need to come from an approval to an agreement in force: a signing desk without a printer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.agreements import (
    AgreementPrepared,
    CloseInput,
    InviteInput,
    PrepareAgreementInput,
    SealAgreementInput,
)
from models.contracts.notices import NoticeAnswer, SendNoticeInput
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.tokens import new_token
from models.queries import agreements, cases
from models.tables.agreements import AgreementText, Signature
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.tasks import Decision
from workflows.ports.agreements import SigningPort
from workflows.ports.notices import NoticePort

# What a complete agreement states, as the real printer keeps it beside what it prints.
COMPLETE: dict[str, Any] = {
    "agreement_contents": [
        "debt-balance", "debt-structure", "debt-currency", "repayment-cycle", "repayment-method", "repayment-currency",
        "row-dates", "row-amounts", "no-new-card-undertaking", "rights-and-duties", "breach-liability", "other-matters",
    ],
    "annual_fee_charge": "not-charged",
    "interest_charge": "charged",
    "other_fees_charge": "not-charged",
    "cited_articles": [],
    "disclosed_items": ["nature", "procedure", "risk", "breach-liability"],
    "statement_fields": [
        "principal", "item-method", "item-standard", "item-charging-party", "item-yearly-rate", "total-yearly-rate",
        "breach-items", "nothing-else-charged",
    ],
    "statement_items": ["interest", "late-interest"],
    "funds_cost_shown_as": "interest",
    "rate_in_agreement": True,
    "short_rate_more_conspicuous": False,
    "major_clauses": ["interest", "breach-liability"],
    "highlighted_clauses": ["interest", "breach-liability"],
}  # fmt: skip

_PAPERS = ("agreement", "cost-statement", "paper-agreement", "paper-cost-statement")


@dataclass
class FakeSigning(SigningPort):
    """Prints nothing and sends nothing, but leaves the rows that printing and sealing leave."""

    database: Database
    clock: Clock
    invited: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    @activity.defn(name="installments.prepare_agreement", no_thread_cancel_exception=True)
    def prepare_agreement(self, input: PrepareAgreementInput) -> AgreementPrepared:
        key, now = f"text/{input.case_token}/{input.round}", self.clock()
        with unit_of_work(self.database, self._deed(input.case_token, "agreement.printed", now)) as unit:
            case = unit.session.get_one(InstallmentCase, input.case_token)
            text = agreements.latest_text(unit.session, case_token=case.token)
            if text is not None and text.business_key == key:
                answer = _prepared(text)
                raise Unchanged
            agreement, cost, *by_hand = (_document(case, kind, now) for kind in _PAPERS)
            unit.session.add_all([agreement, cost, *by_hand])
            unit.session.flush()
            text = AgreementText(
                id=new_token("txt"),
                tenant=case.tenant,
                case_token=case.token,
                business_key=key,
                plan_hash=_plan_hash(unit.session, case.token),
                agreement_document_id=agreement.id,
                cost_document_id=cost.id,
                paper_agreement_document_id=by_hand[0].id,
                paper_cost_document_id=by_hand[1].id,
                wording_version="test",
                facts=COMPLETE | {"statement_rate_ppm": _rate(unit.session, case.token)},
                created_at=now,
            )
            unit.session.add(text)
            answer = _prepared(text)
        return answer  # noqa: RET504  it leaves when the unit has committed

    @activity.defn(name="installments.invite", no_thread_cancel_exception=True)
    def invite(self, input: InviteInput) -> Done:
        if f"{input.case_token}/{input.round}" not in self.invited:
            self.invited.append(f"{input.case_token}/{input.round}")
        return Done()

    @activity.defn(name="installments.seal_agreement", no_thread_cancel_exception=True)
    def seal_agreement(self, input: SealAgreementInput) -> Done:
        now = self.clock()
        with unit_of_work(self.database, self._deed(input.case_token, "agreement.sealed", now)) as unit:
            case = unit.session.get_one(InstallmentCase, input.case_token)
            signature = unit.session.exec(
                select(Signature).where(col(Signature.decision_id) == input.decision_id)
            ).one_or_none() or _on_paper(unit.session, case, decision_id=input.decision_id, now=now)
            if signature.sealed_document_id is not None:
                raise Unchanged
            sealed = _document(case, "sealed-agreement", now)
            unit.session.add(sealed)
            signature.sealed_document_id = sealed.id
            unit.session.add(signature)
        return Done()

    @activity.defn(name="installments.close_letter", no_thread_cancel_exception=True)
    def close_letter(self, input: CloseInput) -> Done:
        if input.case_token not in self.letters:
            self.letters.append(input.case_token)
        return Done()

    def _deed(self, case_token: str, action: str, now: datetime) -> Deed:
        return Deed(tenant=tenant_of_case(case_token), action=action, target=case_token, actor="workflow", at=now)


class NoNotices(NoticePort):
    """Nobody is told anything."""

    @activity.defn(name="notices.send", no_thread_cancel_exception=True)
    def send(self, input: SendNoticeInput) -> NoticeAnswer:
        raise AssertionError("nothing was queued")


def add_signature(session: Session, case_token: str, *, decision_id: str, now: datetime) -> None:
    """The customer's signature by one-time code, as the link's route leaves it."""
    case = session.get_one(InstallmentCase, case_token)
    text = agreements.latest_text(session, case_token=case_token)
    assert text is not None
    session.add(
        Signature(
            id=new_token("sig"),
            tenant=case.tenant,
            case_token=case_token,
            subject_id=case.subject_id,
            method="electronic",
            plan_hash=text.plan_hash,
            text_id=text.id,
            reading_seconds=60,
            cost_confirmed_at=now - timedelta(seconds=30),
            code_id="otc_test",
            decision_id=decision_id,
            signed_at=now,
        )
    )


def _on_paper(session: Session, case: InstallmentCase, *, decision_id: str, now: datetime) -> Signature:
    """A scan that two persons have seen stands for the customer's signature."""
    text, decision = agreements.latest_text(session, case_token=case.token), session.get_one(Decision, decision_id)
    assert text is not None
    return Signature(
        id=new_token("sig"),
        tenant=case.tenant,
        case_token=case.token,
        subject_id=case.subject_id,
        method="paper",
        plan_hash=text.plan_hash,
        text_id=text.id,
        paper_document_id=decision.form["document"],
        cost_confirmed_at=now - timedelta(seconds=30),
        decision_id=decision_id,
        signed_at=now,
    )


def _prepared(text: AgreementText) -> AgreementPrepared:
    return AgreementPrepared(agreement_document_id=text.agreement_document_id, cost_document_id=text.cost_document_id)


def _plan_hash(session: Session, case_token: str) -> str:
    proposal = cases.latest_proposal(session, case_token=case_token)
    assert proposal is not None
    assert proposal.offer_id is not None
    offer = agreements.offer_by_id(session, proposal.offer_id)
    assert offer is not None
    assert offer.plan_hash is not None
    return offer.plan_hash


def _rate(session: Session, case_token: str) -> int:
    proposal = cases.latest_proposal(session, case_token=case_token)
    assert proposal is not None
    assert proposal.offer_id is not None
    offer = agreements.offer_by_id(session, proposal.offer_id)
    assert offer is not None
    return int(Decimal(offer.figures["effectivePercent"]) * 10_000)


def _document(case: InstallmentCase, kind: str, now: datetime) -> CaseDocument:
    return CaseDocument(
        id=new_token("doc"),
        tenant=case.tenant,
        case_token=case.token,
        subject_id=case.subject_id,
        kind=kind,
        media_type="application/pdf",
        size_bytes=1,
        digest="0" * 64,
        added_by="workflow",
        created_at=now,
    )
