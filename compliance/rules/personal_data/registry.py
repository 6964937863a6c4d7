"""The rules of the area: personal data and requests about them."""

from typing import Final

from compliance.rules.personal_data.civil_code import CC_1029, CC_1034, CC_1035, CC_1036, CC_1037, CC_1038
from compliance.rules.personal_data.duties import (
    NDSR_11,
    NDSR_21,
    NDSR_27,
    PIPL_51,
    PIPL_52,
    PIPL_54,
    PIPL_56,
    PIPL_57,
    PIPL_69,
)
from compliance.rules.personal_data.requests import (
    NDSR_23,
    NDSR_24,
    NDSR_25,
    PIPL_44,
    PIPL_45,
    PIPL_46,
    PIPL_48,
    PIPL_49,
    PIPL_50,
)
from compliance.rules.personal_data.sensitive import GB45574, NDSR_22, PIPL_29, PIPL_31
from compliance.rules.personal_data.use import CCM_3, PIPL_9, PIPL_14, PIPL_15, PIPL_16, PIPL_18, PIPL_20
from compliance.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    CCM_3, PIPL_9, PIPL_14, PIPL_15, PIPL_16, PIPL_18, PIPL_20,
    PIPL_29, PIPL_31, NDSR_22, GB45574,
    CC_1029, CC_1034, CC_1035, CC_1036, CC_1037, CC_1038,
    PIPL_44, PIPL_45, PIPL_46, PIPL_48, PIPL_49, PIPL_50, NDSR_23, NDSR_24, NDSR_25,
    PIPL_51, PIPL_52, PIPL_54, NDSR_27, PIPL_56, PIPL_57, PIPL_69, NDSR_11, NDSR_21,
)  # fmt: skip
