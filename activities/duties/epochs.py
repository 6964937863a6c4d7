"""The keeper of backup epochs: destroys the keys of days that are over, so that old backups of the keys go dark."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.epochs import EpochKeys
from models.database.engine import Database

_INSTALLATION: Final = "_"


@dataclass(slots=True)
class EpochKeeper(Duty):
    """Looks every hour; a look that finds nothing leaves no event.

    Attributes:
        keep_days: for how many days the key of a day is kept.
        drop_copies: removes copies of the key store that lie about for longer (those of before a migration); returns
            their names.
    """

    database: Database
    epochs: EpochKeys
    keep_days: int
    drop_copies: Callable[[datetime], Sequence[str]]
    name: ClassVar[str] = "epoch-keeper"
    every: ClassVar[timedelta] = timedelta(hours=1)

    async def run_once(self, now: datetime) -> int:
        """Destroy what is due; returns how many keys and copies are gone."""
        return await asyncio.to_thread(self.destroy, now)

    def destroy(self, now: datetime) -> int:
        """Destroy what is due.

        The deed is recorded after it is done: a key that is gone cannot come back with a transaction.
        """
        gone = self.epochs.destroy_old(now, keep_days=self.keep_days)
        copies = list(self.drop_copies(now))
        if gone or copies:
            deed = Deed(
                tenant=_INSTALLATION, action="backup.epochs-destroyed", target="backup-epochs",
                actor="duty:epoch-keeper", at=now,
                facts={"days": [day.isoformat() for day in gone], "copies": copies, "keptDays": self.keep_days},
            )  # fmt: skip
            with unit_of_work(self.database, deed):
                pass  # the event is all there is to write
        return len(gone) + len(copies)
