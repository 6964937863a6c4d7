"""How many pushes are taken in a while: a bucket that fills with time. Each process has its own."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from models.errors import TooManyRequests


@dataclass(slots=True)
class Pace:
    """At most `burst` at once, and `per_second` in the long run."""

    burst: float
    per_second: float
    _left: float = -1
    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, now: datetime) -> None:
        """Count one.

        Raises:
            TooManyRequests: the bucket is empty; `params.retryAfter` says for how many seconds.
        """
        with self._lock:
            passed = 0.0 if self._at is None else max(0.0, (now - self._at).total_seconds())
            left = self.burst if self._at is None else min(self.burst, self._left + passed * self.per_second)
            self._at = now
            if left < 1:
                self._left = left
                raise TooManyRequests(params={"retryAfter": max(1, round((1 - left) / self.per_second))})
            self._left = left - 1
