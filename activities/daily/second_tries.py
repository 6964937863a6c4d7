"""Second tries: what waits in the exception queue for a step is ended once the step has done it (例外重试)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from activities.daily.chunks import DayWork
from compliance.audit.unit import Unit
from models.operations.business_dates import settle_exceptions
from models.queries.daily_exceptions import waiting_targets


@dataclass(frozen=True, slots=True)
class SecondTries:
    """Items of a step: all that wait, and of them those that somebody `asked` to have tried again."""

    work: DayWork
    waiting: frozenset[str]
    asked: frozenset[str]

    @classmethod
    def of(cls, session: Session, work: DayWork) -> "SecondTries":
        """As the queue stands when the step begins."""
        tenant, step = work.day.tenant, work.step
        return cls(
            work,
            frozenset(waiting_targets(session, tenant=tenant, step=step)),
            frozenset(waiting_targets(session, tenant=tenant, step=step, only_retries=True)),
        )

    def ended(self, unit: Unit, names: Iterable[str], figures: Mapping[str, int], now: datetime) -> Mapping[str, int]:
        """End the items of what a chunk has done; answers the chunk's figures."""
        done = self.waiting.intersection(names)
        settle_exceptions(unit.session, tenant=self.work.day.tenant, step=self.work.step, targets=done, now=now)
        return figures
