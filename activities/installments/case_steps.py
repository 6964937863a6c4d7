"""The case's own steps over SQL: affordability, figures entered by hand, and all that a decision changes."""

from dataclasses import asdict, dataclass
from typing import Final

from sqlmodel import Session, col, select
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.installments import (
    AffordabilityAnswer,
    ApplyDecisionInput,
    AssessAffordabilityInput,
    BureauAnswer,
    DecisionApplied,
    StoreMendedBureauInput,
    Terms,
)
from models.database.engine import Database
from models.domain.affordability import Finances, assess
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.states import CaseStage, DecisionState, Outcome
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid
from models.operations import decisions, projection
from models.queries import cases
from models.queries.parties import has_card
from models.tables.agreements import PlanOffer
from models.tables.installments import AffordabilityAssessment, BureauReport, InstallmentCase, Proposal
from models.tables.tasks import Decision
from workflows.ports.installments import InstallmentPort

# Outcomes that put new terms on the table, and what the terms are called.
_PROPOSING: Final = {
    Outcome.RECOMMEND: "recommendation",
    Outcome.COUNTER: "counter-offer",
    Outcome.REOFFER: "counter-offer",
    Outcome.CHOOSE: "chosen-plan",
}


@dataclass(slots=True)
class SqlInstallments(InstallmentPort):
    """The adapter that every worker registers."""

    database: Database
    clock: Clock

    @activity.defn(name="installments.assess_affordability", no_thread_cancel_exception=True)
    def assess_affordability(self, input: AssessAffordabilityInput) -> AffordabilityAnswer:
        """Work out the repayment capacity and store it with its working (还款能力测算)."""
        now = self.clock()
        key = f"affordability/{input.case_token}/{input.round}"
        deed = Deed(
            tenant=tenant_of_case(input.case_token),
            action="affordability.assessed",
            target=input.case_token,
            actor="workflow",
            at=now,
        )
        with unit_of_work(self.database, deed) as unit:
            known = unit.session.exec(
                select(AffordabilityAssessment).where(col(AffordabilityAssessment.business_key) == key)
            ).one_or_none()
            if known is not None:
                answer = _affordability_answer(known)
                raise Unchanged
            case = unit.session.get_one(InstallmentCase, input.case_token)
            report = cases.latest_report(unit.session, case_token=case.token)
            worked_out = assess(
                Finances(
                    monthly_income_minor=case.monthly_income_minor,
                    essential_expense_minor=case.essential_expense_minor,
                    other_debt_payment_minor=case.other_debt_payment_minor,
                    dependants=case.dependants,
                    bureau_obligation_minor=report.monthly_obligation_minor if report is not None else None,
                ),
                requested_amount_minor=case.requested_amount_minor,
                requested_term_months=case.requested_term_months,
            )
            row = AffordabilityAssessment(
                id=new_token("aff"),
                tenant=case.tenant,
                case_token=case.token,
                business_key=key,
                rule_version=worked_out.rule_version,
                capacity_minor=worked_out.capacity_minor,
                working=worked_out.working(),
                created_at=now,
            )
            unit.session.add(row)
            unit.deed.facts = {"assessment": row.id, "capacityMinor": row.capacity_minor, "rule": row.rule_version}
            answer = _affordability_answer(row)
        return answer

    @activity.defn(name="installments.store_mended_bureau", no_thread_cancel_exception=True)
    def store_mended_bureau(self, input: StoreMendedBureauInput) -> BureauAnswer:
        """Keep bureau figures entered by hand under four-eyes."""
        now = self.clock()
        deed = Deed(
            tenant=tenant_of_case(input.case_token),
            action="bureau.mended",
            target=input.case_token,
            actor="workflow",
            at=now,
            facts={"decision": input.decision_id, **asdict(input.figures)},
        )
        with unit_of_work(self.database, deed) as unit:
            known = unit.session.exec(
                select(BureauReport.id).where(col(BureauReport.query_key) == input.query_key)
            ).one_or_none()
            if known is not None:
                answer = BureauAnswer(report_id=known)
                raise Unchanged
            row = BureauReport(
                id=new_token("bur"),
                tenant=deed.tenant,
                case_token=input.case_token,
                query_key=input.query_key,
                source="mended",
                created_at=now,
                **asdict(input.figures),
            )
            unit.session.add(row)
            answer = BureauAnswer(report_id=row.id)
        return answer

    @activity.defn(name="installments.apply_decision", no_thread_cancel_exception=True)
    def apply_decision(self, input: ApplyDecisionInput) -> DecisionApplied:
        """Write all that a decision changes, in one transaction."""
        now = self.clock()
        deed = Deed(
            tenant=tenant_of_case(input.case_token),
            action="decision.applied",
            target=input.case_token,
            actor="workflow",
            at=now,
        )
        with unit_of_work(self.database, deed) as unit:
            session = unit.session
            known = session.get(Decision, input.decision_id)  # held: then it is read once
            was_applied = known is not None and known.state == DecisionState.APPLIED
            _refuse_without_card(session, input)
            decision = decisions.settle_applied(session, decision_id=input.decision_id, now=now)
            _propose(session, input, decision)
            granted = _granted(session, input)
            if input.task_no is not None:
                projection.close_task(
                    session, workflow_id=input.workflow_id, task_no=input.task_no, fence=input.fence, now=now
                )
            stage = CaseStage(input.next_stage)
            if stage is CaseStage.ENDED:
                projection.cancel_open_tasks(session, workflow_id=input.workflow_id, fence=input.fence, now=now)
            written = projection.put_case(
                session,
                case_token=input.case_token,
                fence=input.fence,
                now=now,
                stage=stage,
                outcome=input.case_outcome,
                reason_code=input.reason_code if stage is CaseStage.ENDED else None,
                granted=granted,
            )
            if was_applied and not written:
                raise Unchanged
            unit.deed.facts = {
                "decision": decision.id,
                "outcome": decision.outcome,
                "reason": decision.reason_code,
                "by": decision.staff_id or "customer",
                "shown": decision.shown_hash,
                "stage": stage.value,
                "caseOutcome": input.case_outcome,
            }
        return DecisionApplied(decision_id=input.decision_id)


def _affordability_answer(row: AffordabilityAssessment) -> AffordabilityAnswer:
    return AffordabilityAnswer(assessment_id=row.id, capacity_minor=row.capacity_minor)


def _refuse_without_card(session: Session, input: ApplyDecisionInput) -> None:
    """The case does not go on to needs before the card is known whose debt is meant."""
    if (input.outcome, input.next_stage) != (Outcome.ACCEPT, CaseStage.NEEDS):
        return
    case = session.get_one(InstallmentCase, input.case_token)
    if not has_card(session, case.subject_id):
        raise FormInvalid(detail=case.token, faults=(FieldFault(pointer="/cardNumber", code="card-missing"),))


def _propose(session: Session, input: ApplyDecisionInput, decision: Decision) -> None:
    kind = _PROPOSING.get(Outcome(input.outcome))
    if kind is None:
        return
    known = session.exec(select(Proposal.id).where(col(Proposal.decision_id) == decision.id)).first()
    if known is not None:
        return
    terms = _chosen_terms(session, input) if Outcome(input.outcome) is Outcome.CHOOSE else input.terms
    if terms is None or decision.person_id is None:
        raise FormInvalid(detail=f"decision {decision.id} proposes no terms")
    latest = cases.latest_proposal(session, case_token=input.case_token)
    session.add(
        Proposal(
            id=new_token("prp"),
            tenant=decision.tenant,
            case_token=input.case_token,
            version=(latest.version if latest is not None else 0) + 1,
            kind=kind,
            amount_minor=terms.amount_minor,
            term_months=terms.term_months,
            concession_bps=terms.concession_bps,
            offer_id=input.offer_id,
            decision_id=decision.id,
            made_by_person=decision.person_id,
            created_at=decision.created_at,
        )
    )
    session.flush()


def _chosen_terms(session: Session, input: ApplyDecisionInput) -> Terms | None:
    """What the chosen plan amounts to; None if it is no plan of this case, or one that could not be offered."""
    offer = session.get(PlanOffer, input.offer_id) if input.offer_id is not None else None
    if offer is None or offer.case_token != input.case_token or offer.plan_hash is None:
        return None
    return Terms(
        amount_minor=offer.terms["principalMinor"],
        term_months=offer.figures["term"],
        concession_bps=offer.figures["concessionBps"],
    )


def _granted(session: Session, input: ApplyDecisionInput) -> tuple[int, int, int] | None:
    if input.outcome != Outcome.APPROVE:
        return None
    proposal = cases.latest_proposal(session, case_token=input.case_token)
    assert proposal is not None  # the transition table comes to an approval through a chosen plan only
    return proposal.amount_minor, proposal.term_months, proposal.concession_bps
