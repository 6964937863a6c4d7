"""How the failure of a step looks to a workflow, and the code in it."""

from typing import Final

from temporalio.exceptions import ActivityError, ApplicationError

# A normal activity fails as `ActivityError` around its cause; a local one as the cause itself.
STEP_FAILED: Final = (ActivityError, ApplicationError)

# A step of a transfer job was refused because nobody has passed its course (`models.errors.TrainingMissing`).
TRAINING_MISSING: Final = "training-missing"


def failure_code(error: ActivityError | ApplicationError) -> str:
    """The problem code that crossed from the activity; `unavailable` when it only ran out of time."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return cause.type if isinstance(cause, ApplicationError) and cause.type else "unavailable"
