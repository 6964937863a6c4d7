"""The people of the batch demo, and how they decide what runs ask of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo.batches import calls
from deploy.demo.office import Actor, Unexpected
from deploy.demo.transfers.companies import Company
from models.domain.roles import Role
from models.domain.states import RECORD_TASKS, Outcome, TaskType

_RECORD_TYPES: Final = [kind.value for kind in RECORD_TASKS if kind.value.startswith("batches.")]
_FOUR_EYES: Final = "four-eyes-violation"
_NOT_ASKED: Final = "409 wrong-state"
_AT_ONCE: Final = 8
# What people say to each question. A gate, a breaker or an incident is none that the demo plans.
_WORDS: Final[dict[str, dict[str, Any]]] = {
    TaskType.BATCH_APPROVAL: {"outcome": Outcome.APPROVE},
    TaskType.BATCH_CLOSE: {"outcome": Outcome.CONFIRM},
    TaskType.BATCH_QUARANTINE: {"outcome": Outcome.DISCARD, "reasonCode": "cannot-be-corrected"},
    TaskType.BATCH_SUGGESTION: {"outcome": Outcome.DISMISS, "reasonCode": "not-needed"},
}


@dataclass(slots=True)
class Desk:
    """Everybody who works on the batches.

    Attributes:
        seen: decisions by type of task, and refusals by four-eyes.
        deciders: who approved and closed which run, by `<type>/<run>`: the login.
    """

    company: Company
    seen: Counter[str] = field(default_factory=Counter)
    deciders: dict[str, str] = field(default_factory=dict)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    @property
    def maker(self) -> Actor:
        """Who begins runs (批量经办)."""
        return self.company.staff[Role.BATCH_OPERATOR][0]

    @property
    def checker(self) -> Actor:
        """Who approves them (批量复核)."""
        return self.company.staff[Role.BATCH_APPROVER][0]

    @property
    def operator(self) -> Actor:
        """Who runs the business dates."""
        return self.company.staff[Role.OPERATOR][0]

    async def log_in(self) -> None:
        """Everybody comes to work; who is asked later logs in then."""
        for actor in (self.maker, self.checker, self.operator, self.company.auditor):
            await actor.log_in()

    async def answer(self, runs: list[str]) -> int:
        """Decide what is asked now about these runs; returns how much that was."""
        auditor = self.company.auditor
        tasks = await calls.open_tasks(auditor, {"type": {"$in": _RECORD_TYPES}})
        for run in runs:
            tasks += await calls.open_tasks(auditor, {"caseToken": run})
        once = {task["id"]: task for task in tasks}
        await asyncio.gather(*(self._decide(task) for task in once.values()))
        return len(once)

    async def _decide(self, task: dict[str, Any]) -> None:
        form = _WORDS.get(task["type"])
        if form is None:
            raise Unexpected(f"nobody planned for a task {task['type']}: {task.get('title')}")
        async with self._gate:
            for actor in self.company.for_role(str(task["candidateRole"])):
                try:
                    await actor.decide(str(task["id"]), dict(form))
                except Unexpected as error:
                    if _NOT_ASKED in str(error):  # somebody else has decided it at this moment
                        return
                    if _FOUR_EYES not in str(error):
                        raise
                    self.seen["four-eyes-refused"] += 1
                    continue
                self.seen[str(task["type"])] += 1
                self.deciders[f"{task['type']}/{task.get('caseToken')}"] = actor.login
                return
        raise Unexpected(f"nobody may decide {task['type']}")
