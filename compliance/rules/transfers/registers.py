"""REG-24, TAX-16, TAXR-14, TAX-48, WAGE-21: registers, taxes and wages follow the event (登记、税务、工资).

市场主体登记管理条例 Art. 24 and 税收征收管理法 Art. 16, 实施细则 Art. 14: thirty days each, the first from the
decision, the second from the registry's change. Art. 48: a merger or division is reported and taxes are paid.
保障农民工工资支付条例 Art. 21: wages are cleared first, or there is a written deal.
"""

from typing import Final

from compliance.rules.demands import demand, if_holds_any, not_later, rule, within_days, yes
from compliance.rules.installments.sources import MIGRANT_WAGES
from compliance.rules.laws import MARKET_REGISTER, TAX_LAW, TAX_REGULATION
from compliance.rules.results import Severity, Verified

DAYS: Final = 30  # inclusive

REG_24: Final = rule(
    "REG-24",
    MARKET_REGISTER.article("第二十四条", "Article 24"),
    source=MARKET_REGISTER,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(within_days("change_filed_on", since="change_decided_on", days=DAYS, otherwise="late"),),
    params={
        "days": (DAYS, "市场主体登记管理条例 Art. 24"),
    },
)
TAX_16: Final = rule(
    "TAX-16",
    TAX_LAW.article("第十六条", "Article 16"),
    source=TAX_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(within_days("tax_register_changed_on", since="register_changed_on", days=DAYS, otherwise="late"),),
    params={
        "days": (DAYS, "税收征收管理法 Art. 16"),
    },
)
TAXR_14: Final = rule(
    "TAXR-14",
    TAX_REGULATION.article("第十四条", "Article 14"),
    source=TAX_REGULATION,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(
        within_days("tax_register_changed_on", since="register_changed_on", days=DAYS, otherwise="late"),
        not_later("register_changed_on", than="tax_register_changed_on", otherwise="before-register"),
    ),
    params={
        "days": (DAYS, "税收征收管理法实施细则 Art. 14"),
    },
)
TAX_48: Final = rule(
    "TAX-48",
    TAX_LAW.article("第四十八条", "Article 48"),
    source=TAX_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C", "D"), otherwise="other-class"),
    kept="settled",
    demands=(
        yes("tax_event_reported", otherwise="not-reported"),
        yes("taxes_settled", otherwise="not-settled"),
    ),
)
WAGE_21: Final = rule(
    "WAGE-21",
    MIGRANT_WAGES.article("第二十一条", "Article 21"),
    source=MIGRANT_WAGES,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C", "D"), otherwise="other-class"),
    kept="cleared",
    demands=(
        demand(
            "migrant_wages_owed",
            "migrant_wages_deal",
            holds=lambda seen: not seen["migrant_wages_owed"] or seen["migrant_wages_deal"],
            otherwise="owed",
        ),
    ),
)
