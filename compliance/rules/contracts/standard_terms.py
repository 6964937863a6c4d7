"""CC-497, CC-498, CONS-26, CONS-28, CONS-29, CRED-19: what standard terms may not say and must show (格式条款).

民法典 Arts. 497, 498; 消费者权益保护法 Arts. 26, 28, 29; 征信业管理条例 Art. 19. Clauses are looked through against a
list of banned kinds, which is the bank's reading of Arts. 497 and 506.
"""

from typing import Final

from compliance.rules.demands import all_of, holds_all, holds_none, if_yes, no, none_of, rule, yes
from compliance.rules.installments.sources import CIVIL_CODE, CREDIT_REPORTING
from compliance.rules.laws import CONSUMER_LAW
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import BANNED_CLAUSES, KEY_TERMS, SERVICE_ITEMS

CC_497: Final = rule(
    "CC-497",
    CIVIL_CODE.article("第四百九十七条", "Article 497"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="clean",
    demands=(holds_none("clause_kinds_found", BANNED_CLAUSES, otherwise="void-clause"),),
    params={
        "banned": (BANNED_CLAUSES, "民法典 Arts. 497, 506, as the bank reads them"),
    },
)
CC_498: Final = rule(
    "CC-498",
    CIVIL_CODE.article("第四百九十八条", "Article 498"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="against-drafter",
    demands=(
        all_of("conflicts_by_negotiated", of="conflicting_terms", otherwise="standard-preferred"),
        none_of("doubts_read_for_drafter", otherwise="read-for-drafter"),
    ),
)
CONS_26: Final = rule(
    "CONS-26",
    CONSUMER_LAW.article("第二十六条", "Article 26"),
    source=CONSUMER_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="pointed-out",
    demands=(
        holds_all("key_terms_conspicuous", KEY_TERMS, otherwise="not-conspicuous"),
        no("deal_forced_by_technique", otherwise="forced"),
        holds_none("clause_kinds_found", BANNED_CLAUSES, otherwise="unfair-clause"),
    ),
    params={
        "items": (KEY_TERMS, "消费者权益保护法 Art. 26"),
    },
)
CONS_28: Final = rule(
    "CONS-28",
    CONSUMER_LAW.article("第二十八条", "Article 28"),
    source=CONSUMER_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="told",
    demands=(holds_all("service_items_given", SERVICE_ITEMS, otherwise="incomplete"),),
    params={
        "items": (SERVICE_ITEMS, "消费者权益保护法 Art. 28"),
    },
)
CONS_29: Final = rule(
    "CONS-29",
    CONSUMER_LAW.article("第二十九条", "Article 29"),
    source=CONSUMER_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("text_has_marketing", otherwise="no-marketing"),
    kept="agreed",
    demands=(
        no("marketing_refused", otherwise="refused"),
        yes("marketing_agreed", otherwise="not-agreed"),
    ),
)
CRED_19: Final = rule(
    "CRED-19",
    CREDIT_REPORTING.article("第十九条", "Article 19"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="prompted",
    demands=(
        yes("credit_clause_prompted", otherwise="not-prompted"),
        yes("credit_clause_explained", otherwise="not-explained"),
    ),
)
