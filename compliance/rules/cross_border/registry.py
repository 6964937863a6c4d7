"""The rules of the area: data that go abroad."""

from typing import Final

from compliance.rules.cross_border.exports import DSL_36, NDSR_35, PIPL_38, PIPL_39, PIPL_40, PIPL_41
from compliance.rules.cross_border.thresholds import XB_5, XB_5_1, XB_7, XB_8, XB_9
from compliance.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    PIPL_38, PIPL_39, PIPL_40, PIPL_41, DSL_36, NDSR_35,
    XB_5, XB_5_1, XB_7, XB_8, XB_9,
)  # fmt: skip
