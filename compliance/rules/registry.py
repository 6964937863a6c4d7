"""Every rule in every version, by id, put together from the registries of the areas.

A new version is added beside the old one: old facts are judged by old rules.
"""

from datetime import date
from functools import cache
from typing import Final

from compliance.rules.batches.registry import RULES as BATCHES
from compliance.rules.contracts.registry import RULES as CONTRACTS
from compliance.rules.cross_border.registry import RULES as CROSS_BORDER
from compliance.rules.customers.registry import RULES as CUSTOMERS
from compliance.rules.installments.registry import RULES as INSTALLMENTS
from compliance.rules.personal_data.registry import RULES as PERSONAL_DATA
from compliance.rules.rule import Rule
from compliance.rules.security.registry import RULES as SECURITY
from compliance.rules.transfers.registry import RULES as TRANSFERS

REGISTRY: Final[tuple[Rule, ...]] = (
    *INSTALLMENTS,
    *CONTRACTS,
    *BATCHES,
    *TRANSFERS,
    *PERSONAL_DATA,
    *CROSS_BORDER,
    *SECURITY,
    *CUSTOMERS,
)


@cache
def versions_of(rule_id: str) -> tuple[Rule, ...]:
    """All versions of a rule, oldest first.

    Raises:
        LookupError: there is no such rule.
    """
    found = tuple(sorted((rule for rule in REGISTRY if rule.id == rule_id), key=lambda rule: rule.effective_from))
    if not found:
        raise LookupError(f"no rule {rule_id}")
    return found


def rule_on(rule_id: str, *, as_of: date) -> Rule | None:
    """The version in force on the date of the legal fact; None if there was none.

    Raises:
        LookupError: there is no such rule.
    """
    return next((rule for rule in versions_of(rule_id) if rule.holds_on(as_of)), None)
