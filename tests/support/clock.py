"""A clock that a test moves by hand."""

from datetime import UTC, datetime, timedelta
from typing import Final

MONDAY_MORNING: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, an ordinary working day


class FakeClock:
    """A `models.domain.clock.Clock`: says the same instant until it is told otherwise."""

    def __init__(self, start: datetime = MONDAY_MORNING) -> None:
        """Begin at `start`."""
        self.set(start)

    def __call__(self) -> datetime:
        """Now, in UTC."""
        return self._now

    def set(self, now: datetime) -> None:
        """Go to an instant, also backwards.

        Raises:
            ValueError: it has no time zone.
        """
        if now.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._now = now.astimezone(UTC)

    def advance(
        self,
        by: timedelta | None = None,
        /,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Let time pass, given as a timedelta or in parts; returns the new instant."""
        self._now += (by or timedelta()) + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._now
