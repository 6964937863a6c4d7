"""CC-137, CC-469, CC-491: when a notice takes effect, and what counts as writing (民法典).

137: a data message takes effect when it enters the system that the recipient designated, otherwise when they know of
it. 469: writing includes data messages whose content can be shown and retrieved. 491: a contract by confirmation or by
an order accepted online.
"""

from typing import Final

from compliance.rules.demands import among, demand, rule, yes
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import CONTRACT_CONCLUSIONS

CC_137: Final = rule(
    "CC-137",
    CIVIL_CODE.article("第一百三十七条", "Article 137"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-effect",
    demands=(
        demand(
            "notice_channel_designated",
            "notice_entered_at",
            "notice_known_at",
            "notice_relied_on_at",
            holds=lambda seen: (
                seen["notice_relied_on_at"]
                >= (seen["notice_entered_at"] if seen["notice_channel_designated"] else seen["notice_known_at"])
            ),
            otherwise="not-in-effect",
        ),
    ),
)
CC_469: Final = rule(
    "CC-469",
    CIVIL_CODE.article("第四百六十九条", "Article 469"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="writing",
    demands=(
        yes("message_retrievable", otherwise="not-retrievable"),
        yes("message_hash_stored", otherwise="no-hash"),
    ),
)
CC_491: Final = rule(
    "CC-491",
    CIVIL_CODE.article("第四百九十一条", "Article 491"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="concluded",
    demands=(among("contract_concluded_by", CONTRACT_CONCLUSIONS, otherwise="not-concluded"),),
    params={
        "ways": (CONTRACT_CONCLUSIONS, "民法典 Arts. 490, 491"),
    },
)
