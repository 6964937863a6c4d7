"""What becomes of a row that was checked by itself: accepted, held for a person, or rejected."""

from collections.abc import Mapping, Sequence
from typing import Final

from models.domain.customers.faults import OF_READING, Fault, Severity, worst_of
from models.domain.transfers.states import RowOutcome

QUARANTINED: Final = "quarantine"  # reason code of a held row that waits for a correction; other stages hold by others
_REASON_LENGTH: Final = 40


def of_reading(faults: Sequence[Fault]) -> list[Fault]:
    """Faults that only reading could find; all others are found anew."""
    return [fault for fault in faults if fault.rule in OF_READING]


def outcome_of(faults: Sequence[Fault], stricter: Mapping[str, str]) -> tuple[RowOutcome, str | None]:
    """What becomes of a row with these faults, and the reason code beside it."""
    worst = worst_of(faults, stricter)
    if worst is Severity.REJECT:
        rule = next(fault.rule for fault in faults if worst_of([fault], stricter) is worst)
        return RowOutcome.REJECTED, rule[:_REASON_LENGTH]
    if worst is Severity.HOLD:
        return RowOutcome.HELD, QUARANTINED
    return RowOutcome.ACCEPTED, None
