"""The eraser: carries out approved erasures (删除), and issues their certificates once the deed is in the log."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from activities.duties.runner import Duty
from compliance.vault.erasure import Erasing
from models.domain.privacy.erasing import ErasureState
from models.errors import CaseworkError
from models.operations import erasure

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Eraser(Duty):
    """Goes through what was approved. One erasure that fails does not hold up the others; it is tried again."""

    erasing: Erasing
    name: ClassVar[str] = "eraser"
    every: ClassVar[timedelta] = timedelta(seconds=1)

    async def run_once(self, now: datetime) -> int:
        """Go through once; returns how many persons were erased or certified."""
        return await asyncio.to_thread(self._run, now)

    def _run(self, now: datetime) -> int:
        with self.erasing.database.read() as session:
            approved = [each.id for each in erasure.approved(session)]
            uncertified = [each.id for each in erasure.uncertified(session)]
        erased = sum(self._tried(request_id, now) for request_id in approved)
        return erased + sum(self.erasing.certify(request_id, now=now) for request_id in uncertified)

    def _tried(self, request_id: str, now: datetime) -> bool:
        try:
            return self.erasing.erase(request_id, now=now) is ErasureState.ERASED
        except CaseworkError as error:
            log.warning("erasure.not-finished", error_code=error.code)
        return False
