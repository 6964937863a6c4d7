"""The gates of a batch (批量代扣、代发、贷款扣款), from the cohort to the dispute."""

from typing import Final

from compliance.rules.gate_order import ordered
from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {
    # 客群: who is in the batch, and which of their data are used for it.
    Gate.BATCH_COHORT: ordered(
        basis=("PIPL-13", "PIPL-55"), limits=("PIPL-6", "AML-40", "AFR-18", "BATCH-EXCLUDE"),
    ),
    Gate.BATCH_RULE_SET: ordered(
        classification=("CONV-3",), limits=("CONV-1", "CONV-2", "CONV-4"), evidence=("BATCH-RULES",)
    ),
    # When a mandate is taken on, before its first debit.
    Gate.BATCH_MANDATE: ordered(
        classification=("DDB-DEF", "DDB-BAN"),
        disclosure=("DDB-PRE",),
        consent=("DDB-AUTH", "DDB-CHANNEL"),
    ),
    # For one row of a debit run, when the run reaches it.
    Gate.BATCH_RUN_ROW: ordered(
        basis=("CBL-29", "CCM-57a", "WAGE-33"),
        consent=("DDB-MATCH",),
        limits=("DDB-LIMIT", "BATCH-CUT", "BATCH-ONCE"),
    ),
    # For one row of a payroll run.
    Gate.BATCH_PAYROLL_ROW: ordered(
        basis=("WAGE-P6", "WAGE-31"),
        limits=("WAGE-P7", "WAGE-14", "WAGE-P15", "WAGE-P16"),
        evidence=("WAGE-15", "WAGE-27"),
    ),
    Gate.BATCH_AFTER_RUN: ordered(
        disclosure=("DDB-REVOKE-NOTICE", "CCM-61"), evidence=("BATCH-OUTCOME", "BATCH-SUM", "SPC-CARD-3")
    ),
    Gate.BATCH_DISPUTE: ordered(
        classification=("CCM-69b-MARK",),
        limits=("BATCH-DISP", "CBL-73", "CRED-25", "BATCH-COMPL"),
        evidence=("PIPL-46",),
    ),
    # Before a file leaves.
    Gate.BATCH_EXPORT: ordered(
        classification=("JRT171-C2-C3", "JRT171-COMB"),
        basis=("NDSR-12",),
        limits=("JRT171-C3", "JRT171-SHARE", "JRT171-C1", "CRIM-5"),
        evidence=("JRT171-C2", "JRT171-TRANS", "JRT171-STORE", "JRT171-SHOW"),
    ),
}  # fmt: skip
