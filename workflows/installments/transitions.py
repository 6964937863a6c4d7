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
    (TaskType.ASSESSMENT, Outcome.RECOMMEND): Next(CaseStage.APPROVAL),
    (TaskType.ASSESSMENT, Outcome.RETURN): Next(CaseStage.DOCUMENTS),
    (TaskType.ASSESSMENT, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.REJECTED),
    (TaskType.APPROVAL, Outcome.APPROVE): Next(CaseStage.ENDED, CaseOutcome.APPROVED),
    (TaskType.APPROVAL, Outcome.COUNTER): Next(CaseStage.COUNTER_OFFER),
    (TaskType.APPROVAL, Outcome.RETURN): Next(CaseStage.ASSESSMENT),
    (TaskType.APPROVAL, Outcome.REJECT): Next(CaseStage.ENDED, CaseOutcome.REJECTED),
    (TaskType.COUNTER_OFFER, Outcome.ACCEPT): Next(CaseStage.ENDED, CaseOutcome.COUNTERED),
    (TaskType.COUNTER_OFFER, Outcome.DECLINE): Next(CaseStage.ENDED, CaseOutcome.WITHDRAWN),
}

WITHDRAWN: Final = Next(CaseStage.ENDED, CaseOutcome.WITHDRAWN)
GIVEN_UP: Final = Next(CaseStage.ENDED, CaseOutcome.REJECTED, "incident-given-up")
