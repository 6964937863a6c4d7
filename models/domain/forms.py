"""Decision forms: one strict model per task type and outcome, the closed sets of reasons, and the one parser of a body.

The form says what a decision may hold. What a person *may* decide is asked elsewhere (`models.queries.allowed`).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from models.domain.batches.run_forms import BATCH_FORMS
from models.domain.care_forms import (
    FollowUpNotReached,
    FollowUpReached,
    TicketAnswer,
    TicketCheckConfirm,
    TicketCheckReturn,
    TicketExtend,
    TicketReject,
)
from models.domain.form_base import MAX_NOTE_CHARS, Plain
from models.domain.form_base import Checked as _Checked
from models.domain.form_base import Form as _Form
from models.domain.form_faults import faults_of
from models.domain.match_forms import MatchDifferent, MatchSame
from models.domain.privacy.authentication import authentication_faults
from models.domain.record_forms import (
    ErasureAccept,
    ErasureApprove,
    ErasureProposalReject,
    ErasureReject,
    FiledReport,
    IncidentReported,
    filed_report,
)
from models.domain.rule_forms import RuleReviewNoted
from models.domain.states import CHECKER_TASKS, CUSTOMER_OUTCOMES, OUTCOMES, Outcome, TaskType
from models.domain.transfer_row_forms import QuarantineDiscard
from models.domain.transfers import job_forms
from models.domain.transfers.conflict_forms import ConflictHold, ConflictKeep, ConflictTake
from models.domain.transfers.follow_ups import FollowUpDismissed, FollowUpResolved
from models.errors import FieldFault, FormInvalid

MAX_AMOUNT_MINOR: Final = 2_000_000_000  # 20 million in the main unit: no personal installment plan lies above
MAX_TERM_MONTHS: Final = 60  # the longest personalised plan the rules know (商业银行信用卡业务监督管理办法 art. 70)
MAX_CONCESSION_BPS: Final = 10_000

DocumentsRejectReason = Literal[
    "identity-not-proven", "hardship-not-proven", "documents-forged", "documents-missing", "not-a-customer"
]
AssessmentReturnReason = Literal["documents-unclear", "evidence-outdated", "consent-missing", "figures-contradict"]
CreditRejectReason = Literal[
    "no-hardship", "able-to-repay", "not-willing-to-repay", "capacity-too-low", "application-untrue", "outside-policy"
]
ApprovalReturnReason = Literal["assessment-incomplete", "terms-unsuitable", "evidence-outdated", "figures-contradict"]
DeclineReason = Literal["installment-too-high", "term-too-long", "paid-otherwise", "prefers-other-plan", "no-answer"]
NegotiationReturnReason = Literal["figures-contradict", "evidence-outdated", "terms-unsuitable"]
PaperReturnReason = Literal["signature-missing", "page-missing", "not-readable", "not-the-agreement"]
ActivationReturnReason = Literal["mandate-missing", "document-missing", "signature-missing"]
ActivationRejectReason = Literal["core-refused", "collection-not-recalled", "customer-asked-to-stop"]
ContactResultReason = Literal["promised-to-pay", "already-paid", "no-answer", "new-hardship", "disputes-the-debt"]
ExtendReason = Literal["promised-to-pay", "new-hardship", "disputes-the-debt", "payment-on-its-way"]
GiveUpReason = Literal["step-impossible", "customer-asked-to-stop", "opened-by-mistake"]
IncidentRejectReason = Literal["figures-not-proven", "retry-first", "wrong-choice"]
WithdrawReason = Literal["customer-asked-to-stop", "paid-otherwise", "opened-by-mistake", "no-answer"]


class _Terms(BaseModel):
    amount_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)]
    term_months: Annotated[int, Field(ge=1, le=MAX_TERM_MONTHS)]
    concession_bps: Annotated[int, Field(ge=0, le=MAX_CONCESSION_BPS)]


class DocumentsAccept(_Form):
    """The documents are complete (资料齐全)."""

    outcome: Literal["accept"]


class DocumentsReject(_Form):
    """The case ends for want of documents."""

    outcome: Literal["reject"]
    reason_code: DocumentsRejectReason


class AssessmentRecommend(_Terms, _Form):
    """What the assessor recommends; the approver is bound to its hash."""

    outcome: Literal["recommend"]


class AssessmentReturn(_Form):
    """Back to the documents."""

    outcome: Literal["return"]
    reason_code: AssessmentReturnReason


class AssessmentReject(_Form):
    """No plan is recommended."""

    outcome: Literal["reject"]
    reason_code: CreditRejectReason


class NegotiationChoose(_Form):
    """The plan that bank and customer agreed on (选定方案); it stays as it was offered, bound by its hash."""

    outcome: Literal["choose"]
    offer_id: Annotated[str, StringConstraints(pattern=r"^plo_[0-9a-hjkmnp-tv-z]{26}$")]


class NegotiationReoffer(_Terms, _Form):
    """Other terms were talked about: another round of plans (重新报价)."""

    outcome: Literal["reoffer"]


class NegotiationReturn(_Form):
    """Back to the assessor."""

    outcome: Literal["return"]
    reason_code: NegotiationReturnReason


class NegotiationReject(_Form):
    """No plan could be agreed on."""

    outcome: Literal["reject"]
    reason_code: CreditRejectReason


class ApprovalApprove(_Checked):
    """The chosen plan is approved as shown (审批通过)."""

    outcome: Literal["approve"]


class ApprovalCounter(_Terms, _Checked):
    """Other terms are offered to the customer (还价)."""

    outcome: Literal["counter"]


class ApprovalReturn(_Checked):
    """Back to the assessor."""

    outcome: Literal["return"]
    reason_code: ApprovalReturnReason


class ApprovalReject(_Checked):
    """The application is refused (审批拒绝)."""

    outcome: Literal["reject"]
    reason_code: CreditRejectReason


class CounterOfferAccept(_Form):
    """The customer takes the counter-offer."""

    outcome: Literal["accept"]


class CounterOfferDecline(_Form):
    """The customer declines it."""

    outcome: Literal["decline"]
    reason_code: DeclineReason


class SigningSign(_Checked):
    """The customer signs what was shown, by one-time code (电子签约)."""

    outcome: Literal["sign"]


class SigningPaper(_Form):
    """A signed paper has come in; its scan lies with the case (纸质签约)."""

    outcome: Literal["paper"]
    document_id: Annotated[str, StringConstraints(pattern=r"^doc_[0-9a-hjkmnp-tv-z]{26}$")]


class SigningResend(_Form):
    """Print again and send another link."""

    outcome: Literal["resend"]


class SigningDecline(_Form):
    """The customer will not sign."""

    outcome: Literal["decline"]
    reason_code: DeclineReason


class PaperConfirm(_Checked):
    """A second person has compared scan and agreement (复核通过)."""

    outcome: Literal["confirm"]


class PaperReturn(_Checked):
    """The scan is not what it should be."""

    outcome: Literal["return"]
    reason_code: PaperReturnReason


class ActivationRetry(_Form):
    """Ask the rules again."""

    outcome: Literal["retry"]


class ActivationReturn(_Form):
    """Sign again."""

    outcome: Literal["return"]
    reason_code: ActivationReturnReason


class ActivationReject(_Form):
    """The agreement does not come into force."""

    outcome: Literal["reject"]
    reason_code: ActivationRejectReason


class MissedContacted(_Form):
    """What came of talking to the customer about the missed payment; the talk stands in the contact log."""

    outcome: Literal["contacted"]
    reason_code: ContactResultReason


class DefaultDeclare(_Checked):
    """The agreement is broken (认定违约)."""

    outcome: Literal["declare"]


class DefaultExtend(_Checked):
    """Not yet: the customer gets more time."""

    outcome: Literal["extend"]
    reason_code: ExtendReason


class IncidentRetry(_Form):
    """Run the step again."""

    outcome: Literal["retry"]


class IncidentMend(_Form):
    """Enter by hand what the step would have brought; the remark says where the figures come from."""

    outcome: Literal["mend"]
    open_accounts: Annotated[int, Field(ge=0, le=10_000)]
    monthly_obligation_minor: Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR)]
    worst_days_past_due: Annotated[int, Field(ge=0, le=10_000)]
    note: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")]


class IncidentGiveUp(_Form):
    """End the case, because the step cannot be done."""

    outcome: Literal["give-up"]
    reason_code: GiveUpReason


class IncidentConfirm(_Checked):
    """A second person agrees with the choice shown (复核同意)."""

    outcome: Literal["confirm"]


class IncidentReject(_Checked):
    """A second person disagrees; the incident is open again."""

    outcome: Literal["reject"]
    reason_code: IncidentRejectReason


FORMS: Final[dict[TaskType, dict[Outcome, type[Plain]]]] = {
    TaskType.DOCUMENTS: {Outcome.ACCEPT: DocumentsAccept, Outcome.REJECT: DocumentsReject},
    TaskType.ASSESSMENT: {
        Outcome.RECOMMEND: AssessmentRecommend,
        Outcome.RETURN: AssessmentReturn,
        Outcome.REJECT: AssessmentReject,
    },
    TaskType.NEGOTIATION: {
        Outcome.CHOOSE: NegotiationChoose,
        Outcome.REOFFER: NegotiationReoffer,
        Outcome.RETURN: NegotiationReturn,
        Outcome.REJECT: NegotiationReject,
    },
    TaskType.APPROVAL: {
        Outcome.APPROVE: ApprovalApprove,
        Outcome.COUNTER: ApprovalCounter,
        Outcome.RETURN: ApprovalReturn,
        Outcome.REJECT: ApprovalReject,
    },
    TaskType.COUNTER_OFFER: {Outcome.ACCEPT: CounterOfferAccept, Outcome.DECLINE: CounterOfferDecline},
    TaskType.SIGNING: {
        Outcome.SIGN: SigningSign,
        Outcome.PAPER: SigningPaper,
        Outcome.RESEND: SigningResend,
        Outcome.DECLINE: SigningDecline,
    },
    TaskType.PAPER_CHECK: {Outcome.CONFIRM: PaperConfirm, Outcome.RETURN: PaperReturn},
    TaskType.ACTIVATION: {
        Outcome.RETRY: ActivationRetry,
        Outcome.RETURN: ActivationReturn,
        Outcome.REJECT: ActivationReject,
    },
    TaskType.MISSED: {Outcome.CONTACTED: MissedContacted},
    TaskType.DEFAULT: {Outcome.DECLARE: DefaultDeclare, Outcome.EXTEND: DefaultExtend},
    TaskType.INCIDENT: {
        Outcome.RETRY: IncidentRetry,
        Outcome.MEND: IncidentMend,
        Outcome.GIVE_UP: IncidentGiveUp,
    },
    TaskType.INCIDENT_CONFIRM: {Outcome.CONFIRM: IncidentConfirm, Outcome.REJECT: IncidentReject},
    TaskType.FOLLOW_UP: {Outcome.REACHED: FollowUpReached, Outcome.NOT_REACHED: FollowUpNotReached},
    TaskType.TICKET: {Outcome.ANSWER: TicketAnswer, Outcome.REJECT: TicketReject, Outcome.EXTEND: TicketExtend},
    TaskType.TICKET_CHECK: {Outcome.CONFIRM: TicketCheckConfirm, Outcome.RETURN: TicketCheckReturn},
    TaskType.TICKET_OVERDUE: {
        Outcome.ANSWER: TicketAnswer,
        Outcome.REJECT: TicketReject,
        Outcome.EXTEND: TicketExtend,
    },
    TaskType.INCIDENT_REPORT: {Outcome.REPORT: IncidentReported},
    TaskType.ERASURE_PROPOSAL: {Outcome.ACCEPT: ErasureAccept, Outcome.REJECT: ErasureProposalReject},
    TaskType.ERASURE_APPROVAL: {Outcome.APPROVE: ErasureApprove, Outcome.REJECT: ErasureReject},
    TaskType.RULE_REVIEW: {Outcome.NOTED: RuleReviewNoted},
    TaskType.TRANSFER_QUARANTINE: {Outcome.DISCARD: QuarantineDiscard},
    TaskType.TRANSFER_CONFLICT: {Outcome.KEEP: ConflictKeep, Outcome.TAKE: ConflictTake, Outcome.HOLD: ConflictHold},
    TaskType.TRANSFER_FOLLOW_UP: {Outcome.RESOLVE: FollowUpResolved, Outcome.DISMISS: FollowUpDismissed},
    TaskType.MATCH_REVIEW: {Outcome.SAME: MatchSame, Outcome.DIFFERENT: MatchDifferent},
    TaskType.TRANSFER_CLASSIFICATION: {
        Outcome.ACCEPT: job_forms.ClassificationAccept,
        Outcome.REJECT: job_forms.ClassificationReject,
    },
    TaskType.TRANSFER_GATE: {Outcome.RETRY: job_forms.GateRetry, Outcome.GIVE_UP: job_forms.GateGiveUp},
    TaskType.TRANSFER_PLAN_APPROVAL: {
        Outcome.APPROVE: job_forms.PlanApprove,
        Outcome.RETURN: job_forms.PlanReturn,
        Outcome.REJECT: job_forms.PlanReject,
    },
    TaskType.TRANSFER_GO_NO_GO: {
        Outcome.APPROVE: job_forms.GoApprove,
        Outcome.RETURN: job_forms.GoReturn,
        Outcome.REJECT: job_forms.GoReject,
    },
    TaskType.TRANSFER_WAVE_STOPPED: {
        Outcome.RUN_ON: job_forms.WaveRunOn,
        Outcome.UNDO_WAVE: job_forms.WaveUndo,
        Outcome.UNDO_JOB: job_forms.JobUndo,
    },
    TaskType.TRANSFER_ROLLBACK: {Outcome.CONFIRM: job_forms.RollbackConfirm, Outcome.REJECT: job_forms.RollbackReject},
    TaskType.TRANSFER_CLOSE: {Outcome.CONFIRM: job_forms.CloseConfirm, Outcome.RETRY: job_forms.CloseRetry},
    TaskType.TRANSFER_TRAINING: {Outcome.RETRY: job_forms.TrainingRetry},
    **BATCH_FORMS,
}
_ADAPTERS: Final[dict[type[Plain], TypeAdapter[Any]]] = {
    form: TypeAdapter(form) for forms in FORMS.values() for form in forms.values()
}


def reason_codes(task_type: TaskType, outcome: Outcome) -> tuple[str, ...]:
    """The closed set of reasons for one outcome of one kind of task; empty where none is asked for."""
    field = FORMS[task_type][outcome].model_fields.get("reason_code")
    return () if field is None else get_args(field.annotation)


def _reasons_of(outcome: Outcome) -> tuple[str, ...]:
    per_task = (reason_codes(task_type, outcome) for task_type, forms in FORMS.items() if outcome in forms)
    return tuple(dict.fromkeys(code for codes in per_task for code in codes))


# Every reason an outcome can have, on whichever task; `withdraw` is decided on the case itself.
REASON_CODES: Final[dict[Outcome, tuple[str, ...]]] = {
    outcome: reasons for outcome in Outcome if (reasons := _reasons_of(outcome))
} | {Outcome.WITHDRAW: get_args(WithdrawReason)}


@dataclass(frozen=True, kw_only=True, slots=True)
class DecidedTerms:
    """Recommended or counter-offered terms: minor units, months, basis points given up of the annual rate."""

    amount_minor: int
    term_months: int
    concession_bps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MendedFigures:
    """The bureau's figures entered by hand."""

    open_accounts: int
    monthly_obligation_minor: int
    worst_days_past_due: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionForm:
    """A decision as it was filled in. `note`, or `answer` in its place, is free text and must be sealed."""

    outcome: Outcome
    reason_code: str | None = None
    terms: DecidedTerms | None = None
    mended: MendedFigures | None = None
    note: str | None = None
    shown_hash: str | None = None
    offer_id: str | None = None
    document_id: str | None = None
    next_contact_days: int | None = None
    answer: str | None = None
    report: FiledReport | None = None
    error_budget: int | None = None  # per mille of a wave's rows
    dissent: str | None = None
    failure_bps: int | None = None  # of a batch's breaker
    order_id: str | None = None  # to which money in suspense belongs


def parse_decision(task_type: TaskType, body: object) -> DecisionForm:
    """Read a decision on a task of this type.

    Raises:
        FormInvalid: naming every field at fault.
    """
    if not isinstance(body, dict):
        raise FormInvalid(faults=(FieldFault(pointer="", code="wrong-type", params={"expected": "object"}),))
    form = _form_of(task_type, body.get("outcome"), missing="outcome" not in body)
    try:
        filled = _ADAPTERS[form].validate_python(body)
    except ValidationError as error:
        raise FormInvalid(faults=faults_of(error)) from None
    held = tuple(authentication_faults(filled.model_dump(by_alias=True)))
    if held:
        raise FormInvalid(faults=held)
    terms = isinstance(filled, _Terms)
    mended = isinstance(filled, IncidentMend)
    return DecisionForm(
        outcome=Outcome(filled.outcome),
        reason_code=getattr(filled, "reason_code", None),
        terms=DecidedTerms(**_pick(filled, "amount_minor", "term_months", "concession_bps")) if terms else None,
        mended=MendedFigures(**_pick(filled, "open_accounts", "monthly_obligation_minor", "worst_days_past_due"))
        if mended
        else None,
        note=getattr(filled, "note", None),
        shown_hash=filled.shown_hash,
        offer_id=getattr(filled, "offer_id", None),
        document_id=getattr(filled, "document_id", None),
        next_contact_days=getattr(filled, "next_contact_days", None),
        answer=getattr(filled, "answer", None),
        report=filed_report(filled) if isinstance(filled, IncidentReported) else None,
        error_budget=getattr(filled, "error_budget", None),
        dissent=getattr(filled, "dissent", None),
        failure_bps=getattr(filled, "failure_bps", None),
        order_id=getattr(filled, "order_id", None),
    )


def _pick(filled: BaseModel, *names: str) -> dict[str, int]:
    return {name: getattr(filled, name) for name in names}


def _form_of(task_type: TaskType, outcome: object, *, missing: bool) -> type[Plain]:
    allowed = ", ".join(OUTCOMES[task_type])
    if missing:
        raise FormInvalid(faults=(FieldFault(pointer="/outcome", code="missing"),))
    if not isinstance(outcome, str):
        raise FormInvalid(faults=(FieldFault(pointer="/outcome", code="wrong-type", params={"expected": "string"}),))
    for candidate, form in FORMS[task_type].items():
        if candidate == outcome:
            return form
    raise FormInvalid(faults=(FieldFault(pointer="/outcome", code="not-one-of", params={"allowed": allowed}),))


assert {task_type: tuple(forms) for task_type, forms in FORMS.items()} == OUTCOMES, "a form per outcome"
assert all(
    issubclass(form, _Checked) == (task_type in CHECKER_TASKS or outcome in CUSTOMER_OUTCOMES)
    for task_type, forms in FORMS.items()
    for outcome, form in forms.items()
), "who checks or signs names what was shown"
