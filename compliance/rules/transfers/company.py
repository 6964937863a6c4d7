"""CO-3 to CO-239: what a company does when its shares are sold, it merges, divides or ends (公司法).

3, 4: the company stays the same person; shareholders hold rights in it, not its data. 32, 34: what is registered, and
that an unregistered change cannot be raised against others in good faith. 84, 86, 87: sale of shares (thirty days for
the other shareholders; silence waives). 218, 220 to 223: merger and division (notice in ten days, announcement in
thirty). 229, 236, 239: dissolution, liquidation, deregistration.
"""

from typing import Final

from compliance.rules.demands import among, covers, demand, if_holds_any, no, only, rule, within_days, yes
from compliance.rules.laws import COMPANY_LAW
from compliance.rules.results import Severity, Verified
from models.domain.transfers_words import REGISTERED_ITEMS

SHAREHOLDER_DAYS: Final = 30  # days in which the other shareholders may answer, inclusive
NOTICE_DAYS: Final = 10
ANNOUNCEMENT_DAYS: Final = 30
REASON_DAYS: Final = 10

CO_3: Final = rule(
    "CO-3",
    COMPANY_LAW.article("第三条", "Article 3"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A", "B"), otherwise="other-class"),
    kept="same-person",
    demands=(no("contract_party_rewritten", otherwise="rewritten"),),
)
CO_4: Final = rule(
    "CO-4",
    COMPANY_LAW.article("第四条", "Article 4"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A", "B"), otherwise="other-class"),
    kept="not-given",
    demands=(
        demand(
            "data_given_to_shareholder",
            "separate_consent_shareholder",
            holds=lambda seen: not seen["data_given_to_shareholder"] or seen["separate_consent_shareholder"],
            otherwise="given",
        ),
    ),
)
CO_32: Final = rule(
    "CO-32",
    COMPANY_LAW.article("第三十二条", "Article 32"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="registered",
    demands=(
        covers("registered_items_filed", "registered_items_changed", otherwise="not-registered"),
        only("registered_items_changed", REGISTERED_ITEMS, otherwise="no-item"),
    ),
    params={
        "items": (REGISTERED_ITEMS, "公司法 Art. 32"),
    },
)
CO_34: Final = rule(
    "CO-34",
    COMPANY_LAW.article("第三十四条", "Article 34"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="registered-first",
    demands=(no("change_relied_on_before_register", otherwise="relied-early"),),
)
CO_84: Final = rule(
    "CO-84",
    COMPANY_LAW.article("第八十四条", "Article 84"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A", "B"), otherwise="other-class"),
    kept="respected",
    demands=(
        demand(
            "shareholders_all_waived",
            "shareholders_told_on",
            "shares_sold_on",
            holds=lambda seen: (
                seen["shareholders_all_waived"]
                or (seen["shares_sold_on"] - seen["shareholders_told_on"]).days > SHAREHOLDER_DAYS
            ),
            otherwise="too-early",
        ),
    ),
    params={
        "days": (SHAREHOLDER_DAYS, "公司法 Art. 84: thirty days, silence waives"),
    },
)
CO_86: Final = rule(
    "CO-86",
    COMPANY_LAW.article("第八十六条", "Article 86"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A", "B"), otherwise="other-class"),
    kept="updated",
    demands=(yes("members_register_updated", otherwise="not-updated"),),
)
CO_87: Final = rule(
    "CO-87",
    COMPANY_LAW.article("第八十七条", "Article 87"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A", "B"), otherwise="other-class"),
    kept="updated",
    demands=(yes("articles_updated", otherwise="not-updated"),),
)
CO_218: Final = rule(
    "CO-218",
    COMPANY_LAW.article("第二百一十八条", "Article 218"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C",), otherwise="other-class"),
    kept="known",
    demands=(among("merger_kind", ("absorption", "new-company"), otherwise="unknown"),),
)
CO_220: Final = rule(
    "CO-220",
    COMPANY_LAW.article("第二百二十条", "Article 220"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C",), otherwise="other-class"),
    kept="told",
    demands=(
        within_days("creditors_told_on", since="resolution_on", days=NOTICE_DAYS, otherwise="told-late"),
        within_days("announced_on", since="resolution_on", days=ANNOUNCEMENT_DAYS, otherwise="announced-late"),
    ),
    params={
        "notice_days": (NOTICE_DAYS, "公司法 Art. 220"),
        "announcement_days": (ANNOUNCEMENT_DAYS, "公司法 Art. 220"),
    },
)
CO_221: Final = rule(
    "CO-221",
    COMPANY_LAW.article("第二百二十一条", "Article 221"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C",), otherwise="other-class"),
    kept="taken",
    demands=(yes("successor_takes_all", otherwise="not-taken"),),
)
CO_222: Final = rule(
    "CO-222",
    COMPANY_LAW.article("第二百二十二条", "Article 222"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("D",), otherwise="other-class"),
    kept="told",
    demands=(
        within_days("creditors_told_on", since="resolution_on", days=NOTICE_DAYS, otherwise="told-late"),
        within_days("announced_on", since="resolution_on", days=ANNOUNCEMENT_DAYS, otherwise="announced-late"),
    ),
    params={
        "notice_days": (NOTICE_DAYS, "公司法 Art. 222"),
        "announcement_days": (ANNOUNCEMENT_DAYS, "公司法 Art. 222"),
    },
)
CO_223: Final = rule(
    "CO-223",
    COMPANY_LAW.article("第二百二十三条", "Article 223"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("D",), otherwise="other-class"),
    kept="recorded",
    demands=(yes("division_liability_recorded", otherwise="not-recorded"),),
)
CO_229: Final = rule(
    "CO-229",
    COMPANY_LAW.article("第二百二十九条", "Article 229"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("F",), otherwise="other-class"),
    kept="published",
    demands=(within_days("end_reason_published_on", since="end_reason_on", days=REASON_DAYS, otherwise="late"),),
    params={
        "days": (REASON_DAYS, "公司法 Art. 229"),
    },
)
CO_236: Final = rule(
    "CO-236",
    COMPANY_LAW.article("第二百三十六条", "Article 236"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("F",), otherwise="other-class"),
    kept="none",
    demands=(no("new_business_in_liquidation", otherwise="new-business"),),
)
CO_239: Final = rule(
    "CO-239",
    COMPANY_LAW.article("第二百三十九条", "Article 239"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("F",), otherwise="other-class"),
    kept="in-order",
    demands=(
        demand(
            "deregistered",
            "liquidation_report_confirmed",
            holds=lambda seen: not seen["deregistered"] or seen["liquidation_report_confirmed"],
            otherwise="no-report",
        ),
    ),
)
