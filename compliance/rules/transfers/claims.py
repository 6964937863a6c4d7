"""CC-67, CC-529 to CC-697, SPC-CONTRACT-48: claims, debts and contracts move (债权转让、债务转移).

民法典. A claim may be assigned and binds the debtor from the notice; a debt moves with the creditor's consent; a
contract with the other party's; a merger moves all of it by law. Accessory rights, defences and set-off go with the
claim. Who paid the old creditor before the notice is free (合同编通则解释 Art. 48). Guarantors are told, and consent
in writing when the debtor changes.
"""

from typing import Final

from compliance.rules.demands import all_of, among, demand, earlier, if_any, if_holds_any, if_yes, no, rule, yes
from compliance.rules.installments.sources import CIVIL_CODE, CONTRACT_INTERPRETATION
from compliance.rules.results import Severity, Verified

ASSIGNABLE: Final = ("ok", "agreed-not")  # an agreement not to assign a money claim binds no third party

CC_67: Final = rule(
    "CC-67",
    CIVIL_CODE.article("第六十七条", "Article 67"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C", "D"), otherwise="other-class"),
    kept="taken",
    demands=(yes("successor_is_party", otherwise="not-taken"),),
)
CC_529: Final = rule(
    "CC-529",
    CIVIL_CODE.article("第五百二十九条", "Article 529"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-order",
    demands=(
        demand(
            "creditor_change_told",
            "late_fee_charged",
            holds=lambda seen: seen["creditor_change_told"] or not seen["late_fee_charged"],
            otherwise="charged",
        ),
    ),
)
CC_545: Final = rule(
    "CC-545",
    CIVIL_CODE.article("第五百四十五条", "Article 545"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="assignable",
    demands=(among("claim_assignability", ASSIGNABLE, otherwise="not-assignable"),),
    params={
        "assignable": (ASSIGNABLE, "民法典 Art. 545"),
    },
)
CC_546: Final = rule(
    "CC-546",
    CIVIL_CODE.article("第五百四十六条", "Article 546"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="notified",
    demands=(
        earlier("assignment_notice_at", than="assignee_demand_at", otherwise="too-early"),
        no("notice_revoked_alone", otherwise="revoked"),
    ),
)
SPC_CONTRACT_48: Final = rule(
    "SPC-CONTRACT-48",
    CONTRACT_INTERPRETATION.article("第四十八条", "Article 48"),
    source=CONTRACT_INTERPRETATION,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="routed",
    demands=(
        demand(
            "payment_made_at",
            "assignment_notice_at",
            "payment_credited_to",
            holds=lambda seen: (
                seen["payment_credited_to"]
                == ("assignor" if seen["payment_made_at"] < seen["assignment_notice_at"] else "assignee")
            ),
            otherwise="misrouted",
        ),
    ),
)
CC_547: Final = rule(
    "CC-547",
    CIVIL_CODE.article("第五百四十七条", "Article 547"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="moved",
    demands=(all_of("accessory_rights_moved", of="accessory_rights", otherwise="left-behind"),),
)
CC_548: Final = rule(
    "CC-548",
    CIVIL_CODE.article("第五百四十八条", "Article 548"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="kept",
    demands=(all_of("defences_moved", of="defences_known", otherwise="left-behind"),),
)
CC_549: Final = rule(
    "CC-549",
    CIVIL_CODE.article("第五百四十九条", "Article 549"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="kept",
    demands=(all_of("counterclaims_moved", of="counterclaims_known", otherwise="left-behind"),),
)
CC_551: Final = rule(
    "CC-551",
    CIVIL_CODE.article("第五百五十一条", "Article 551"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("debt_moves", otherwise="no-debt"),
    kept="consented",
    demands=(yes("creditor_consented", otherwise="not-consented"),),
)
CC_552: Final = rule(
    "CC-552",
    CIVIL_CODE.article("第五百五十二条", "Article 552"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("debt_joined", otherwise="no-joining"),
    kept="told",
    demands=(yes("debt_joining_told", otherwise="not-told"),),
)
CC_555: Final = rule(
    "CC-555",
    CIVIL_CODE.article("第五百五十五条", "Article 555"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("contracts_move", otherwise="no-contract"),
    kept="consented",
    demands=(yes("counterparty_consented", otherwise="not-consented"),),
)
CC_556: Final = rule(
    "CC-556",
    CIVIL_CODE.article("第五百五十六条", "Article 556"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("contracts_move", otherwise="no-contract"),
    kept="applied",
    demands=(
        all_of("accessory_rights_moved", of="accessory_rights", otherwise="rights-left"),
        all_of("defences_moved", of="defences_known", otherwise="defences-left"),
    ),
)
CC_696: Final = rule(
    "CC-696",
    CIVIL_CODE.article("第六百九十六条", "Article 696"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    when=if_any("guarantors_of_claims", otherwise="no-guarantor"),
    kept="told",
    demands=(all_of("guarantors_told", of="guarantors_of_claims", otherwise="not-told"),),
)
CC_697: Final = rule(
    "CC-697",
    CIVIL_CODE.article("第六百九十七条", "Article 697"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("debt_moves", otherwise="no-debt"),
    kept="consented",
    demands=(all_of("guarantors_agreed_writing", of="guarantors_of_claims", otherwise="not-consented"),),
)
