"""Kinds of evidence (证明材料) that a job may need, by what the rules of its class ask for. Pure."""

from typing import Final

from models.domain.transfers_words import (
    EVIDENCE_A,
    EVIDENCE_B,
    EVIDENCE_C,
    EVIDENCE_D,
    EVIDENCE_E,
    EVIDENCE_F,
    EVIDENCE_G,
)

OF_CLASS: Final = {
    "A": EVIDENCE_A,
    "B": EVIDENCE_B,
    "C": EVIDENCE_C,
    "D": EVIDENCE_D,
    "E": EVIDENCE_E,
    "F": EVIDENCE_F,
    "G": EVIDENCE_G,
}
# Beside what proves the event: what the later gates rest on.
UNDERTAKING: Final = "recipient-undertaking"  # 接收方承诺, 网络数据安全管理条例 Art. 14
SECURITY_ASSESSMENT: Final = "security-assessment"  # 安全评估
LEGAL_OPINION: Final = "legal-opinion"  # notice without consent (class E)
SOURCE_APPROVAL: Final = "source-approval"  # of a source that has no people here
OLD_STORE: Final = "old-store-record"  # 旧库处置记录: deleted or locked
AUDIT_REPORT: Final = "compliance-audit"
HOUSE: Final = (
    UNDERTAKING,
    SECURITY_ASSESSMENT,
    LEGAL_OPINION,
    SOURCE_APPROVAL,
    OLD_STORE,
    AUDIT_REPORT,
    "contractor-contract",
    "recipient-contract",
    "tax-record",
    "authority-report",
    "other",
)
EVIDENCE_KINDS: Final = tuple(dict.fromkeys((*(kind for kinds in OF_CLASS.values() for kind in kinds), *HOUSE)))
