"""Which rules stand at which gate, in the order classification → basis → disclosure → consent → limits → evidence."""

from typing import Final

from compliance.rules.batches.gates import GATES as BATCHES
from compliance.rules.house_gates import GATES as HOUSE
from compliance.rules.installments.gates import GATES as INSTALLMENTS
from compliance.rules.transfers.gates import GATES as TRANSFERS
from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {**INSTALLMENTS, **BATCHES, **TRANSFERS, **HOUSE}
