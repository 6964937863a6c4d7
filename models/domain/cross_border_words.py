"""Lists that the rules about data abroad know."""

from typing import Final

EXPORT_NOTICE: Final = (
    "recipient-name",
    "recipient-contacts",
    "purpose",
    "method",
    "data-kinds",
    "how-to-exercise-rights",
)
# What an export rests on (出境路径)
EXPORT_PATHS: Final = ("assessment", "certification", "standard-contract", "exempt")
# Bases of 网络数据安全管理条例 Art. 35
EXPORT_BASES: Final = (
    "assessment",
    "certification",
    "standard-contract",
    "contract-necessity",
    "staff",
    "legal-duty",
    "emergency",
)
