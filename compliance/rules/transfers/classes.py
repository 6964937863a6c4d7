"""MIG-CLASS and MIG-A to MIG-G: which legal event a transfer is, and its evidence (公司转让分类).

Nothing of a migration runs while the class is not known. A: a corporate customer is sold by its shares; B: the
institution is; C: it merges; D: it divides; E: part of its business is sold; F: it ends; G besides: the recipient is
abroad. `compliance.rules.transfers.classify` holds the decision table. It rests on 公司法 Arts. 3, 4 (a company stays
the same person whoever holds its shares) and on the events that 个人信息保护法 Art. 22 names.
"""

from typing import Final

from compliance.rules.demands import demand, holds_all, if_holds_any, rule
from compliance.rules.installments.sources import CIVIL_CODE, PERSONAL_DATA_LAW
from compliance.rules.laws import COMPANY_LAW
from compliance.rules.results import Severity, Verified
from compliance.rules.transfers.classify import classes_of
from models.domain.transfers_words import (
    EVIDENCE_A,
    EVIDENCE_B,
    EVIDENCE_C,
    EVIDENCE_D,
    EVIDENCE_E,
    EVIDENCE_F,
    EVIDENCE_G,
)

MIG_CLASS: Final = rule(
    "MIG-CLASS",
    COMPANY_LAW.article("第三条、第四条", "Articles 3, 4"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="classified",
    demands=(
        demand(
            "transfer_classes",
            "transferred",
            "transfer_event",
            "recipient_abroad",
            holds=lambda seen: bool(classes_of(seen)),
            otherwise="no-class",
        ),
        demand(
            "transfer_classes",
            "transferred",
            "transfer_event",
            "recipient_abroad",
            holds=lambda seen: frozenset(classes_of(seen)) == frozenset(seen["transfer_classes"]),
            otherwise="other-class",
        ),
    ),
)
MIG_A: Final = rule(
    "MIG-A",
    COMPANY_LAW.article("第三十四条", "Article 34"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("A",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_A, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_A, "decision table of docs/rules.md"),
    },
)
MIG_B: Final = rule(
    "MIG-B",
    COMPANY_LAW.article("第八十四条", "Article 84"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("B",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_B, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_B, "decision table of docs/rules.md"),
    },
)
MIG_C: Final = rule(
    "MIG-C",
    COMPANY_LAW.article("第二百二十条", "Article 220"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("C",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_C, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_C, "decision table of docs/rules.md"),
    },
)
MIG_D: Final = rule(
    "MIG-D",
    COMPANY_LAW.article("第二百二十二条", "Article 222"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("D",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_D, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_D, "decision table of docs/rules.md"),
    },
)
MIG_E: Final = rule(
    "MIG-E",
    CIVIL_CODE.article("第五百四十五条", "Article 545"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("E",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_E, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_E, "decision table of docs/rules.md"),
    },
)
MIG_F: Final = rule(
    "MIG-F",
    COMPANY_LAW.article("第二百二十九条", "Article 229"),
    source=COMPANY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("F",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_F, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_F, "decision table of docs/rules.md"),
    },
)
MIG_G: Final = rule(
    "MIG-G",
    PERSONAL_DATA_LAW.article("第三十八条", "Article 38"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_holds_any("transfer_classes", ("G",), otherwise="other-class"),
    kept="on-file",
    demands=(holds_all("transfer_evidence", EVIDENCE_G, otherwise="incomplete"),),
    params={
        "evidence": (EVIDENCE_G, "decision table of docs/rules.md"),
    },
)
