"""What a payment reduces first (冲还顺序), asked of the allocator itself, for the rule about it (CCM-57b)."""

from models.domain.rule_words import FirstPaid
from models.domain.servicing.allocation import COLUMN_OF
from models.domain.servicing.components import Component
from models.domain.servicing.stored import ALLOCATIONS


def first_paid_at(days_past_due: int, *, allocation: str) -> FirstPaid | None:
    """What the order of this version pays first at this age of the debt; None if there is no such version."""
    policy = ALLOCATIONS.get(allocation)
    if policy is None:
        return None
    principal = policy.order_at(days_past_due)[0][1] == COLUMN_OF[Component.PRINCIPAL]
    return FirstPaid.PRINCIPAL if principal else FirstPaid.INTEREST_AND_FEES
