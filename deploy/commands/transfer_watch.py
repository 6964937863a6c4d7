"""Watching a transfer job: how far it is, and whom it waits for. The job runs by itself; this only looks."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from deploy import transfer_routes as routes
from models.domain.states import RECORD_TASKS
from models.domain.transfers.states import JobStage

if TYPE_CHECKING:
    from deploy.client import ApiClient

STAGES: Final = tuple(stage.value for stage in JobStage)
_POLL_S: Final = 0.5
_STILL: Final = 3  # looks in which nothing has changed, before whoever is asked is said to be waited for
_TASKS: Final = 100
_RECORD_TYPES: Final = [kind.value for kind in RECORD_TASKS if kind.value.startswith("transfers.")]


@dataclass(frozen=True, slots=True)
class Seen:
    """A job at one moment.

    Attributes:
        job: as the API tells it.
        waiting: open tasks of the job: what is asked, and of whom.
        progress: its rows by outcome and its waves by state.
    """

    job: dict[str, Any]
    waiting: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """Where it stands."""
        return str(self.job["stage"])

    @property
    def outcome(self) -> str | None:
        """How it ended, or None."""
        return self.job.get("outcome")

    @property
    def is_paused(self) -> bool:
        """A person has stopped it."""
        return bool(self.job["paused"])

    def whom(self) -> list[str]:
        """Whom it waits for, in words: the kind of task, how many, and the role that may answer."""
        counts: dict[tuple[str, str], int] = {}
        for task in self.waiting:
            key = (str(task.get("title") or task["type"]), str(task.get("candidateRole", "")))
            counts[key] = counts.get(key, 0) + 1
        return [f"{count} × {title} ({role})" for (title, role), count in sorted(counts.items())]


def look(client: "ApiClient", token: str) -> Seen:
    """The job, its open tasks, and those about rows, pairs and customers, which name no job in the inbox."""
    job = client.call("GET", routes.job(token))
    return Seen(job, waiting_for(client, token, _RECORD_TYPES), client.call("GET", routes.progress(token)))


def waiting_for(client: "ApiClient", token: str, record_types: Sequence[str]) -> list[dict[str, Any]]:
    """Open tasks of a job, and record tasks of these types, which name none."""
    found = _open(client, {"caseToken": token})
    if record_types:
        found += [task for task in _open(client, {"type": {"$in": list(record_types)}}) if task["caseToken"] is None]
    return list({task["id"]: task for task in found if task["state"] != "DECIDING"}.values())


def _open(client: "ApiClient", wanted: dict[str, Any]) -> list[dict[str, Any]]:
    body = {"filter": wanted | {"state": "open"}, "limit": _TASKS, "facets": False}
    items: list[dict[str, Any]] = client.call("POST", routes.TASK_SEARCH, body=body)["items"]
    return items


def watch(
    client: "ApiClient",
    token: str,
    *,
    until: str | None = None,
    sleep: Callable[[float], object] = time.sleep,
    look: Callable[["ApiClient", str], Seen] = look,
    stages: Sequence[str] = STAGES,
) -> Iterator[Seen]:
    """Look again and again until the job has ended, is paused, has come behind a stage, or waits for people.

    A job waits for people when it has open tasks and nothing about it has changed for three looks. `look` and `stages`
    are those of a transfer job, unless it is other work of that kind.
    """
    before: tuple[object, ...] = ()
    still = 0
    while True:
        seen = look(client, token)
        yield seen
        passed = until is not None and stages.index(seen.stage) > stages.index(until)
        if seen.outcome is not None or seen.is_paused or passed:
            return
        now = (seen.stage, seen.job.get("version"), str(seen.progress), len(seen.waiting))
        still = still + 1 if now == before else 0
        if seen.waiting and still >= _STILL:
            return
        before = now
        sleep(_POLL_S)
