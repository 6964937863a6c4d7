"""CC-668, CC-676, CC-678, CC-680, CBL-37: a loan contract in writing, and what interest may run (借款合同).

民法典 Arts. 668, 676, 678, 680; 商业银行法 Art. 37. Without a clause on interest the rate is nought.
"""

from typing import Final

from compliance.rules.demands import demand, holds_all, if_yes, no_more_than, rule, yes
from compliance.rules.installments.sources import BANK_LAW, CIVIL_CODE
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import LOAN_CONTRACT_ITEMS

CC_668: Final = rule(
    "CC-668",
    CIVIL_CODE.article("第六百六十八条", "Article 668"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="written",
    demands=(yes("loan_contract_written", otherwise="not-written"),),
)
CBL_37: Final = rule(
    "CBL-37",
    BANK_LAW.article("第三十七条", "Article 37"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="complete",
    demands=(
        yes("loan_contract_written", otherwise="not-written"),
        holds_all("loan_contract_items", LOAN_CONTRACT_ITEMS, otherwise="incomplete"),
    ),
    params={
        "items": (LOAN_CONTRACT_ITEMS, "商业银行法 Art. 37"),
    },
)
CC_680: Final = rule(
    "CC-680",
    CIVIL_CODE.article("第六百八十条", "Article 680"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="agreed",
    demands=(
        demand(
            "interest_clause_present",
            "contract_rate_ppm",
            holds=lambda seen: seen["interest_clause_present"] or seen["contract_rate_ppm"] == 0,
            otherwise="not-agreed",
        ),
        no_more_than("contract_rate_ppm", "legal_rate_cap_ppm", otherwise="usury"),
    ),
)
CC_676: Final = rule(
    "CC-676",
    CIVIL_CODE.article("第六百七十六条", "Article 676"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="as-agreed",
    demands=(no_more_than("overdue_rate_ppm", "overdue_rate_agreed_ppm", otherwise="above"),),
)
CC_678: Final = rule(
    "CC-678",
    CIVIL_CODE.article("第六百七十八条", "Article 678"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("extension_requested", otherwise="no-extension"),
    kept="agreed",
    demands=(yes("extension_agreed", otherwise="not-agreed"),),
)
