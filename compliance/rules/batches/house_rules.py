"""BATCH-EXCLUDE, BATCH-RULES, BATCH-OUTCOME, BATCH-SUM: rules of the house about a batch (批量作业).

Resting on 商业银行法 Art. 73 (no debit without cause): whoever disputes, has paid or has revoked is in no cohort; a
set of rules has a version, sources and two approvers; every row ends with an outcome and a reason; the total is the
sum of the rows.
"""

from typing import Final

from compliance.rules.demands import all_of, at_least, equal, named, none_of, rule
from compliance.rules.installments.sources import BANK_LAW
from compliance.rules.results import Severity, Verified

APPROVERS: Final = 2

BATCH_EXCLUDE: Final = rule(
    "BATCH-EXCLUDE",
    BANK_LAW.article("第七十三条", "Article 73"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="clean",
    demands=(
        none_of("cohort_disputed", otherwise="disputed"),
        none_of("cohort_paid", otherwise="nothing-due"),
        none_of("cohort_revoked", otherwise="no-mandate"),
    ),
)
BATCH_RULES: Final = rule(
    "BATCH-RULES",
    BANK_LAW.article("第七十三条", "Article 73"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="approved",
    demands=(
        named("rule_set_version", otherwise="no-version"),
        none_of("rules_without_source", otherwise="no-source"),
        at_least("rule_set_approvers", APPROVERS, otherwise="too-few"),
    ),
    params={
        "approvers": (APPROVERS, "bank policy: four eyes"),
    },
)
BATCH_OUTCOME: Final = rule(
    "BATCH-OUTCOME",
    BANK_LAW.article("第七十三条", "Article 73"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="recorded",
    demands=(all_of("rows_with_outcome", of="rows_in_run", otherwise="not-recorded"),),
)
BATCH_SUM: Final = rule(
    "BATCH-SUM",
    BANK_LAW.article("第七十三条", "Article 73"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="equal",
    demands=(equal("run_total_minor", "run_rows_sum_minor", otherwise="differs"),),
)
