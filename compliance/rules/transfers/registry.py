"""The rules of the area: company transfers and the data that move with them."""

from typing import Final

from compliance.rules.rule import Rule
from compliance.rules.transfers.claims import (
    CC_67,
    CC_529,
    CC_545,
    CC_546,
    CC_547,
    CC_548,
    CC_549,
    CC_551,
    CC_552,
    CC_555,
    CC_556,
    CC_696,
    CC_697,
    SPC_CONTRACT_48,
)
from compliance.rules.transfers.classes import MIG_A, MIG_B, MIG_C, MIG_CLASS, MIG_D, MIG_E, MIG_F, MIG_G
from compliance.rules.transfers.company import (
    CO_3,
    CO_4,
    CO_32,
    CO_34,
    CO_84,
    CO_86,
    CO_87,
    CO_218,
    CO_220,
    CO_221,
    CO_222,
    CO_223,
    CO_229,
    CO_236,
    CO_239,
)
from compliance.rules.transfers.migrations import (
    MIG_DIFF,
    MIG_RESTORE,
    NDSR_9,
    PIPL_8,
    PIPL_21_CONTRACTOR,
    PIPL_47_OLD_STORE,
)
from compliance.rules.transfers.recipients import (
    GB35273_9_3,
    JRT171_MA,
    NBPI_32,
    NDSR_14,
    NDSR_28,
    NDSR_32,
    PIPL_22,
    PIPL_23,
)
from compliance.rules.transfers.registers import REG_24, TAX_16, TAX_48, TAXR_14, WAGE_21

RULES: Final[tuple[Rule, ...]] = (
    MIG_CLASS, MIG_A, MIG_B, MIG_C, MIG_D, MIG_E, MIG_F, MIG_G,
    CO_3, CO_4, CO_32, CO_34, CO_84, CO_86, CO_87, CO_218, CO_220, CO_221, CO_222, CO_223, CO_229, CO_236, CO_239,
    REG_24, TAX_16, TAXR_14, TAX_48, WAGE_21,
    CC_67, CC_529, CC_545, CC_546, SPC_CONTRACT_48, CC_547, CC_548, CC_549, CC_551, CC_552, CC_555, CC_556,
    CC_696, CC_697,
    PIPL_22, PIPL_23, NDSR_14, NDSR_28, NDSR_32, GB35273_9_3, JRT171_MA, NBPI_32,
    PIPL_8, PIPL_21_CONTRACTOR, PIPL_47_OLD_STORE, NDSR_9, MIG_RESTORE, MIG_DIFF,
)  # fmt: skip
