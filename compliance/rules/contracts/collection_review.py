"""COLL-CFC, CC-1032: records of collection by a consumer finance company, and the debtor's privacy (催收复核).

消费金融公司管理办法: no violence, no unrelated third party, records kept five years; for consumer finance companies
only. 民法典 Art. 1032: nobody's privacy is spied out or spread.
"""

from typing import Final

from compliance.rules.demands import among, kept_years, no, rule, unless_among, yes
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.laws import CONSUMER_FINANCE_MEASURES
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import OTHER_LICENCES

YEARS: Final = 5

COLL_CFC: Final = rule(
    "COLL-CFC",
    CONSUMER_FINANCE_MEASURES.unnumbered(),
    source=CONSUMER_FINANCE_MEASURES,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    when=unless_among("licence", OTHER_LICENCES, otherwise="other-licence"),
    kept="kept",
    demands=(
        among("contact_role", ("debtor", "guarantor"), otherwise="third-party"),
        yes("collection_record_true", otherwise="not-traceable"),
        no("banned_words_found", otherwise="improper-means"),
        kept_years(
            "collection_record_kept_until", since="collection_record_made_on", years=YEARS, otherwise="kept-too-short"
        ),
    ),
    params={
        "years": (YEARS, "消费金融公司管理办法: at least five years"),
    },
)
CC_1032: Final = rule(
    "CC-1032",
    CIVIL_CODE.article("第一千零三十二条", "Article 1032"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="respected",
    demands=(no("privacy_spread", otherwise="spread"),),
)
