"""PIPL-38 to PIPL-41, DSL-36, NDSR-35: what has to be there before data leave the country (个人信息出境).

个人信息保护法: a path and a recipient on the law's level (38), notice and separate consent (39), storage in China for
operators of critical infrastructure and large handlers (40), nothing to foreign courts or agencies without approval
(41; 数据安全法 Art. 36). 网络数据安全管理条例 Art. 35 lists the bases. Without an export none of them applies.
"""

from typing import Final

from compliance.rules.demands import among, demand, holds_all, if_yes, named, rule, yes
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import DATA_SECURITY_LAW, NETWORK_DATA
from compliance.rules.results import Severity, Verified
from models.domain.cross_border_words import EXPORT_BASES, EXPORT_NOTICE, EXPORT_PATHS

PIPL_38: Final = rule(
    "PIPL-38",
    PERSONAL_DATA_LAW.article("第三十八条", "Article 38"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("export_abroad", otherwise="no-export"),
    kept="secured",
    demands=(
        among("export_path", EXPORT_PATHS, otherwise="no-path"),
        yes("recipient_level_secured", otherwise="below-level"),
    ),
    params={
        "paths": (EXPORT_PATHS, "个人信息保护法 Art. 38; 促进和规范数据跨境流动规定 Art. 5"),
    },
)
PIPL_39: Final = rule(
    "PIPL-39",
    PERSONAL_DATA_LAW.article("第三十九条", "Article 39"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("export_abroad", otherwise="no-export"),
    kept="consented",
    demands=(
        holds_all("export_notice_items", EXPORT_NOTICE, otherwise="incomplete"),
        yes("export_consented_apart", otherwise="no-consent"),
    ),
    params={
        "items": (EXPORT_NOTICE, "个人信息保护法 Art. 39"),
    },
)
PIPL_40: Final = rule(
    "PIPL-40",
    PERSONAL_DATA_LAW.article("第四十条", "Article 40"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="stored",
    demands=(
        demand(
            "critical_operator",
            "large_handler",
            "stored_in_china",
            holds=lambda seen: seen["stored_in_china"] or not (seen["critical_operator"] or seen["large_handler"]),
            otherwise="stored-abroad",
        ),
        demand(
            "critical_operator",
            "large_handler",
            "export_abroad",
            "export_path",
            holds=lambda seen: (
                not (seen["critical_operator"] or seen["large_handler"])
                or not seen["export_abroad"]
                or seen["export_path"] == "assessment"
            ),
            otherwise="not-assessed",
        ),
    ),
)
PIPL_41: Final = rule(
    "PIPL-41",
    PERSONAL_DATA_LAW.article("第四十一条", "Article 41"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("foreign_authority_asks", otherwise="not-asked"),
    kept="approved",
    demands=(named("foreign_request_approval", otherwise="no-approval"),),
)
DSL_36: Final = rule(
    "DSL-36",
    DATA_SECURITY_LAW.article("第三十六条", "Article 36"),
    source=DATA_SECURITY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("foreign_authority_asks", otherwise="not-asked"),
    kept="approved",
    demands=(named("foreign_request_approval", otherwise="no-approval"),),
)
NDSR_35: Final = rule(
    "NDSR-35",
    NETWORK_DATA.article("第三十五条", "Article 35"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("export_abroad", otherwise="no-export"),
    kept="on-record",
    demands=(among("export_basis", EXPORT_BASES, otherwise="no-basis"),),
    params={
        "bases": (EXPORT_BASES, "网络数据安全管理条例 Art. 35"),
    },
)
