"""AML-40, AFR-18: listed persons and abnormal accounts before a run (名单筛查).

反洗钱法 Art. 40: no service and no funds for listed persons. 反电信网络诈骗法 Art. 18: abnormal accounts are verified,
delayed or limited; the data serve that purpose alone.
"""

from typing import Final

from compliance.rules.demands import all_of, no, none_of, rule, yes
from compliance.rules.installments.sources import AML_LAW
from compliance.rules.laws import FRAUD_LAW
from compliance.rules.results import Severity, Verified

AML_40: Final = rule(
    "AML-40",
    AML_LAW.article("第四十条", "Article 40"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="clear",
    demands=(
        yes("parties_screened", otherwise="not-screened"),
        none_of("listed_parties", otherwise="listed"),
    ),
)
AFR_18: Final = rule(
    "AFR-18",
    FRAUD_LAW.article("第十八条", "Article 18"),
    source=FRAUD_LAW,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="checked",
    demands=(
        all_of("abnormal_accounts_checked", of="abnormal_accounts", otherwise="not-checked"),
        no("fraud_data_elsewhere", otherwise="other-use"),
    ),
)
