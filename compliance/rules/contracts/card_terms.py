"""CCN22-MAXAPR, CCN22-PAGE1, SPC-CARD-2: what a card contract shows of its price before it binds (信用卡合同).

The highest yearly rate is shown conspicuously and interest, compound interest, fees and penalties are pointed out
(银保监规〔2022〕13号); that they stand on the first page is recalled only. Clauses on them that were not pointed out
do not bind (银行卡民事纠纷规定 Art. 2).
"""

from typing import Final

from compliance.rules.demands import holds_all, rule, yes
from compliance.rules.installments.sources import CARD_NOTICE
from compliance.rules.laws import CARD_INTERPRETATION
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import FIRST_PAGE_ITEMS

CCN22_MAXAPR: Final = rule(
    "CCN22-MAXAPR",
    CARD_NOTICE.unnumbered(),
    source=CARD_NOTICE,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="shown",
    demands=(
        yes("highest_rate_shown", otherwise="not-shown"),
        yes("highest_rate_conspicuous", otherwise="not-conspicuous"),
        yes("price_clauses_pointed_out", otherwise="not-pointed-out"),
    ),
)
CCN22_PAGE1: Final = rule(
    "CCN22-PAGE1",
    CARD_NOTICE.unnumbered(),
    source=CARD_NOTICE,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    kept="shown",
    demands=(holds_all("first_page_items", FIRST_PAGE_ITEMS, otherwise="incomplete"),),
    params={
        "items": (FIRST_PAGE_ITEMS, "银保监规〔2022〕13号, from memory"),
    },
)
SPC_CARD_2: Final = rule(
    "SPC-CARD-2",
    CARD_INTERPRETATION.article("第二条", "Article 2"),
    source=CARD_INTERPRETATION,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="on-record",
    demands=(yes("terms_prompt_on_record", otherwise="no-proof"),),
)
