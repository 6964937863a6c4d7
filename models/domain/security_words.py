"""Lists that the rules about data security know."""

from typing import Final

# Grades of data (数据分级): 核心、重要、敏感、其他
DATA_GRADES: Final = ("core", "important", "sensitive", "other")
PROCESS_CONTROLS: Final = ("whole-process-system", "training", "technical-measures")
AUDIT_POINTS: Final = (
    "basis",
    "rules",
    "notice",
    "joint-entrusted-provided",
    "automated",
    "sensitive",
    "minors",
    "export",
    "rights",
    "measures",
    "system",
)
# Commercial cipher algorithms (商用密码算法) that need no policy
ALGORITHMS: Final = ("SM2", "SM3", "SM4")
CRYPTO_AIMS: Final = ("confidentiality", "integrity", "authenticity", "non-repudiation")
