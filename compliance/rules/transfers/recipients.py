"""PIPL-22, PIPL-23, NDSR-14 to NDSR-32 and others: who gets the data, who is told, who consents (接收方).

个人信息保护法 Art. 22: at a merger, division, dissolution or bankruptcy the persons are told the recipient's name and
contacts; consent is needed only for another purpose. Art. 23: another handler gets data with notice and separate
consent. Whether the 等 of Art. 22 covers a sale of business is unsettled, so Art. 23 is the default; the policy
`art23_notice_only` needs the number of a legal opinion. 网络数据安全管理条例 Arts. 14, 28, 32: the recipient keeps the
duties; handlers of ten million persons and more report the plan.
"""

from typing import Final

from compliance.rules.demands import (
    all_of,
    demand,
    earlier,
    holds_all,
    if_at_least,
    if_holds_any,
    rule,
    unless_among,
    yes,
)
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import FINANCIAL_DATA_STANDARD, NETWORK_DATA, PAYMENT_INSTITUTIONS, PERSONAL_DATA_STANDARD
from compliance.rules.results import Severity, Verified
from models.domain.transfers_words import PROVISION_NOTICE, RECIPIENT_NOTICE

MANY: Final = 10_000_000  # persons, inclusive (以上)
OTHER_LICENCES_PAYMENT: Final = ("bank", "cfc", "insurer")

PIPL_22: Final = rule(
    "PIPL-22",
    PERSONAL_DATA_LAW.article("第二十二条", "Article 22"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C", "D", "F"), otherwise="other-class"),
    kept="told",
    demands=(
        holds_all("recipient_notice_items", RECIPIENT_NOTICE, otherwise="incomplete"),
        all_of("subjects_told", of="subjects", otherwise="not-told"),
        demand(
            "recipient_same_purposes",
            "subjects_consented_anew",
            "subjects",
            holds=lambda seen: seen["recipient_same_purposes"] or seen["subjects_consented_anew"] >= seen["subjects"],
            otherwise="other-purpose",
        ),
    ),
    params={
        "items": (RECIPIENT_NOTICE, "个人信息保护法 Art. 22"),
    },
)
PIPL_23: Final = rule(
    "PIPL-23",
    PERSONAL_DATA_LAW.article("第二十三条", "Article 23"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="consented",
    demands=(
        holds_all("recipient_notice_items", PROVISION_NOTICE, otherwise="incomplete"),
        all_of("subjects_told", of="subjects", otherwise="not-told"),
        demand(
            "subjects_consented_apart",
            "subjects",
            "notice_only_opinion",
            holds=lambda seen: (
                bool(seen["notice_only_opinion"]) or seen["subjects_consented_apart"] >= seen["subjects"]
            ),
            otherwise="no-consent",
        ),
    ),
    params={
        "items": (PROVISION_NOTICE, "个人信息保护法 Art. 23"),
        "consent_whatever_the_basis": (
            "yes",
            "bank policy: whether consent is needed where the basis is contract or duty is debated",
        ),
    },
)
NDSR_14: Final = rule(
    "NDSR-14",
    NETWORK_DATA.article("第十四条", "Article 14"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C", "D", "E", "F"), otherwise="other-class"),
    kept="undertaken",
    demands=(yes("recipient_undertaking", otherwise="not-undertaken"),),
)
NDSR_28: Final = rule(
    "NDSR-28",
    NETWORK_DATA.article("第二十八条", "Article 28"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_at_least("subjects", MANY, otherwise="fewer"),
    kept="protected",
    demands=(yes("protective_measures", otherwise="not-protected"),),
    params={
        "persons": (MANY, "网络数据安全管理条例 Art. 28: inclusive"),
    },
)
NDSR_32: Final = rule(
    "NDSR-32",
    NETWORK_DATA.article("第三十二条", "Article 32"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_at_least("subjects", MANY, otherwise="fewer"),
    kept="reported",
    demands=(earlier("authority_plan_filed_on", than="cutover_on", otherwise="late"),),
    params={
        "persons": (MANY, "网络数据安全管理条例 Arts. 28, 32: inclusive"),
    },
)
GB35273_9_3: Final = rule(
    "GB35273-9.3",
    PERSONAL_DATA_STANDARD.article("9.3", "clause 9.3"),
    source=PERSONAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    when=if_holds_any("transfer_classes", ("C", "D", "E", "F"), otherwise="other-class"),
    kept="in-order",
    demands=(
        demand(
            "has_successor",
            "data_deleted_without_successor",
            holds=lambda seen: seen["has_successor"] or seen["data_deleted_without_successor"],
            otherwise="not-deleted",
        ),
        all_of("subjects_told", of="subjects", otherwise="not-told"),
    ),
)
JRT171_MA: Final = rule(
    "JRT171-MA",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    when=if_holds_any("transfer_classes", ("C", "D", "E", "F"), otherwise="other-class"),
    kept="in-order",
    demands=(
        all_of("subjects_told", of="subjects", otherwise="not-told"),
        demand(
            "recipient_same_purposes",
            "subjects_consented_anew",
            "subjects",
            holds=lambda seen: seen["recipient_same_purposes"] or seen["subjects_consented_anew"] >= seen["subjects"],
            otherwise="other-purpose",
        ),
    ),
)
NBPI_32: Final = rule(
    "NBPI-32",
    PAYMENT_INSTITUTIONS.article("第三十二条", "Article 32"),
    source=PAYMENT_INSTITUTIONS,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=unless_among("licence", OTHER_LICENCES_PAYMENT, otherwise="other-licence"),
    kept="consented",
    demands=(
        demand(
            "affiliate_sharing",
            "affiliate_notice_consent",
            holds=lambda seen: not seen["affiliate_sharing"] or seen["affiliate_notice_consent"],
            otherwise="no-consent",
        ),
    ),
)
