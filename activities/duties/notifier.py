"""The notifier: sends queued notices when they are due, until each is sent, refused or past its time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog

from activities.duties.runner import Duty
from activities.gateways.notices import SqlNotices
from models.database.engine import Database
from models.domain.notices import NoticeState
from models.errors import CaseworkError
from models.queries.notices import due_notices

_AT_ONCE: Final = 4  # a provider answers in tens of milliseconds; more would crowd out the inbox's connections
_BATCH: Final = 300  # some seconds of work, within the lease
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Notifier(Duty):
    """Works through the queue. Two of them at once do no harm: a notice is taken for one try at a time."""

    database: Database
    sender: SqlNotices
    name: ClassVar[str] = "notifier"
    every: ClassVar[timedelta] = timedelta(seconds=1)

    async def run_once(self, now: datetime) -> int:
        """Send what is due; returns how many the providers have taken."""
        due = await asyncio.to_thread(self._due, now)
        hands = asyncio.Semaphore(_AT_ONCE)

        async def one(notice_id: str) -> bool:
            async with hands:
                return await asyncio.to_thread(self._sent, notice_id)

        return sum(await asyncio.gather(*(one(notice_id) for notice_id in due)))

    def _due(self, now: datetime) -> list[str]:
        with self.database.read() as session:
            return due_notices(session, now=now, limit=_BATCH)

    def _sent(self, notice_id: str) -> bool:
        try:
            return self.sender.deliver(notice_id).state == NoticeState.SENT
        except CaseworkError as error:
            log.info("notice.not-sent", error_code=error.code)  # it stays in the queue
        except Exception as error:  # noqa: BLE001 - one notice that cannot be sent must not hold up the others
            log.warning("notice.failed", error_type=type(error).__name__)
        return False
