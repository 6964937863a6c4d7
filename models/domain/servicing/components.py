"""Of what a debt consists, and how far each part is due: the two axes of every allocation."""

from enum import StrEnum


class Component(StrEnum):
    """What money is owed for."""

    PENALTY = "penalty"  # 罚息: late interest
    FEE = "fee"  # 费用
    INTEREST = "interest"  # 利息
    PRINCIPAL = "principal"  # 本金


class Bucket(StrEnum):
    """How far a row is due on the day of the payment."""

    PAST_DUE = "past-due"
    DUE = "due"
    IN_ADVANCE = "in-advance"
