"""The filter of a search for transfer jobs (`models.domain.filter_language`), and what states are called in it."""

from enum import StrEnum
from typing import Final

from models.domain.filter_language import MEMBERSHIP, NULLABLE, RANGE, FieldTest, FilterLanguage, instant, one_of, text
from models.domain.transfers.states import JobOutcome, JobStage, LegalClass, Side


class JobState(StrEnum):
    """Whether a job goes on, and how it ended if it does not."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = JobOutcome.COMPLETED.value
    REFUSED = JobOutcome.REFUSED.value
    ROLLED_BACK = JobOutcome.ROLLED_BACK.value
    CANCELLED = JobOutcome.CANCELLED.value


assert {each.value for each in JobOutcome} < {each.value for each in JobState}
OPEN_GROUP: Final = "open"


class JobField(StrEnum):
    """What can be filtered; the value is the member's name in the API."""

    STAGE = "stage"
    CLASS = "class"  # a job may be of several: E,G is found under both
    STATE = "state"  # also `open`: it has not ended
    SIDE = "side"  # of the caller's institution: `target` receives, `source` gives
    SOURCE = "sourceTenant"  # absent where the rows come from files alone
    TARGET = "targetTenant"
    CREATED = "createdAt"
    UPDATED = "updatedAt"
    ENDED = "endedAt"


JobTest = FieldTest[JobField]

LANGUAGE: Final = FilterLanguage(
    members=JobField,
    reads={
        JobField.STAGE: (MEMBERSHIP, one_of(*JobStage)),
        JobField.CLASS: (MEMBERSHIP, one_of(*LegalClass)),
        JobField.STATE: (MEMBERSHIP, one_of(OPEN_GROUP, *JobState)),
        JobField.SIDE: (MEMBERSHIP, one_of(*Side)),
        JobField.SOURCE: (MEMBERSHIP | NULLABLE, text),
        JobField.TARGET: (MEMBERSHIP, text),
        JobField.CREATED: (RANGE, instant),
        JobField.UPDATED: (RANGE, instant),
        JobField.ENDED: (RANGE | NULLABLE, instant),
    },
    groups={(JobField.STATE, OPEN_GROUP): (JobState.RUNNING.value, JobState.PAUSED.value)},
)
