"""Every fact that a rule of any area may ask for. One name means one thing at each gate."""

from typing import Final

from compliance.rules.batches.facts import FACTS as BATCHES
from compliance.rules.contracts.facts import FACTS as CONTRACTS
from compliance.rules.cross_border.facts import FACTS as CROSS_BORDER
from compliance.rules.customers.facts import FACTS as CUSTOMERS
from compliance.rules.fact import Fact
from compliance.rules.installments.facts import FACTS as INSTALLMENTS
from compliance.rules.personal_data.facts import FACTS as PERSONAL_DATA
from compliance.rules.rule import FactKind
from compliance.rules.security.facts import FACTS as SECURITY
from compliance.rules.transfers.facts import FACTS as TRANSFERS

AREAS: Final = (
    INSTALLMENTS, CONTRACTS, BATCHES, TRANSFERS, PERSONAL_DATA, CROSS_BORDER, SECURITY, CUSTOMERS,
)  # fmt: skip
FACTS: Final[dict[str, Fact]] = {name: fact for area in AREAS for name, fact in area.items()}


def asks(*names: str) -> dict[str, FactKind]:
    """The facts of a rule by their names, of whichever area.

    Raises:
        KeyError: there is no such fact.
    """
    return {name: FACTS[name].kind for name in names}
