"""Every rule in every version, by id. A new version is added beside the old one: old facts are judged by old rules."""

from datetime import date
from typing import Final

from compliance.rules.installments.ccm_70a import CCM_70A
from compliance.rules.installments.cred_18 import CRED_18
from compliance.rules.installments.pipl_24 import PIPL_24
from compliance.rules.rule import Rule

REGISTRY: Final[tuple[Rule, ...]] = (CCM_70A, PIPL_24, CRED_18)


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
