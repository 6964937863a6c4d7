"""PIPL-44 to PIPL-50, NDSR-23 to NDSR-25: what persons may ask for, and how soon they are answered (个人权利请求).

个人信息保护法: to know, to decide, to restrict or refuse (44); access and copy (45); correction after a check (46); an
explanation of the rules (48); for the relatives of the dead (49); an easy channel, and reasons for a refusal (50). No
law counts the days: fifteen is the bank's figure. 网络数据安全管理条例: promptly (23), delete or anonymise or only
store (24), move the data elsewhere under four conditions (25).
"""

from typing import Final

from compliance.rules.demands import all_of, demand, if_yes, rule, within_days, yes
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import NETWORK_DATA
from compliance.rules.results import Severity, Verified

ANSWER_DAYS: Final = 15  # the bank's figure, inclusive

PIPL_44: Final = rule(
    "PIPL-44",
    PERSONAL_DATA_LAW.article("第四十四条", "Article 44"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("restriction_asked", otherwise="not-asked"),
    kept="honoured",
    demands=(yes("restriction_honoured", otherwise="not-honoured"),),
)
PIPL_45: Final = rule(
    "PIPL-45",
    PERSONAL_DATA_LAW.article("第四十五条", "Article 45"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(within_days("request_answered_on", since="request_received_on", days=ANSWER_DAYS, otherwise="late"),),
    params={
        "days": (ANSWER_DAYS, "bank policy: no law counts the days"),
    },
)
PIPL_46: Final = rule(
    "PIPL-46",
    PERSONAL_DATA_LAW.article("第四十六条", "Article 46"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("correction_asked", otherwise="not-asked"),
    kept="corrected",
    demands=(
        yes("correction_checked", otherwise="not-checked"),
        yes("correction_made", otherwise="not-corrected"),
    ),
)
PIPL_48: Final = rule(
    "PIPL-48",
    PERSONAL_DATA_LAW.article("第四十八条", "Article 48"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="explained",
    demands=(yes("rules_explained", otherwise="not-explained"),),
)
PIPL_49: Final = rule(
    "PIPL-49",
    PERSONAL_DATA_LAW.article("第四十九条", "Article 49"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("requester_relative", otherwise="no-relative"),
    kept="proven",
    demands=(yes("relative_proof", otherwise="not-proven"),),
)
PIPL_50: Final = rule(
    "PIPL-50",
    PERSONAL_DATA_LAW.article("第五十条", "Article 50"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="answered",
    demands=(
        yes("request_channel_easy", otherwise="no-channel"),
        demand(
            "request_refused",
            "refusal_reason",
            holds=lambda seen: not seen["request_refused"] or bool(seen["refusal_reason"]),
            otherwise="no-reason",
        ),
    ),
)
NDSR_23: Final = rule(
    "NDSR-23",
    NETWORK_DATA.article("第二十三条", "Article 23"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="handled",
    demands=(
        all_of("requests_answered", of="requests_received", otherwise="open"),
        within_days("request_answered_on", since="request_received_on", days=ANSWER_DAYS, otherwise="late"),
    ),
    params={
        "days": (ANSWER_DAYS, "bank policy: no law counts the days"),
    },
)
NDSR_24: Final = rule(
    "NDSR-24",
    NETWORK_DATA.article("第二十四条", "Article 24"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("deletion_due", otherwise="not-due"),
    kept="in-order",
    demands=(
        demand(
            "deletion_barred",
            "data_state",
            holds=lambda seen: (
                seen["data_state"] in (("locked",) if seen["deletion_barred"] else ("deleted", "anonymised"))
            ),
            otherwise="other-state",
        ),
    ),
)
NDSR_25: Final = rule(
    "NDSR-25",
    NETWORK_DATA.article("第二十五条", "Article 25"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("move_asked", otherwise="not-asked"),
    kept="in-order",
    demands=(
        demand(
            "move_conditions_met",
            "move_made",
            holds=lambda seen: seen["move_made"] == seen["move_conditions_met"],
            otherwise="other-way",
        ),
    ),
)
