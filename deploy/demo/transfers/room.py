"""Everybody who works on the demo's transfer, and what they know: staff of both companies, the job, the truth."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo.office import Actor, Line, Unexpected
from deploy.demo.transfers import calls
from deploy.demo.transfers.companies import Company
from deploy.demo.transfers.truth import TrueRow
from models.domain.states import RECORD_TASKS

_RECORD_TYPES: Final = [kind.value for kind in RECORD_TASKS if kind.value.startswith("transfers.")]
_COMPANY: Final = "companyOfTheDemo"
_NOT_ASKED: Final = "409 wrong-state"
_LOOKS_AGAIN: Final = 3  # a task that is still there after so many is no race
_FOUR_EYES: Final = "four-eyes-violation"
_AT_ONCE: Final = 8
_MOST_SHOWN: Final = 3_000  # answers that are searched for people in clear


@dataclass(slots=True)
class Room:
    """The people of a job.

    Attributes:
        truth: of the file, by row; nobody in the room may decide by it what they could not find out by themselves.
        record_of: record in the acquirer's book, by customer number.
        seen: what happened, counted.
        gone: how often a task was not asked any more, by its name.
        shown: answers that people have looked at, for the canary.
    """

    line: Line
    acquirer: Company
    transferor: Company
    truth: dict[int, TrueRow]
    record_of: dict[str, str]
    job: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    shown: list[bytes] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def log_in(self) -> None:
        """Everybody comes to work."""
        for company in (self.acquirer, self.transferor):
            for actor in company.everybody():
                await actor.log_in()

    def note(self, content: bytes) -> None:
        """Keep what somebody looked at."""
        if len(self.shown) < _MOST_SHOWN:
            self.shown.append(content)

    async def decide(self, task: dict[str, Any], form: dict[str, Any]) -> Actor | None:
        """The first person of the role who may decide does; whoever made something is refused and counted.

        Returns:
            Who decided; None if nobody is asked any more, as where the wave of a conflict is being put back.

        Raises:
            Unexpected: nobody may, or the form is refused.
        """
        refused = ""
        for actor in self.company(task).for_role(str(task["candidateRole"])):
            try:
                answer = await actor.decide(str(task["id"]), form)
            except Unexpected as error:
                if _NOT_ASKED in str(error) and self.gone[str(task["id"])] < _LOOKS_AGAIN:
                    self.gone[str(task["id"])] += 1
                    return None
                if _FOUR_EYES not in str(error):
                    raise
                refused = str(error)
                self.seen["four-eyes-refused"] += 1
                continue
            self.note(answer.content)
            self.seen[str(task["type"])] += 1
            return actor
        raise Unexpected(f"nobody may decide {task['type']}: {refused}")

    async def told(self) -> dict[str, Any]:
        """The job as it is."""
        return await calls.told(self.acquirer.auditor, self.job)

    async def waiting(self) -> list[dict[str, Any]]:
        """What is asked of people of both companies, each task once, with what it shows and whose it is."""
        found: dict[str, dict[str, Any]] = {}
        for company in (self.acquirer, self.transferor):
            tasks = await calls.open_tasks(company.auditor, {"caseToken": self.job})
            if _RECORD_TYPES:
                tasks += await calls.open_tasks(company.auditor, {"type": {"$in": _RECORD_TYPES}})
            for task in tasks:
                if task["id"] not in found:
                    found[task["id"]] = await calls.task(company.auditor, task["id"]) | {_COMPANY: company.tenant}
        return [task for task in found.values() if task["state"] != "DECIDING"]

    def company(self, task: dict[str, Any]) -> Company:
        """In whose inbox a task was found."""
        return self.transferor if task.get(_COMPANY) == self.transferor.tenant else self.acquirer
