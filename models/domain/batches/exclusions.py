"""Why a row that the criteria find is not in the batch (排除原因), and the rule behind each reason. Pure."""

from enum import StrEnum
from typing import Final


class Exclusion(StrEnum):
    """Reasons, in the order in which they are looked for: the first that holds is the one on record."""

    NO_MANDATE = "no-mandate"
    MANDATE_REVOKED = "mandate-revoked"
    MANDATE_OVER = "mandate-over"
    WAGE_ACCOUNT = "wage-account"  # 农民工工资专用账户
    DISPUTED = "disputed"
    NOTHING_DUE = "nothing-due"
    NOT_COLLECTED = "not-collected"  # the agreement is not in force, in default or written off
    PAID_ALREADY = "paid-already"  # an earlier order for the same claim was settled
    ORDER_OPEN = "order-open"  # an order for the same claim is under way
    ABOVE_LIMIT = "above-limit"  # of one debit, as the mandate says
    DATA_ERASED = "data-erased"
    CLAIMED_TWICE = "claimed-twice"  # another row of the same cohort claims the same


# Where no law speaks of the reason itself it is BATCH-EXCLUDE: no debit without cause (商业银行法 Art. 73).
RULE_OF: Final[dict[Exclusion, str]] = {
    Exclusion.NO_MANDATE: "CBL-29",
    Exclusion.MANDATE_REVOKED: "DDB-REVOKE",
    Exclusion.MANDATE_OVER: "DDB-MATCH",
    Exclusion.WAGE_ACCOUNT: "WAGE-33",
    Exclusion.DISPUTED: "BATCH-DISP",
    Exclusion.NOTHING_DUE: "BATCH-EXCLUDE",
    Exclusion.NOT_COLLECTED: "BATCH-EXCLUDE",
    Exclusion.PAID_ALREADY: "BATCH-ONCE",
    Exclusion.ORDER_OPEN: "BATCH-ONCE",
    Exclusion.ABOVE_LIMIT: "DDB-LIMIT",
    Exclusion.DATA_ERASED: "PIPL-47",
    Exclusion.CLAIMED_TWICE: "BATCH-ONCE",
}
# What the gate of the cohort counts among those who are in (BATCH-EXCLUDE).
DISPUTED: Final = frozenset({Exclusion.DISPUTED})
PAID: Final = frozenset({Exclusion.NOTHING_DUE, Exclusion.NOT_COLLECTED, Exclusion.PAID_ALREADY})
REVOKED: Final = frozenset({Exclusion.NO_MANDATE, Exclusion.MANDATE_REVOKED, Exclusion.MANDATE_OVER})
