"""Who takes the notices of an exercise: nobody outside. It can be away, and its time can be moved."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from activities.gateways.messages import Receipt
from activities.transfers.notice_gateways import Carriers, Letter
from deploy.clock import wall_clock
from models.domain.shanghai import SHANGHAI
from models.domain.transfers.notice_policy import Way
from models.errors import GatewayUnavailable

_FIRST, _LAST = 10, 18  # hours at which people may be called
_MORNING = time(_FIRST, tzinfo=SHANGHAI)


@dataclass(slots=True)
class DrillDesk:
    """What came, by id and how often; how many were turned away; and the time by which notices are due."""

    down: bool = False
    taken: dict[str, int] = field(default_factory=dict)
    turned_away: int = 0
    _ahead: timedelta = field(default_factory=lambda: _until_morning(wall_clock()))

    def now(self) -> datetime:
        """The exercise's time."""
        return wall_clock() + self._ahead

    def advance(self, seconds: int) -> None:
        """Have time pass; where it comes to an end of the day, to the next morning."""
        self._ahead += timedelta(seconds=seconds)
        if not _FIRST <= self.now().astimezone(SHANGHAI).hour < _LAST:
            self._ahead += _until_morning(self.now())

    def take(self, message_id: str) -> Receipt:
        """Take a message.

        Raises:
            GatewayUnavailable: while it is away.
        """
        if self.down:
            self.turned_away += 1
            raise GatewayUnavailable(detail="the provider was taken away by a drill")
        self.taken[message_id] = self.taken.get(message_id, 0) + 1
        return Receipt(ref=message_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class DrillCarriers(Carriers):
    """Every channel leads to the desk."""

    desk: DrillDesk

    def carry(self, way: Way, letter: Letter, *, to: str) -> Receipt:  # noqa: ARG002 - as the real ones
        """Hand it to the desk.

        Raises:
            GatewayUnavailable: the desk is away.
        """
        return self.desk.take(letter.id)


def _until_morning(now: datetime) -> timedelta:
    morning = datetime.combine(now.astimezone(SHANGHAI).date() + timedelta(days=1), _MORNING)
    return morning - now
