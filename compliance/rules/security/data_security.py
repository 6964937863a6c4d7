"""DSL-21 to DSL-30, NDSR-33, NFRA-DS-1, PBOC-DS: data have a grade, an owner and an assessment (数据安全).

数据安全法 Arts. 21, 27, 29, 30; 网络数据安全管理条例 Art. 33; 银行保险机构数据安全管理办法 (grades, and a security
assessment before data are entrusted, shared or transferred). 人民银行业务领域数据: entered in the register; recalled
only.
"""

from typing import Final

from compliance.rules.demands import among, demand, holds_all, if_yes, none_of, rule, within_years, yes
from compliance.rules.laws import BANK_DATA_MEASURES, DATA_SECURITY_LAW, NETWORK_DATA, PBOC_DATA_MEASURES
from compliance.rules.results import Severity, Verified
from models.domain.security_words import DATA_GRADES, PROCESS_CONTROLS

YEARS: Final = 1

DSL_21: Final = rule(
    "DSL-21",
    DATA_SECURITY_LAW.article("第二十一条", "Article 21"),
    source=DATA_SECURITY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="graded",
    demands=(among("data_grade", DATA_GRADES, otherwise="no-grade"),),
    params={
        "grades": (DATA_GRADES, "数据安全法 Art. 21; 金规〔2024〕24号"),
    },
)
DSL_27: Final = rule(
    "DSL-27",
    DATA_SECURITY_LAW.article("第二十七条", "Article 27"),
    source=DATA_SECURITY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-place",
    demands=(
        holds_all("process_controls", PROCESS_CONTROLS, otherwise="incomplete"),
        demand(
            "important_data_held",
            "data_officer",
            holds=lambda seen: not seen["important_data_held"] or seen["data_officer"],
            otherwise="no-officer",
        ),
    ),
    params={
        "controls": (PROCESS_CONTROLS, "数据安全法 Art. 27"),
    },
)
DSL_29: Final = rule(
    "DSL-29",
    DATA_SECURITY_LAW.article("第二十九条", "Article 29"),
    source=DATA_SECURITY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="remedied",
    demands=(
        none_of("risks_open", otherwise="risk-open"),
        yes("breach_acted_at_once", otherwise="not-at-once"),
        yes("breach_authority_told", otherwise="not-reported"),
    ),
)
DSL_30: Final = rule(
    "DSL-30",
    DATA_SECURITY_LAW.article("第三十条", "Article 30"),
    source=DATA_SECURITY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("important_data_held", otherwise="no-important-data"),
    kept="assessed",
    demands=(within_years("risk_asked_on", since="risk_assessed_on", years=YEARS, otherwise="overdue"),),
    params={
        "years": (YEARS, "bank policy: what regular means"),
    },
)
NDSR_33: Final = rule(
    "NDSR-33",
    NETWORK_DATA.article("第三十三条", "Article 33"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("important_data_held", otherwise="no-important-data"),
    kept="assessed",
    demands=(within_years("risk_asked_on", since="risk_assessed_on", years=YEARS, otherwise="overdue"),),
    params={
        "years": (YEARS, "网络数据安全管理条例 Art. 33"),
    },
)
NFRA_DS_1: Final = rule(
    "NFRA-DS-1",
    BANK_DATA_MEASURES.unnumbered(),
    source=BANK_DATA_MEASURES,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="assessed",
    demands=(
        among("data_grade", DATA_GRADES, otherwise="no-grade"),
        yes("transfer_assessed", otherwise="not-assessed"),
    ),
    params={
        "grades": (DATA_GRADES, "金规〔2024〕24号"),
    },
)
PBOC_DS: Final = rule(
    "PBOC-DS",
    PBOC_DATA_MEASURES.unnumbered(),
    source=PBOC_DATA_MEASURES,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="registered",
    demands=(yes("pboc_data_registered", otherwise="not-registered"),),
)
