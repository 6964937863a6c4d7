"""CSL-LOG, CSL-42: logs for six months, and which article of the Cybersecurity Law is cited when (网络安全法).

The log rule stood in Art. 21(3) until 2025-12-31; since 2026-01-01 it is cited as Art. 23, by the amendment's own
cross-reference. The duty that became Art. 42 stood in Art. 40 before; its second paragraph says that personal data
follow this law, the Civil Code and 个人信息保护法.
"""

from datetime import date
from typing import Final

from compliance.rules.demands import at_least, demand, rule
from compliance.rules.laws import CYBERSECURITY_LAW
from compliance.rules.results import Severity, Verified

DAYS: Final = 180  # six months; the bank counts thirty days each
CITED_NOW: Final = "网络安全法/42"
CITED_BEFORE: Final = "网络安全法/40"

CSL_LOG_2017: Final = rule(
    "CSL-LOG",
    CYBERSECURITY_LAW.article("第二十一条", "Article 21"),
    source=CYBERSECURITY_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    until=date(2025, 12, 31),
    kept="kept",
    demands=(at_least("log_retention_days", DAYS, otherwise="too-short"),),
    params={
        "days": (DAYS, "网络安全法 Art. 21(3): at least six months"),
    },
)
CSL_LOG: Final = rule(
    "CSL-LOG",
    CYBERSECURITY_LAW.article("第二十三条", "Article 23"),
    source=CYBERSECURITY_LAW,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    since=date(2026, 1, 1),
    kept="kept",
    demands=(at_least("log_retention_days", DAYS, otherwise="too-short"),),
    params={
        "days": (DAYS, "网络安全法 Art. 23: at least six months"),
    },
)
CSL_42: Final = rule(
    "CSL-42",
    CYBERSECURITY_LAW.article("第四十二条", "Article 42"),
    source=CYBERSECURITY_LAW,
    verified=Verified.QUOTED,
    severity=Severity.WARN,
    since=date(2026, 1, 1),
    kept="in-force",
    demands=(
        demand(
            "network_law_cited", holds=lambda seen: CITED_BEFORE not in seen["network_law_cited"], otherwise="moved"
        ),
    ),
    params={
        "cited_now": (CITED_NOW, "网络安全法 as amended in 2025"),
    },
)
