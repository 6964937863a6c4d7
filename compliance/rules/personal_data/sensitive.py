"""PIPL-29, PIPL-31, NDSR-22, GB45574: separate consent, children, and no asking again and again (敏感个人信息).

个人信息保护法 Arts. 29, 31; 网络数据安全管理条例 Art. 22: what rests on consent needs separate consent for sensitive
data, a guardian's for children under fourteen, and nobody is asked again after a refusal. How many questions in which
time are too many is the bank's figure: none in ninety days.
"""

from typing import Final

from compliance.rules.demands import at_most, demand, if_yes, rule, yes
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import NETWORK_DATA, SENSITIVE_DATA_STANDARD
from compliance.rules.results import Severity, Verified

ASKS_ALLOWED: Final = 0
ASK_WINDOW_DAYS: Final = 90

PIPL_29: Final = rule(
    "PIPL-29",
    PERSONAL_DATA_LAW.article("第二十九条", "Article 29"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("rests_on_consent", otherwise="other-basis"),
    kept="consented",
    demands=(
        demand(
            "sensitive_involved",
            "consented_apart",
            holds=lambda seen: not seen["sensitive_involved"] or seen["consented_apart"],
            otherwise="no-consent",
        ),
    ),
)
PIPL_31: Final = rule(
    "PIPL-31",
    PERSONAL_DATA_LAW.article("第三十一条", "Article 31"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("children_involved", otherwise="no-children"),
    kept="protected",
    demands=(
        yes("guardian_consented", otherwise="no-guardian"),
        yes("children_rules", otherwise="no-rules"),
    ),
)
NDSR_22: Final = rule(
    "NDSR-22",
    NETWORK_DATA.article("第二十二条", "Article 22"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("rests_on_consent", otherwise="other-basis"),
    kept="inside",
    demands=(
        yes("inside_consent", otherwise="outside"),
        demand(
            "sensitive_involved",
            "consented_apart",
            holds=lambda seen: not seen["sensitive_involved"] or seen["consented_apart"],
            otherwise="no-consent",
        ),
        demand(
            "children_involved",
            "guardian_consented",
            holds=lambda seen: not seen["children_involved"] or seen["guardian_consented"],
            otherwise="no-guardian",
        ),
        at_most("asks_after_refusal", ASKS_ALLOWED, otherwise="asked-again"),
    ),
    params={
        "asks_allowed": (ASKS_ALLOWED, "bank policy"),
        "window_days": (ASK_WINDOW_DAYS, "bank policy"),
    },
)
GB45574: Final = rule(
    "GB45574",
    SENSITIVE_DATA_STANDARD.unnumbered(),
    source=SENSITIVE_DATA_STANDARD,
    verified=Verified.SUMMARY,
    severity=Severity.WARN,
    kept="tagged",
    demands=(yes("sensitive_tagged", otherwise="not-tagged"),),
)
