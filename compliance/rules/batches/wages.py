"""WAGE-P6, -P7, -P15, -P16, -14, -15, -27, -31: wages reach the worker whole and in time (代发工资).

工资支付暂行规定 Arts. 6, 7, 15, 16 and 保障农民工工资支付条例 Arts. 14, 15, 27, 31. WAGE-33 stands with the debits.
Days are those of the agreed calendar; the working day before a holiday is worked out by whoever supplies the fact.
"""

from typing import Final

from compliance.rules.demands import (
    at_most,
    demand,
    holds_all,
    if_any,
    if_yes,
    kept_years,
    no,
    no_more_than,
    not_later,
    only,
    rule,
    yes,
)
from compliance.rules.installments.sources import MIGRANT_WAGES
from compliance.rules.laws import WAGE_PROVISIONS
from compliance.rules.results import Severity, Verified
from models.domain.batches_words import DEDUCTIONS, LEDGER_ITEMS

SLIP_YEARS: Final = 2
LEDGER_YEARS: Final = 3
DAMAGES_PERCENT: Final = 20  # of the month's wage, inclusive

WAGE_P6: Final = rule(
    "WAGE-P6",
    WAGE_PROVISIONS.article("第六条", "Article 6"),
    source=WAGE_PROVISIONS,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="paid",
    demands=(
        yes("payee_is_worker", otherwise="other-payee"),
        kept_years("wage_record_kept_until", since="wage_paid_on", years=SLIP_YEARS, otherwise="kept-too-short"),
    ),
    params={
        "years": (SLIP_YEARS, "工资支付暂行规定 Art. 6: at least two years"),
    },
)
WAGE_P7: Final = rule(
    "WAGE-P7",
    WAGE_PROVISIONS.article("第七条", "Article 7"),
    source=WAGE_PROVISIONS,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(
        not_later("wage_paid_on", than="wage_working_day_on", otherwise="late"),
        at_most("wage_months_since_last", 1, otherwise="not-monthly"),
    ),
)
WAGE_P15: Final = rule(
    "WAGE-P15",
    WAGE_PROVISIONS.article("第十五条", "Article 15"),
    source=WAGE_PROVISIONS,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="listed",
    demands=(only("wage_deductions", DEDUCTIONS, otherwise="not-listed"),),
    params={
        "deductions": (DEDUCTIONS, "工资支付暂行规定 Arts. 15, 16"),
    },
)
WAGE_P16: Final = rule(
    "WAGE-P16",
    WAGE_PROVISIONS.article("第十六条", "Article 16"),
    source=WAGE_PROVISIONS,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_any("wage_damages_minor", otherwise="no-damages"),
    kept="within",
    demands=(
        demand(
            "wage_damages_minor",
            "wage_gross_minor",
            holds=lambda seen: seen["wage_damages_minor"] * 100 <= seen["wage_gross_minor"] * DAMAGES_PERCENT,
            otherwise="too-much",
        ),
        no_more_than("minimum_wage_minor", "wage_net_minor", otherwise="below-minimum"),
    ),
    params={
        "percent": (DAMAGES_PERCENT, "工资支付暂行规定 Art. 16"),
    },
)
WAGE_14: Final = rule(
    "WAGE-14",
    MIGRANT_WAGES.article("第十四条", "Article 14"),
    source=MIGRANT_WAGES,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("migrant_workers", otherwise="no-migrant"),
    kept="in-time",
    demands=(not_later("wage_paid_on", than="wage_working_day_on", otherwise="late"),),
)
WAGE_15: Final = rule(
    "WAGE-15",
    MIGRANT_WAGES.article("第十五条", "Article 15"),
    source=MIGRANT_WAGES,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("migrant_workers", otherwise="no-migrant"),
    kept="complete",
    demands=(
        holds_all("wage_ledger_items", LEDGER_ITEMS, otherwise="incomplete"),
        kept_years("wage_ledger_kept_until", since="wage_paid_on", years=LEDGER_YEARS, otherwise="kept-too-short"),
    ),
    params={
        "items": (LEDGER_ITEMS, "保障农民工工资支付条例 Art. 15"),
        "years": (LEDGER_YEARS, "保障农民工工资支付条例 Art. 15: at least three years"),
    },
)
WAGE_27: Final = rule(
    "WAGE-27",
    MIGRANT_WAGES.article("第二十七条", "Article 27"),
    source=MIGRANT_WAGES,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("wage_project", otherwise="no-project"),
    kept="told",
    demands=(
        demand(
            "wage_funding_short",
            "contractor_told",
            holds=lambda seen: not seen["wage_funding_short"] or seen["contractor_told"],
            otherwise="not-told",
        ),
    ),
)
WAGE_31: Final = rule(
    "WAGE-31",
    MIGRANT_WAGES.article("第三十一条", "Article 31"),
    source=MIGRANT_WAGES,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("wage_project", otherwise="no-project"),
    kept="direct",
    demands=(
        yes("wage_source_special", otherwise="other-source"),
        yes("wage_sheet_signed", otherwise="not-signed"),
        yes("payee_is_worker", otherwise="other-payee"),
        no("worker_card_held", otherwise="card-held"),
    ),
)
