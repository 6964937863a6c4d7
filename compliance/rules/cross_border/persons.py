"""How many persons make an assessment or a contract necessary before data leave the country.

促进和规范数据跨境流动规定 Arts. 5, 7, 8; persons are counted since 1 January. 以上 includes the figure, 不满 does not.
"""

from collections.abc import Mapping
from typing import Any, Final

CONTRACT_FROM: Final = 100_000  # persons without sensitive data, inclusive
ASSESS_FROM: Final = 1_000_000  # persons without sensitive data, inclusive
ASSESS_SENSITIVE_FROM: Final = 10_000  # persons with sensitive data, inclusive


def needs_assessment(facts: Mapping[str, Any]) -> bool:
    """Whether the security assessment (安全评估) is needed: Art. 7."""
    return bool(
        facts["critical_operator"]
        or facts["export_important_data"]
        or facts["export_persons"] >= ASSESS_FROM
        or facts["export_sensitive_persons"] >= ASSESS_SENSITIVE_FROM
    )


def needs_contract(facts: Mapping[str, Any]) -> bool:
    """Whether a standard contract or certificate is the least: Art. 8, unless the person's own contract needs it."""
    if facts["own_contract_needs_it"]:
        return False
    return bool(facts["export_sensitive_persons"] > 0 or facts["export_persons"] >= CONTRACT_FROM)
