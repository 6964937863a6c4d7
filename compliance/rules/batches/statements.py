"""CCM-61, CCM-69b-MARK: what a statement shows, and that an objection is marked at once (对账单、异议标记).

商业银行信用卡业务监督管理办法 Arts. 61, 69. The card number is partly masked on every voucher but those of the
counter. Of what no statement is sent for, the card core sends its own.
"""

from typing import Final

from compliance.rules.demands import all_of, holds_all, if_yes, rule, yes
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Severity, Verified
from models.domain.batches_words import STATEMENT_ITEMS

CCM_61: Final = rule(
    "CCM-61",
    CARD_MEASURES.article("第六十一条", "Article 61"),
    source=CARD_MEASURES,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    when=if_yes("statement_issued", otherwise="no-statement"),
    kept="complete",
    demands=(
        holds_all("statement_shows", STATEMENT_ITEMS, otherwise="incomplete"),
        yes("card_number_masked", otherwise="number-shown"),
    ),
    params={
        "items": (STATEMENT_ITEMS, "商业银行信用卡业务监督管理办法 Art. 61"),
    },
)
CCM_69B_MARK: Final = rule(
    "CCM-69b-MARK",
    CARD_MEASURES.article("第六十九条", "Article 69"),
    source=CARD_MEASURES,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    kept="marked",
    demands=(all_of("objections_marked", of="objections_received", otherwise="not-marked"),),
)
