"""The closed sets of states and outcomes, and which step may follow which. Pure; workflow code may import it."""

from enum import StrEnum
from typing import Final


class CaseStage(StrEnum):
    """Where an installment case stands between two human decisions."""

    INTAKE = "intake"
    DOCUMENTS = "documents"  # 资料收集
    NEEDS = "needs"  # 需求与还款能力
    ASSESSMENT = "assessment"  # 评估
    APPROVAL = "approval"  # 审批
    COUNTER_OFFER = "counter-offer"  # 还价
    ENDED = "ended"


class CaseOutcome(StrEnum):
    """How the first stages of a case end."""

    APPROVED = "approved"
    COUNTERED = "countered"  # the customer took the bank's counter-offer
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class TaskState(StrEnum):
    """READY and CLAIMED are open to people; DECIDING waits for the workflow's word."""

    READY = "READY"
    CLAIMED = "CLAIMED"
    DECIDING = "DECIDING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


OPEN_TASK_STATES: Final = (TaskState.READY, TaskState.CLAIMED, TaskState.DECIDING)


class DecisionState(StrEnum):
    """PENDING until the workflow applied or refused it."""

    PENDING = "PENDING"
    APPLIED = "APPLIED"
    REFUSED = "REFUSED"


class TaskType(StrEnum):
    """What a person is asked. The value is the name in the API and in the texts."""

    DOCUMENTS = "installments.documents"
    ASSESSMENT = "installments.assessment"
    APPROVAL = "installments.approval"
    COUNTER_OFFER = "installments.counter-offer"
    INCIDENT = "platform.incident"
    INCIDENT_CONFIRM = "platform.incident-confirm"


class Outcome(StrEnum):
    """What a person may answer. Which outcomes a task knows stands in `OUTCOMES`."""

    ACCEPT = "accept"
    REJECT = "reject"
    RETURN = "return"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    COUNTER = "counter"
    DECLINE = "decline"
    RETRY = "retry"
    MEND = "mend"
    GIVE_UP = "give-up"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"  # on the case, never on a task


OUTCOMES: Final[dict[TaskType, tuple[Outcome, ...]]] = {
    TaskType.DOCUMENTS: (Outcome.ACCEPT, Outcome.REJECT),
    TaskType.ASSESSMENT: (Outcome.RECOMMEND, Outcome.RETURN, Outcome.REJECT),
    TaskType.APPROVAL: (Outcome.APPROVE, Outcome.COUNTER, Outcome.RETURN, Outcome.REJECT),
    TaskType.COUNTER_OFFER: (Outcome.ACCEPT, Outcome.DECLINE),
    TaskType.INCIDENT: (Outcome.RETRY, Outcome.MEND, Outcome.GIVE_UP),
    TaskType.INCIDENT_CONFIRM: (Outcome.CONFIRM, Outcome.REJECT),
}

# A checker's task: bound to the hash of what was shown, needs a fresh log-in, and bars every maker.
CHECKER_TASKS: Final = frozenset({TaskType.APPROVAL, TaskType.INCIDENT_CONFIRM})


class Gate(StrEnum):
    """Where rules are asked (`compliance.rules.gates` says which)."""

    BUREAU = "installments.bureau"
    NEEDS = "installments.needs"
    DECISION = "installments.decision"


class OutboxKind(StrEnum):
    """What the relay has to get across to Temporal."""

    START = "start"
    DECISION = "decision"
