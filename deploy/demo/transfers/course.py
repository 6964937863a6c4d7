"""The course of the demo's transfer: people answer, one wave is rolled back and run again, customers are told."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from deploy.demo.office import Unexpected
from deploy.demo.transfers import calls
from deploy.demo.transfers.answers import answer
from deploy.demo.transfers.receipts import Providers
from deploy.demo.transfers.room import Room
from models.domain.transfers.states import JobStage, WaveState

_POLL_S: Final = 0.5
_PATIENCE_S: Final = 600.0  # without anything new
_OBJECTIONS: Final = 3
_UNDONE_WAVE: Final = 1


@dataclass(slots=True)
class Course:
    """One job on its way.

    Attributes:
        stages: seconds that each stage took, in their order.
        tell: called with the job whenever it is looked at.
    """

    room: Room
    providers: Providers
    tell: Callable[[dict[str, Any]], object] = lambda _job: None
    stages: dict[str, float] = field(default_factory=dict)
    _asked_rollback: bool = False
    _objected: bool = False

    async def to_the_end(self) -> dict[str, Any]:
        """Answer what is asked until the job has ended.

        Raises:
            Unexpected: nobody planned for a task, an answer was refused, or nothing goes on.
        """
        moved_at, before, since = time.monotonic(), "", time.monotonic()
        stage = ""
        while True:
            job = await self.room.told()
            self.tell(job)
            now = time.monotonic()
            if job["stage"] != stage:
                if stage:
                    self.stages[stage] = round(self.stages.get(stage, 0.0) + now - since, 1)
                stage, since = str(job["stage"]), now
            if job.get("outcome") is not None:
                return job
            answered = await self._answer_all()
            told = await self._do_what_the_stage_brings(stage)
            sign = f"{stage} {job.get('version')} {job.get('counts')}"
            if sign != before or answered or told:
                before, moved_at = sign, now
            elif now - moved_at > _PATIENCE_S:
                raise Unexpected(f"the job stands still in {stage}")
            await asyncio.sleep(_POLL_S)

    async def _answer_all(self) -> int:
        tasks = await self.room.waiting()
        await asyncio.gather(*(answer(self.room, task) for task in tasks))
        return len(tasks)

    async def _do_what_the_stage_brings(self, stage: str) -> int:
        if stage == JobStage.UPDATING:
            return await self._roll_back_once()
        if stage in {JobStage.NOTIFYING, JobStage.NOTIFYING_FIRST}:
            return self.providers.tell() + await self._object()
        return 0

    async def _roll_back_once(self) -> int:
        """The first wave that has moved is rolled back, once."""
        room = self.room
        wave = next((each for each in await calls.waves(room.acquirer.auditor, room.job)), None)
        if wave is None:
            return 0
        if not self._asked_rollback and wave["state"] == WaveState.MOVED:
            await calls.ask_rollback(room.acquirer.lead, room.job, wave=_UNDONE_WAVE)
            self._asked_rollback = True
            return 1
        return 0

    async def _object(self) -> int:
        """Some customers object under the link that they were sent, as soon as they have it."""
        links = list(islice(self.providers.links(), _OBJECTIONS))
        if self._objected or not links:
            return 0
        self._objected = True
        for link in links:
            await calls.object_to(self.room.line, link)
        self.room.seen["objections"] += len(links)
        return len(links)
