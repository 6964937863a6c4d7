"""CC-561, CC-568, CC-585: in which order money is applied, how claims are set off, when a penalty is too high.

民法典. 561 yields to the order that is agreed or that 商业银行信用卡业务监督管理办法 Art. 57 sets for cards. 568:
set-off by notice (抵销), which takes effect on arrival and bears neither condition nor term. 585: a court may cut a
penalty that exceeds the loss by far; the line of thirty per cent is that of the interpretation, Art. 65.
"""

from typing import Final

from compliance.rules.demands import demand, if_yes, no, rule, yes
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.results import Severity, Verified

EXCESS_PERCENT: Final = 130  # of the loss, inclusive
AGREED_ORDERS: Final = ("agreed", "card-rule")
STATUTORY_ORDER: Final = "statutory"  # enforcement cost, interest, principal

CC_561: Final = rule(
    "CC-561",
    CIVIL_CODE.article("第五百六十一条", "Article 561"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="right-order",
    demands=(
        demand(
            "allocation_order",
            "allocation_agreed",
            holds=lambda seen: (
                seen["allocation_order"] in (AGREED_ORDERS if seen["allocation_agreed"] else (STATUTORY_ORDER,))
            ),
            otherwise="other-order",
        ),
    ),
)
CC_568: Final = rule(
    "CC-568",
    CIVIL_CODE.article("第五百六十八条", "Article 568"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("set_off_booked", otherwise="no-set-off"),
    kept="notified",
    demands=(
        yes("set_off_notice_delivered", otherwise="not-notified"),
        no("set_off_conditional", otherwise="conditional"),
    ),
)
CC_585: Final = rule(
    "CC-585",
    CIVIL_CODE.article("第五百八十五条", "Article 585"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="in-proportion",
    demands=(
        demand(
            "penalty_rate_ppm",
            "loss_rate_ppm",
            "penalty_reviewed",
            holds=lambda seen: (
                seen["penalty_reviewed"] or seen["penalty_rate_ppm"] * 100 <= seen["loss_rate_ppm"] * EXCESS_PERCENT
            ),
            otherwise="excessive",
        ),
    ),
    params={
        "excess_percent": (EXCESS_PERCENT, "合同编通则解释 Art. 65, inclusive"),
    },
)
