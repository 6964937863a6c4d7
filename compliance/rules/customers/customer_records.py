"""AML-7, AML-30, AML-31, AML-34a, AML-34b, AML-34d, AML-CDD26: who the customer is, kept up to date (客户身份资料).

反洗钱法 2024. 7: such data are confidential. 30: measures in proportion, basic services kept, on record with a reason.
31: agents prove agency and identity. 34: a system of records, updated promptly when something changes (ten working
days is the bank's figure), handed over when an institution ends. 尽职调查管理办法, from 2026: a whole set of records.
"""

from typing import Final

from compliance.rules.demands import all_of, at_most, holds_all, if_holds_any, if_yes, rule, yes
from compliance.rules.installments.sources import AML_LAW
from compliance.rules.laws import DUE_DILIGENCE_MEASURES
from compliance.rules.results import Severity, Verified
from models.domain.customers_words import CUSTOMER_RECORDS

UPDATE_WORKING_DAYS: Final = 10  # the bank's figure, inclusive

AML_7: Final = rule(
    "AML-7",
    AML_LAW.article("第七条", "Article 7"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="closed",
    demands=(yes("aml_data_tagged", otherwise="open"),),
)
AML_30: Final = rule(
    "AML-30",
    AML_LAW.article("第三十条", "Article 30"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-proportion",
    demands=(
        all_of("measures_with_reason", of="measures_taken", otherwise="no-reason"),
        yes("basic_services_kept", otherwise="services-cut"),
    ),
)
AML_31: Final = rule(
    "AML-31",
    AML_LAW.article("第三十一条", "Article 31"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("agent_acts", otherwise="no-agent"),
    kept="verified",
    demands=(
        yes("agent_power_proven", otherwise="no-power"),
        yes("agent_identified", otherwise="not-identified"),
    ),
)
AML_34A: Final = rule(
    "AML-34a",
    AML_LAW.article("第三十四条", "Article 34"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="there",
    demands=(yes("record_system", otherwise="none"),),
)
AML_34B: Final = rule(
    "AML-34b",
    AML_LAW.article("第三十四条", "Article 34"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A",), otherwise="other-class"),
    kept="in-time",
    demands=(at_most("identity_update_working_days", UPDATE_WORKING_DAYS, otherwise="late"),),
    params={
        "working_days": (UPDATE_WORKING_DAYS, "bank policy: the law says promptly"),
    },
)
AML_34D: Final = rule(
    "AML-34d",
    AML_LAW.article("第三十四条", "Article 34"),
    source=AML_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("F",), otherwise="other-class"),
    kept="handed-over",
    demands=(yes("records_handed_over", otherwise="not-handed-over"),),
)
AML_CDD26: Final = rule(
    "AML-CDD26",
    DUE_DILIGENCE_MEASURES.unnumbered(),
    source=DUE_DILIGENCE_MEASURES,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="complete",
    demands=(holds_all("records_held", CUSTOMER_RECORDS, otherwise="incomplete"),),
    params={
        "records": (CUSTOMER_RECORDS, "金融机构客户尽职调查和客户身份资料及交易记录保存管理办法, reported in summary"),
    },
)
