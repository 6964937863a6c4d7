"""How patient each kind of step is: the only file that contains a time-out.

`docs/timeouts.md` explains the figures. Start-to-close bounds one attempt, schedule-to-close bounds all of them.
"""

from datetime import datetime, timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy

# A lost workflow task is noticed after 2 s; with more than 20 slots this storms under load.
WORKFLOW_TASK_TIMEOUT: Final = timedelta(seconds=2)
STICKY_TIMEOUT: Final = timedelta(seconds=1)
WORKFLOW_TASK_SLOTS: Final = 20

# What a person waits for at the API before `202`.
DECISION_BUDGET: Final = timedelta(seconds=2)
# What a call to the Temporal server may take.
RPC_TIMEOUT: Final = timedelta(seconds=5)


class LocalProfile(TypedDict):
    """Keyword arguments of `execute_local_activity_method`."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    local_retry_threshold: timedelta


class ActivityProfile(TypedDict):
    """Keyword arguments of `execute_activity_method`, normal activities."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class DecidingProfile(TypedDict):
    """As `ActivityProfile`, without an end: an accepted decision is applied, however long the database is away."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class BulkProfile(TypedDict):
    """As `DecidingProfile`, for a step that beats while it works."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


# A short database step. Repeated without end: the database comes back, and the case waits for it.
DATABASE: Final[LocalProfile] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
    "local_retry_threshold": timedelta(seconds=10),
}

# The database step of a handler that decides, and of whatever moves money.
DECIDING: Final[DecidingProfile] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
}

# A step of the daily run: many chunks, a beat after each. Repeated without end, as `DECIDING`.
BULK: Final[BulkProfile] = {
    "start_to_close_timeout": timedelta(hours=2),
    "heartbeat_timeout": timedelta(minutes=1),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
}

# How long whoever reads a tenant's bank exchange keeps it without a sign of life; each beat of the reading renews it.
EXCHANGE_LEASE: Final = timedelta(seconds=20)

# How long the daily run waits for a date that somebody else runs before it looks again.
DAY_STEP_REST: Final = timedelta(seconds=6)
_LONGEST_REST_S: Final = 60


def rest_before_try(failures: int) -> timedelta:
    """How long a workflow rests before it tries a step that was refused for good again: 1, 2, 4 … 60 seconds.

    For the daily run, and wherever even an incident task cannot be opened: that is a defect, and not an outage.

    Args:
        failures: of this step so far, from 1; five or six of them fall into the first minute.
    """
    return timedelta(seconds=min(2 ** min(failures - 1, 6), _LONGEST_REST_S))


# How far the clock in Shanghai is ahead of UTC, all year round: the day on which a scheduled run was due.
SHANGHAI_AHEAD: Final = timedelta(hours=8)

# How soon a change of suite that waits for people looks again where nobody has nudged it.
RESEAL_LOOKS_AGAIN: Final = timedelta(seconds=30)


# A wave whose workflow is just ending cannot be started under the same name at once.
WAVE_ENDS_WITHIN: Final = timedelta(seconds=1)


def seconds(count: int) -> timedelta:
    """A rest whose length an activity has told."""
    return timedelta(seconds=count)


# A call to an outside party. When it is spent an incident task opens; the case goes on living.
GATEWAY: Final[ActivityProfile] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
}


class Waiting(TypedDict):
    """Keyword arguments of `workflow.wait_condition`."""

    timeout: timedelta


def until(moment: datetime, *, now: datetime) -> Waiting:
    """A wait that ends at a moment which the records name, such as the clock of a ticket.

    At least a second is waited, also where the moment has passed: behind a slow local step a replay is told another
    time, and whether a timer is set must not hang on it (TMPRL1100).
    """
    return {"timeout": max(moment - now, timedelta(seconds=1))}


# How soon a transfer job that waits for people, receipts or waves looks again where nobody has nudged it: the rest
# doubles from one look to the next, and begins anew whenever something has happened.
_TRANSFER_FIRST_LOOK_S: Final = 5
_TRANSFER_LONGEST_LOOK_S: Final = 600


def until_looking_again(looks: int, *, due_in_s: int | None = None) -> Waiting:
    """A wait that ends by itself after 5, 10, 20 … 600 seconds, or as soon as something is due.

    Args:
        looks: at the same thing so far, from 1.
        due_in_s: when something can be done next, where that is known; at least a second is waited.
    """
    rest = min(_TRANSFER_FIRST_LOOK_S * 2 ** min(looks - 1, 10), _TRANSFER_LONGEST_LOOK_S)
    return {"timeout": timedelta(seconds=rest if due_in_s is None else max(1, min(rest, due_in_s)))}
