"""Which step follows which decision in an installment case: a pure table, so that it can be read and tested alone."""

from dataclasses import dataclass
from typing import Final

from models.domain.states import CaseOutcome, CaseStage, Outcome, TaskType


@dataclass(frozen=True, slots=True)
class Next:
    """Where the case goes, and how it ended if it did."""

    stage: CaseStage
    outcome: CaseOutcome | None = None
    reason: str | None = None  # where the decision itself names none


# Incident tasks leave the stage as it is and are not in this table, but for a confirmed "give up" (`GIVEN_UP`).
TRANSITIONS: Final[dict[tuple[TaskType, Outcome], Next]] = {
    (TaskType.DOCUMENTS, Outcome.ACCEPT): Next(CaseStage.NEEDS),
    (TaskType.DOCUMENTS, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.REJECTED),
    (TaskType.ASSESSMENT, Outcome.RECOMMEND): Next(CaseStage.NEGOTIATION),
    (TaskType.ASSESSMENT, Outcome.RETURN): Next(CaseStage.DOCUMENTS),
    (TaskType.ASSESSMENT, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.REJECTED),
    (TaskType.NEGOTIATION, Outcome.CHOOSE): Next(CaseStage.APPROVAL),
    (TaskType.NEGOTIATION, Outcome.REOFFER): Next(CaseStage.NEGOTIATION),
    (TaskType.NEGOTIATION, Outcome.RETURN): Next(CaseStage.ASSESSMENT),
    (TaskType.NEGOTIATION, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.REJECTED),
    (TaskType.APPROVAL, Outcome.APPROVE): Next(CaseStage.SIGNING),
    (TaskType.APPROVAL, Outcome.COUNTER): Next(CaseStage.COUNTER_OFFER),
    (TaskType.APPROVAL, Outcome.RETURN): Next(CaseStage.NEGOTIATION),
    (TaskType.APPROVAL, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.REJECTED),
    (TaskType.COUNTER_OFFER, Outcome.ACCEPT): Next(CaseStage.NEGOTIATION),
    (TaskType.COUNTER_OFFER, Outcome.DECLINE): Next(CaseStage.ENDED, CaseOutcome.WITHDRAWN),
    (TaskType.SIGNING, Outcome.SIGN): Next(CaseStage.ACTIVATION),
    (TaskType.SIGNING, Outcome.PAPER): Next(CaseStage.PAPER_CHECK),
    (TaskType.SIGNING, Outcome.RESEND): Next(CaseStage.SIGNING),
    (TaskType.SIGNING, Outcome.DECLINE): Next(CaseStage.ENDED, CaseOutcome.CANCELLED),
    (TaskType.PAPER_CHECK, Outcome.CONFIRM): Next(CaseStage.ACTIVATION),
    (TaskType.PAPER_CHECK, Outcome.RETURN): Next(CaseStage.SIGNING),
    (TaskType.ACTIVATION, Outcome.RETRY): Next(CaseStage.ACTIVATION),
    (TaskType.ACTIVATION, Outcome.RETURN): Next(CaseStage.SIGNING),
    (TaskType.ACTIVATION, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.CANCELLED),
    (TaskType.MISSED, Outcome.CONTACTED): Next(CaseStage.SERVICING),
    (TaskType.DEFAULT, Outcome.DECLARE): Next(CaseStage.BREAKING),
    (TaskType.DEFAULT, Outcome.EXTEND): Next(CaseStage.SERVICING),
}

WITHDRAWN: Final = Next(CaseStage.ENDED, CaseOutcome.WITHDRAWN)
GIVEN_UP: Final = Next(CaseStage.ENDED, CaseOutcome.REJECTED, "incident-given-up")
