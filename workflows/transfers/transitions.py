"""Which stage of a transfer job follows which decision: a pure table, so that it can be read and tested alone."""

from typing import Final

from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.support.deciding import Following

Next = Following[JobStage, JobOutcome]
_ENDED: Final = JobStage.ENDED
STAYS: Final = Next()
# What is not in this table leaves the stage as it is: the stage itself looks at what was decided.
TRANSITIONS: Final[dict[tuple[TaskType, Outcome], Next]] = {
    (TaskType.TRANSFER_CLASSIFICATION, Outcome.REJECT): Next(_ENDED, JobOutcome.REFUSED),
    (TaskType.TRANSFER_GATE, Outcome.GIVE_UP): Next(_ENDED, JobOutcome.REFUSED, "barred-by-rule"),
    (TaskType.TRANSFER_PLAN_APPROVAL, Outcome.RETURN): Next(JobStage.PLANNING),
    (TaskType.TRANSFER_PLAN_APPROVAL, Outcome.REJECT): Next(_ENDED, JobOutcome.REFUSED),
    (TaskType.TRANSFER_GO_NO_GO, Outcome.RETURN): Next(JobStage.VERIFYING),
    (TaskType.TRANSFER_GO_NO_GO, Outcome.REJECT): Next(_ENDED, JobOutcome.CANCELLED),
}
GIVEN_UP: Final = Next(_ENDED, JobOutcome.CANCELLED, "incident-given-up")
# Once rows have moved a job is not given up: it goes on, or it is rolled back.
NEVER_AFTER_MOVING: Final = frozenset({(TaskType.TRANSFER_GATE, Outcome.GIVE_UP), (TaskType.INCIDENT, Outcome.GIVE_UP)})
