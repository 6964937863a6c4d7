"""The rules of the area: contract terms, performance, limitation and documents."""

from typing import Final

from compliance.rules.contracts.card_terms import CCN22_MAXAPR, CCN22_PAGE1, SPC_CARD_2
from compliance.rules.contracts.collection_review import CC_1032, COLL_CFC
from compliance.rules.contracts.documents import CC_137, CC_469, CC_491
from compliance.rules.contracts.esign import ES_3, ES_4, ES_5, ES_6, ES_8
from compliance.rules.contracts.limitation import CC_188, CC_195, SPC_CARD_3
from compliance.rules.contracts.loan_terms import CBL_37, CC_668, CC_676, CC_678, CC_680
from compliance.rules.contracts.performance import CC_561, CC_568, CC_585
from compliance.rules.contracts.standard_terms import CC_497, CC_498, CONS_26, CONS_28, CONS_29, CRED_19
from compliance.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    CCN22_MAXAPR, CCN22_PAGE1, SPC_CARD_2,
    CC_497, CC_498, CONS_26, CONS_28, CONS_29, CRED_19,
    CC_668, CBL_37, CC_680, CC_676, CC_678,
    CC_561, CC_568, CC_585,
    CC_188, CC_195, SPC_CARD_3,
    COLL_CFC, CC_1032,
    CC_137, CC_469, CC_491,
    ES_3, ES_4, ES_5, ES_6, ES_8,
)  # fmt: skip
