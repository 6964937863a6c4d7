"""AUD-3 to AUD-guide: who audits the protection of personal data, how often, and what (合规审计).

个人信息保护合规审计管理办法. 4: above ten million persons (超过 excludes the figure) once in two years; others at a
reasonable interval. 3, 5: by the institution itself or a professional body; the authority may order the latter. The
same body not three times running. 12: from one million persons on, an officer answers for the audit.
"""

from typing import Final

from compliance.rules.demands import (
    among,
    at_most,
    demand,
    holds_all,
    if_at_least,
    if_more_than,
    if_yes,
    rule,
    within_years,
    yes,
)
from compliance.rules.laws import DATA_AUDITS
from compliance.rules.results import Severity, Verified
from models.domain.security_words import AUDIT_POINTS

EVERY_TWO_YEARS_ABOVE: Final = 10_000_000  # persons, exclusive
YEARS: Final = 2
OFFICER_FROM: Final = 1_000_000  # persons, inclusive
MOST_RUNNING: Final = 2  # the third time running is one too many
AUDIT_MODES: Final = ("own", "professional")

AUD_4: Final = rule(
    "AUD-4",
    DATA_AUDITS.unnumbered(),
    source=DATA_AUDITS,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    when=if_more_than("subjects", EVERY_TWO_YEARS_ABOVE, otherwise="fewer"),
    kept="in-time",
    demands=(within_years("audit_asked_on", since="audit_made_on", years=YEARS, otherwise="overdue"),),
    params={
        "persons": (EVERY_TWO_YEARS_ABOVE, "个人信息保护合规审计管理办法 Art. 4, reported in summary: exclusive"),
        "years": (YEARS, "个人信息保护合规审计管理办法 Art. 4, reported in summary"),
    },
)
AUD_3: Final = rule(
    "AUD-3",
    DATA_AUDITS.unnumbered(),
    source=DATA_AUDITS,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="known",
    demands=(among("audit_mode", AUDIT_MODES, otherwise="unknown"),),
    params={
        "modes": (AUDIT_MODES, "个人信息保护合规审计管理办法 Arts. 3, 5, reported in summary"),
    },
)
AUD_5: Final = rule(
    "AUD-5",
    DATA_AUDITS.unnumbered(),
    source=DATA_AUDITS,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    when=if_yes("audit_ordered", otherwise="not-ordered"),
    kept="professional",
    demands=(demand("audit_mode", holds=lambda seen: seen["audit_mode"] == "professional", otherwise="own"),),
)
AUD_ROT: Final = rule(
    "AUD-rot",
    DATA_AUDITS.unnumbered(),
    source=DATA_AUDITS,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="rotated",
    demands=(at_most("audits_running", MOST_RUNNING, otherwise="third-time"),),
    params={
        "most_running": (MOST_RUNNING, "个人信息保护合规审计管理办法: not three times running"),
    },
)
AUD_12: Final = rule(
    "AUD-12",
    DATA_AUDITS.unnumbered(),
    source=DATA_AUDITS,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    when=if_at_least("subjects", OFFICER_FROM, otherwise="fewer"),
    kept="named",
    demands=(yes("audit_officer", otherwise="none"),),
    params={
        "persons": (OFFICER_FROM, "个人信息保护合规审计管理办法 Art. 12, reported in summary: inclusive"),
    },
)
AUD_GUIDE: Final = rule(
    "AUD-guide",
    DATA_AUDITS.unnumbered(),
    source=DATA_AUDITS,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="covered",
    demands=(holds_all("audit_points", AUDIT_POINTS, otherwise="incomplete"),),
    params={
        "points": (AUDIT_POINTS, "合规审计指引, annex to 个人信息保护合规审计管理办法"),
    },
)
