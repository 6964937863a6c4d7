"""The rules of the area: batches of debits and payroll."""

from typing import Final

from compliance.rules.batches.conventions import CONV_1, CONV_2, CONV_3, CONV_4, CONV_5
from compliance.rules.batches.debits import CBL_29, CBL_73, DDB_BAN, DDB_CHANNEL, DDB_DEF, DDB_PRE, DDB_REVOKE_NOTICE
from compliance.rules.batches.disputes import BATCH_COMPL, BATCH_DISP
from compliance.rules.batches.exports import CRIM_5, NDSR_12
from compliance.rules.batches.house_rules import BATCH_EXCLUDE, BATCH_OUTCOME, BATCH_RULES, BATCH_SUM
from compliance.rules.batches.screening import AFR_18, AML_40
from compliance.rules.batches.statements import CCM_61, CCM_69B_MARK
from compliance.rules.batches.wages import WAGE_14, WAGE_15, WAGE_27, WAGE_31, WAGE_P6, WAGE_P7, WAGE_P15, WAGE_P16
from compliance.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    CONV_1, CONV_2, CONV_3, CONV_4, CONV_5,
    BATCH_EXCLUDE, BATCH_RULES, BATCH_OUTCOME, BATCH_SUM,
    CBL_29, CBL_73, DDB_DEF, DDB_CHANNEL, DDB_BAN, DDB_PRE, DDB_REVOKE_NOTICE,
    AML_40, AFR_18,
    CCM_61, CCM_69B_MARK,
    BATCH_DISP, BATCH_COMPL,
    WAGE_P6, WAGE_P7, WAGE_P15, WAGE_P16, WAGE_14, WAGE_15, WAGE_27, WAGE_31,
    CRIM_5, NDSR_12,
)  # fmt: skip
