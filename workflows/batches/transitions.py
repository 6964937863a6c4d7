"""Which stage of a run follows which decision: a pure table, so that it can be read and tested alone."""

from typing import Final

from models.domain.batches.states import RunOutcome, RunStage
from models.domain.states import Outcome, TaskType
from workflows.support.deciding import Following

Next = Following[RunStage, RunOutcome]
_ENDED: Final = RunStage.ENDED
STAYS: Final = Next()
# What is not in this table leaves the stage as it is: the stage itself looks at what was decided.
TRANSITIONS: Final[dict[tuple[TaskType, Outcome], Next]] = {
    (TaskType.BATCH_GATE, Outcome.GIVE_UP): Next(_ENDED, RunOutcome.REFUSED, "barred-by-rule"),
    (TaskType.BATCH_APPROVAL, Outcome.RETURN): Next(RunStage.COHORT),
    (TaskType.BATCH_APPROVAL, Outcome.REJECT): Next(_ENDED, RunOutcome.REFUSED),
    (TaskType.BATCH_BREAKER, Outcome.STOP): Next(RunStage.STOPPING),
}
GIVEN_UP: Final = Next(_ENDED, RunOutcome.CANCELLED, "incident-given-up")
