"""Names of task queues."""

from typing import Final

CASES_QUEUE: Final = "cases"
GATEWAYS_QUEUE: Final = "gateways"
BULK_QUEUE: Final = "bulk"
