"""Which rules stand at which gate, in the order: basis, disclosure, consent, limits, evidence."""

from typing import Final

from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {
    Gate.BUREAU: ("CRED-18",),
    Gate.NEEDS: ("CCM-70a",),
    Gate.DECISION: ("PIPL-24",),
}
