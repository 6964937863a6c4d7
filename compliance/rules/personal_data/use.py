"""CCM-3, PIPL-9 to PIPL-20: who may use which data, and on what consent (个人信息处理).

商业银行信用卡业务监督管理办法 Art. 3: customer data serve the bank's own card business, unless the customer authorised
more. 个人信息保护法: somebody answers for every record set (9); consent is to this purpose, method and types, and
asked anew when they change (14); it is withdrawn as easily as given, stops what is to come and costs no service that
does not depend on it (15, 16); notice may be left out or late only by law or in an emergency (18); joint handlers
settle their duties (20).
"""

from typing import Final

from compliance.rules.demands import among, demand, equal, holds_all, if_yes, none_of, rule, yes
from compliance.rules.installments.sources import CARD_MEASURES, PERSONAL_DATA_LAW
from compliance.rules.results import Severity, Verified
from models.domain.personal_data_words import CARD_PURPOSES, JOINT_TERMS

CCM_3: Final = rule(
    "CCM-3",
    CARD_MEASURES.article("第三条", "Article 3"),
    source=CARD_MEASURES,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    kept="inside",
    demands=(
        demand(
            "use_purpose",
            "use_authorised",
            holds=lambda seen: seen["use_purpose"] in CARD_PURPOSES or seen["use_authorised"],
            otherwise="outside",
        ),
    ),
    params={
        "purposes": (CARD_PURPOSES, "bank policy: purposes of the card business"),
    },
)
PIPL_9: Final = rule(
    "PIPL-9",
    PERSONAL_DATA_LAW.article("第九条", "Article 9"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="responsible",
    demands=(
        yes("handler_named", otherwise="no-handler"),
        yes("handler_safeguards", otherwise="no-safeguards"),
    ),
)
PIPL_14: Final = rule(
    "PIPL-14",
    PERSONAL_DATA_LAW.article("第十四条", "Article 14"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("rests_on_consent", otherwise="other-basis"),
    kept="current",
    demands=(
        yes("consent_informed", otherwise="not-informed"),
        equal("consent_version", "current_version", otherwise="other-version"),
    ),
)
PIPL_15: Final = rule(
    "PIPL-15",
    PERSONAL_DATA_LAW.article("第十五条", "Article 15"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("rests_on_consent", otherwise="other-basis"),
    kept="stopped",
    demands=(
        yes("withdrawal_as_easy", otherwise="not-easy"),
        none_of("steps_after_withdrawal", otherwise="went-on"),
    ),
)
PIPL_16: Final = rule(
    "PIPL-16",
    PERSONAL_DATA_LAW.article("第十六条", "Article 16"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="not-refused",
    demands=(
        demand(
            "service_refused_for_consent",
            "service_depends_on_data",
            holds=lambda seen: not seen["service_refused_for_consent"] or seen["service_depends_on_data"],
            otherwise="refused",
        ),
    ),
)
PIPL_18: Final = rule(
    "PIPL-18",
    PERSONAL_DATA_LAW.article("第十八条", "Article 18"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("notice_left_out", otherwise="noticed"),
    kept="exempt",
    demands=(
        among("notice_exempt", ("by-law", "emergency"), otherwise="no-exemption"),
        demand(
            "notice_exempt",
            "notice_after_emergency",
            holds=lambda seen: seen["notice_exempt"] != "emergency" or seen["notice_after_emergency"],
            otherwise="not-afterwards",
        ),
    ),
)
PIPL_20: Final = rule(
    "PIPL-20",
    PERSONAL_DATA_LAW.article("第二十条", "Article 20"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("joint_handlers", otherwise="alone"),
    kept="settled",
    demands=(holds_all("joint_terms", JOINT_TERMS, otherwise="incomplete"),),
    params={
        "terms": (JOINT_TERMS, "个人信息保护法 Art. 20, as the bank reads it"),
    },
)
