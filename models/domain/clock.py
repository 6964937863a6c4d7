"""Time is a value: edges hold a clock and pass what it says on."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
