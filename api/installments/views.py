"""How an installment case is told: states and figures with words in the reader's language, the person masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from api.deps import ApiDeps
from api.installments.answers import (
    AffordabilityAnswer,
    BureauAnswer,
    CaseAnswer,
    CaseDecisionAnswer,
    CaseSummaryAnswer,
    CaseTaskAnswer,
    ContactAnswer,
    CreatedCaseAnswer,
    DocumentAnswer,
    EventAnswer,
    FinancesAnswer,
    HardshipAnswer,
    ProposalAnswer,
    TermsAnswer,
    VerdictAnswer,
    WorkingLineAnswer,
)
from api.parties.views import MaskedSubjectAnswer, consent_answer, masked_subject
from api.wording import worded
from compliance.rules.results import reason_key
from models.domain.states import CaseStage
from models.queries import case_file, cases, parties
from models.tables.audit import AuditEvent
from models.tables.installments import (
    AffordabilityAssessment,
    BureauReport,
    CaseContact,
    CaseDocument,
    InstallmentCase,
    Proposal,
    RuleVerdict,
)
from models.tables.parties import Consent, ContactPoint, Subject
from models.tables.tasks import Decision, Task


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRows:
    """Everything that a case's view is made of, read in one snapshot."""

    case: InstallmentCase
    subject: Subject
    points: list[ContactPoint]
    consents: list[Consent]
    documents: list[CaseDocument]
    verdicts: list[RuleVerdict]
    tasks: list[Task]
    decisions: list[Decision]
    affordability: AffordabilityAssessment | None
    bureau: BureauReport | None
    proposal: Proposal | None


def read_case(session: Session, case: InstallmentCase) -> CaseRows:
    """Read what belongs to a case."""
    return CaseRows(
        case=case,
        subject=session.get_one(Subject, case.subject_id),
        points=parties.contact_points(session, case.subject_id),
        consents=parties.consents_of_subject(session, case.subject_id),
        documents=case_file.documents_of_case(session, case.token),
        verdicts=cases.verdicts_of_case(session, case_token=case.token),
        tasks=case_file.open_tasks_of_case(session, case.token),
        decisions=case_file.decisions_of_case(session, case.token),
        affordability=cases.latest_affordability(session, case_token=case.token),
        bureau=cases.latest_report(session, case_token=case.token),
        proposal=cases.latest_proposal(session, case_token=case.token),
    )


def case_answer(deps: ApiDeps, rows: CaseRows, *, locale: str) -> CaseAnswer:
    """The whole case for staff."""
    case = rows.case
    granted = None
    if case.granted_amount_minor is not None and case.granted_term_months is not None:
        granted = TermsAnswer(
            amount_minor=case.granted_amount_minor,
            term_months=case.granted_term_months,
            concession_bps=case.granted_concession_bps,
        )
    return CaseAnswer(
        **_summary_fields(case, locale),
        **_made_fields(case, masked_subject(deps, rows.subject, rows.points, locale=locale), locale),
        reason_code=case.reason_code,
        granted=granted,
        affordability=_affordability(rows.affordability, case.currency, locale),
        bureau=_bureau(rows.bureau, locale),
        proposal=_proposal(rows.proposal, locale),
        documents=[document_answer(row, locale=locale) for row in rows.documents],
        consents=[consent_answer(row, locale=locale) for row in rows.consents],
        verdicts=[verdict_answer(row, locale=locale) for row in rows.verdicts],
        open_tasks=[_task(row, locale) for row in rows.tasks],
        decisions=[_decision(row, locale) for row in rows.decisions],
        pending_decision_id=case.pending_decision_id,
        ended_at=case.ended_at,
    )


def created_answer(
    deps: ApiDeps, case: InstallmentCase, subject: Subject, points: list[ContactPoint], *, locale: str
) -> CreatedCaseAnswer:
    """The case as it was when it was made, whatever has become of it since."""
    fields = _summary_fields(case, locale) | {
        "version": 1,
        "stage": CaseStage.INTAKE.value,
        "stage_text": worded(f"case.stage.{CaseStage.INTAKE}", locale),
        "outcome": None,
        "outcome_text": None,
        "updated_at": case.created_at,
    }
    return CreatedCaseAnswer(
        **fields, **_made_fields(case, masked_subject(deps, subject, points, locale=locale), locale)
    )


def summary_answer(case: InstallmentCase, *, locale: str) -> CaseSummaryAnswer:
    """A case as a list shows it."""
    return CaseSummaryAnswer(**_summary_fields(case, locale))


def _summary_fields(case: InstallmentCase, locale: str) -> dict[str, Any]:
    return {
        "token": case.token,
        "version": case.version,
        "stage": case.stage,
        "stage_text": worded(f"case.stage.{case.stage}", locale),
        "outcome": case.outcome,
        "outcome_text": worded(f"case.outcome.{case.outcome}", locale) if case.outcome is not None else None,
        "branch": case.branch,
        "channel": case.channel,
        "currency": case.currency,
        "requested": TermsAnswer(amount_minor=case.requested_amount_minor, term_months=case.requested_term_months),
        "subject_id": case.subject_id,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
    }


def _made_fields(case: InstallmentCase, subject: MaskedSubjectAnswer, locale: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "finances": FinancesAnswer(
            total_due_minor=case.total_due_minor,
            monthly_income_minor=case.monthly_income_minor,
            essential_expense_minor=case.essential_expense_minor,
            other_debt_payment_minor=case.other_debt_payment_minor,
            dependants=case.dependants,
        ),
        "hardship": HardshipAnswer(
            code=case.hardship_code,
            text=worded(f"hardship.{case.hardship_code}", locale),
            has_note=case.hardship_note_cell is not None,
        ),
        "willing_to_repay": case.willing_to_repay,
        "created_by": case.created_by,
    }


def _affordability(row: AffordabilityAssessment | None, currency: str, locale: str) -> AffordabilityAnswer | None:
    if row is None:
        return None
    return AffordabilityAnswer(
        id=row.id,
        capacity_minor=row.capacity_minor,
        rule_version=row.rule_version,
        working=[
            WorkingLineAnswer(
                code=line["code"],
                text=worded(f"affordability.line.{line['code']}", locale, {**line["params"], "currency": currency}),
                amount_minor=line["amountMinor"],
            )
            for line in row.working
        ],
        created_at=row.created_at,
    )


def _bureau(row: BureauReport | None, locale: str) -> BureauAnswer | None:
    if row is None:
        return None
    return BureauAnswer(
        id=row.id,
        source=row.source,
        source_text=worded(f"bureau-source.{row.source}", locale),
        open_accounts=row.open_accounts,
        monthly_obligation_minor=row.monthly_obligation_minor,
        worst_days_past_due=row.worst_days_past_due,
        created_at=row.created_at,
    )


def _proposal(row: Proposal | None, locale: str) -> ProposalAnswer | None:
    if row is None:
        return None
    return ProposalAnswer(
        id=row.id,
        version=row.version,
        kind=row.kind,
        kind_text=worded(f"proposal-kind.{row.kind}", locale),
        amount_minor=row.amount_minor,
        term_months=row.term_months,
        concession_bps=row.concession_bps,
        created_at=row.created_at,
    )


def document_answer(row: CaseDocument, *, locale: str) -> DocumentAnswer:
    """One document; its file name is sealed and not told here."""
    return DocumentAnswer(
        id=row.id,
        kind=row.kind,
        kind_text=worded(f"document-kind.{row.kind}", locale),
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        digest=row.digest,
        added_by=row.added_by,
        created_at=row.created_at,
    )


def verdict_answer(row: RuleVerdict, *, locale: str) -> VerdictAnswer:
    """One verdict with law and article in the reader's language."""
    told = row.params.get("text", {})
    return VerdictAnswer(
        id=row.id,
        rule=row.rule_id,
        title=worded(f"rule.{row.rule_id}.title", locale),
        gate=row.gate,
        result=row.result,
        result_text=worded(f"verdict.{row.result}", locale),
        severity=row.severity,
        reason=row.reason,
        reason_text=worded(reason_key(row.rule_id, row.reason), locale, told if isinstance(told, dict) else {}),
        citation=worded(f"rule.{row.rule_id}.citation", locale),
        missing=list(row.missing),
        as_of=row.as_of,
        rule_set_version=row.rule_set_version,
    )


def _task(row: Task, locale: str) -> CaseTaskAnswer:
    return CaseTaskAnswer(
        id=row.id,
        type=row.type,
        title=worded(f"task.{row.type}.title", locale, {**row.title_params, "currency": row.currency}),
        state=row.state,
        candidate_role=row.candidate_role,
        assignee=row.assignee,
        due_at=row.due_at,
    )


def _decision(row: Decision, locale: str) -> CaseDecisionAnswer:
    return CaseDecisionAnswer(
        id=row.id,
        task_id=row.task_id,
        outcome=row.outcome,
        outcome_text=worded(f"outcome.{row.outcome}", locale),
        reason_code=row.reason_code,
        state=row.state,
        state_text=worded(f"state.{row.state}", locale),
        refusal=row.refusal,
        decided_by=row.staff_id,
        created_at=row.created_at,
        settled_at=row.settled_at,
    )


def contact_answer(row: CaseContact, against: Sequence[RuleVerdict], *, locale: str) -> ContactAnswer:
    """One entry of the contact log, with the rules that stand against it."""
    return ContactAnswer(
        id=row.id,
        channel=row.channel,
        channel_text=worded(f"contact-channel.{row.channel}", locale),
        direction=row.direction,
        result_code=row.result_code,
        result_text=worded(f"contact-result.{row.result_code}", locale),
        purpose=row.purpose,
        role=row.role,
        recorded=row.recording_ref is not None,
        against=[verdict_answer(verdict, locale=locale) for verdict in against],
        has_note=row.note_cell is not None,
        by_staff=row.by_staff,
        at=row.at,
    )


def event_answer(row: AuditEvent, *, facts: dict[str, Any], locale: str) -> EventAnswer:
    """One event in business words."""
    return EventAnswer(
        id=row.id,
        at=row.at,
        action=row.action,
        text=worded(f"event.{row.action}", locale, facts),
        actor=row.actor,
        facts=facts,
    )
