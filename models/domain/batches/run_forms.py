"""Decision forms of a batch's tasks (`models.domain.forms` knows them by type and outcome)."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from models.domain.form_base import Checked, Form, Plain
from models.domain.states import Outcome, TaskType
from models.domain.transfer_row_forms import QuarantineDiscard

BatchGateReason = Literal["not-lawful", "evidence-missing", "batch-called-off"]
BatchReturnReason = Literal["figures-unclear", "cohort-wrong", "rules-unsuitable", "quality-too-low"]
BatchRejectReason = Literal["outside-policy", "batch-called-off", "not-lawful"]
BatchStopReason = Literal["error-rate", "rules-unsuitable", "cohort-wrong", "batch-called-off"]
SendBackReason = Literal["payer-unknown", "paid-twice", "not-our-customer"]
DisputeReason = Literal["debit-rightful", "mandate-missing", "amount-wrong", "paid-already", "bank-at-fault"]
SuggestionReason = Literal["not-needed", "figures-unclear", "outside-policy"]
OrderId = Annotated[str, StringConstraints(pattern=r"^bor_[0-9a-hjkmnp-tv-z]{26}$")]


class GateRetry(Form):
    """What was missing is there now: ask the rules again."""

    outcome: Literal["retry"]


class GateGiveUp(Form):
    """The rule cannot be satisfied; the run ends. Not once orders stand."""

    outcome: Literal["give-up"]
    reason_code: BatchGateReason


class BatchApprove(Checked):
    """Cohort, rules, rehearsal and settings as shown are approved (复核同意)."""

    outcome: Literal["approve"]


class BatchReturn(Checked):
    """Back to the cohort; everything is made again."""

    outcome: Literal["return"]
    reason_code: BatchReturnReason


class BatchReject(Checked):
    """The run ends; nothing has been done."""

    outcome: Literal["reject"]
    reason_code: BatchRejectReason


class BreakerRunOn(Checked):
    """The run goes on, under another failure rate (basis points) where one is named."""

    outcome: Literal["run-on"]
    failure_bps: Annotated[int, Field(ge=0, le=10_000)] | None = None


class BreakerStop(Checked):
    """What has not left the house is withdrawn (终止批次)."""

    outcome: Literal["stop"]
    reason_code: BatchStopReason


class BatchCloseConfirm(Checked):
    """The run is closed on what was shown (结项)."""

    outcome: Literal["confirm"]


class BatchCloseRetry(Checked):
    """Look again whether it may be closed."""

    outcome: Literal["retry"]


class SuspenseAssign(Form):
    """The money belongs to this order; a second person confirms."""

    outcome: Literal["assign"]
    order_id: OrderId


class SuspenseSendBack(Form):
    """The money goes back to where it came from; a second person confirms."""

    outcome: Literal["send-back"]
    reason_code: SendBackReason


class DisputeExplain(Form):
    """The debit was rightful; the customer is told why."""

    outcome: Literal["explain"]
    reason_code: DisputeReason


class DisputeRefund(Form):
    """The debit is paid back, with interest where the bank was at fault (CBL-73)."""

    outcome: Literal["refund"]
    reason_code: DisputeReason


class DisputeCancel(Form):
    """The order is cancelled before it was booked."""

    outcome: Literal["cancel"]
    reason_code: DisputeReason


class SuggestionAdopt(Form):
    """The suggestion becomes a draft of the rule set; two persons decide about that."""

    outcome: Literal["adopt"]


class SuggestionDismiss(Form):
    """It does not."""

    outcome: Literal["dismiss"]
    reason_code: SuggestionReason


BATCH_FORMS: Final[dict[TaskType, dict[Outcome, type[Plain]]]] = {
    TaskType.BATCH_GATE: {Outcome.RETRY: GateRetry, Outcome.GIVE_UP: GateGiveUp},
    TaskType.BATCH_APPROVAL: {
        Outcome.APPROVE: BatchApprove,
        Outcome.RETURN: BatchReturn,
        Outcome.REJECT: BatchReject,
    },
    TaskType.BATCH_BREAKER: {Outcome.RUN_ON: BreakerRunOn, Outcome.STOP: BreakerStop},
    TaskType.BATCH_CLOSE: {Outcome.CONFIRM: BatchCloseConfirm, Outcome.RETRY: BatchCloseRetry},
    TaskType.BATCH_QUARANTINE: {Outcome.DISCARD: QuarantineDiscard},
    TaskType.BATCH_SUSPENSE: {Outcome.ASSIGN: SuspenseAssign, Outcome.SEND_BACK: SuspenseSendBack},
    TaskType.BATCH_DISPUTE: {
        Outcome.EXPLAIN: DisputeExplain,
        Outcome.REFUND: DisputeRefund,
        Outcome.CANCEL: DisputeCancel,
    },
    TaskType.BATCH_SUGGESTION: {Outcome.ADOPT: SuggestionAdopt, Outcome.DISMISS: SuggestionDismiss},
}
