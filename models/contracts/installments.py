"""Payloads of the installment case (个性化分期). Amounts in minor units; no personal data, only tokens."""

from dataclasses import dataclass

from models.contracts.platform import Fence, GateAnswer, OpenTask


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is asked, recommended or granted."""

    amount_minor: int
    term_months: int
    concession_bps: int  # given up of the annual rate, basis points


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseNews:
    """What the daily run tells a case in service. `key` is case, kind and business date: told twice is told once."""

    key: str
    kind: str
    business_date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseCarried:
    """What a run hands to the next at a stage border."""

    stage: str
    seq: int
    task_no: int
    rounds: dict[str, int]  # how often the case came to each gate and query
    applied: dict[str, str]  # decision id -> fingerprint; survives continue-as-new, where update ids do not
    needs_gate: GateAnswer | None = None
    return_reason: str | None = None
    news: tuple[CaseNews, ...] = ()
    told_keys: tuple[str, ...] = ()  # of the news that were taken in
    signed_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseInput:
    """Start, or go on with, one case."""

    case_token: str
    carried: CaseCarried | None = None
    events_per_run: int = 4_000  # continue-as-new at the next stage border above this


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseResult:
    """How the case ended."""

    case_token: str
    outcome: str
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MendedBureau:
    """The bureau's figures entered by hand, when the bureau cannot be reached."""

    open_accounts: int
    monthly_obligation_minor: int
    worst_days_past_due: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DecideInput:
    """A decision on a task, or with `task_no` None on the case itself (withdrawal)."""

    decision_id: str
    task_no: int | None
    outcome: str
    person_id: str | None  # None: the customer
    shown_hash: str | None = None
    reason_code: str | None = None
    terms: Terms | None = None
    mended: MendedBureau | None = None
    offer_id: str | None = None  # the plan that was chosen
    next_contact_days: int | None = None  # of a follow-up: until the next one


@dataclass(frozen=True, kw_only=True, slots=True)
class DecideResult:
    """The state after the decision."""

    decision_id: str
    stage: str
    outcome: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyDecisionInput:
    """Write what a decision changes: task, case, decision, outbox row, proposal, makers; one transaction."""

    workflow_id: str
    case_token: str
    decision_id: str
    fence: Fence
    next_stage: str
    task_no: int | None
    outcome: str
    case_outcome: str | None = None
    reason_code: str | None = None
    terms: Terms | None = None
    offer_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionApplied:
    """The decision stands in the records."""

    decision_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryBureauInput:
    """Ask the credit bureau about the case's subject. `query_key` makes a repeated query one query."""

    case_token: str
    query_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreMendedBureauInput:
    """Keep figures entered by hand instead of the bureau's."""

    case_token: str
    query_key: str
    figures: MendedBureau
    decision_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BureauAnswer:
    """Where the stored report is."""

    report_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AssessAffordabilityInput:
    """Work out the repayment capacity of round `round`."""

    case_token: str
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AffordabilityAnswer:
    """The stored working."""

    assessment_id: str
    capacity_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseView:
    """The workflow's own account of the case, for the reconciler.

    Attributes:
        epoch, seq: fence of the last write that was begun.
        is_writing: it has not heard yet what became of that write, so that the records may be ahead of the account.
    """

    case_token: str
    stage: str
    outcome: str | None
    epoch: int
    seq: int
    open_tasks: tuple[OpenTask, ...] = ()
    reason_code: str | None = None
    is_writing: bool = False
