"""INC-CAC to INC-PIPL, NFRA-DS-INC: how soon an incident is reported, and to whom (事件报告时限).

Pure rules over what happened when; who keeps the clocks supplies the facts. Limits include their last second. INC-CAC:
from grade 较大 on, one hour for critical infrastructure, four for others. INC-PBOC: half an hour and two hours, seen
in the draft of 2025-01 only. INC-NFRA and NFRA-DS-INC: two hours, in writing within twenty-four, and every two hours
at the worst grade; recalled only. INC-NDSR-10: twenty-four hours. INC-PIPL: at once (立即); 72 hours for the persons
is the bank's figure. A report that was not made is missing, which stops the step.
"""

from typing import Final

from compliance.rules.demands import at_most, demand, if_yes, rule, unless_among, within_minutes
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import BANK_DATA_MEASURES, INCIDENT_MEASURES, NETWORK_DATA, PBOC_INCIDENT_MEASURES
from compliance.rules.results import Severity, Verified

LESSER_GRADES: Final = ("general",)  # below 较大; a grade that nobody knows is not below
CRITICAL_MINUTES: Final = 60
OTHER_MINUTES: Final = 240
BRIEF_MINUTES: Final = 30
REPORT_MINUTES: Final = 120
NFRA_BRIEF_MINUTES: Final = 120
NFRA_WRITTEN_MINUTES: Final = 1_440
UPDATE_MINUTES: Final = 120
FLAW_MINUTES: Final = 1_440
PERSONS_MINUTES: Final = 4_320  # 72 hours, the bank's figure

INC_CAC: Final = rule(
    "INC-CAC",
    INCIDENT_MEASURES.article("第四条", "Article 4"),
    source=INCIDENT_MEASURES,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    when=unless_among("incident_grade", LESSER_GRADES, otherwise="lesser"),
    kept="in-time",
    demands=(
        demand(
            "critical_operator",
            "incident_discovered_at",
            "cac_reported_at",
            holds=lambda seen: (
                (seen["cac_reported_at"] - seen["incident_discovered_at"]).total_seconds()
                <= 60 * (CRITICAL_MINUTES if seen["critical_operator"] else OTHER_MINUTES)
            ),
            otherwise="late",
        ),
    ),
    params={
        "critical_minutes": (CRITICAL_MINUTES, "国家网络安全事件报告管理办法 Art. 4"),
        "other_minutes": (OTHER_MINUTES, "国家网络安全事件报告管理办法 Art. 4"),
    },
)
INC_PBOC: Final = rule(
    "INC-PBOC",
    PBOC_INCIDENT_MEASURES.unnumbered(),
    source=PBOC_INCIDENT_MEASURES,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    when=unless_among("incident_grade", LESSER_GRADES, otherwise="lesser"),
    kept="in-time",
    demands=(
        within_minutes("pboc_brief_at", since="incident_discovered_at", minutes=BRIEF_MINUTES, otherwise="brief-late"),
        within_minutes(
            "pboc_reported_at", since="incident_discovered_at", minutes=REPORT_MINUTES, otherwise="report-late"
        ),
    ),
    params={
        "brief_minutes": (BRIEF_MINUTES, "draft of 2025-01"),
        "report_minutes": (REPORT_MINUTES, "draft of 2025-01"),
    },
)
INC_NFRA: Final = rule(
    "INC-NFRA",
    BANK_DATA_MEASURES.unnumbered(),
    source=BANK_DATA_MEASURES,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(
        within_minutes(
            "nfra_brief_at", since="incident_discovered_at", minutes=NFRA_BRIEF_MINUTES, otherwise="brief-late"
        ),
        within_minutes(
            "nfra_written_at", since="incident_discovered_at", minutes=NFRA_WRITTEN_MINUTES, otherwise="written-late"
        ),
    ),
    params={
        "brief_minutes": (NFRA_BRIEF_MINUTES, "金规〔2024〕24号, from memory"),
        "written_minutes": (NFRA_WRITTEN_MINUTES, "金规〔2024〕24号, from memory"),
    },
)
NFRA_DS_INC: Final = rule(
    "NFRA-DS-INC",
    BANK_DATA_MEASURES.unnumbered(),
    source=BANK_DATA_MEASURES,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    when=unless_among("incident_grade", ("general", "larger", "major"), otherwise="lesser"),
    kept="in-time",
    demands=(at_most("nfra_longest_gap_minutes", UPDATE_MINUTES, otherwise="gap"),),
    params={
        "update_minutes": (UPDATE_MINUTES, "金规〔2024〕24号, from memory"),
    },
)
INC_NDSR_10: Final = rule(
    "INC-NDSR-10",
    NETWORK_DATA.article("第十条", "Article 10"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("flaw_endangers_public", otherwise="no-danger"),
    kept="in-time",
    demands=(within_minutes("flaw_reported_at", since="flaw_found_at", minutes=FLAW_MINUTES, otherwise="late"),),
    params={
        "minutes": (FLAW_MINUTES, "网络数据安全管理条例 Art. 10"),
    },
)
INC_PIPL: Final = rule(
    "INC-PIPL",
    PERSONAL_DATA_LAW.article("第五十七条", "Article 57"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(
        within_minutes(
            "authority_told_at", since="incident_discovered_at", minutes=PERSONS_MINUTES, otherwise="authority-late"
        ),
        within_minutes(
            "persons_told_at", since="incident_discovered_at", minutes=PERSONS_MINUTES, otherwise="persons-late"
        ),
    ),
    params={
        "persons_minutes": (PERSONS_MINUTES, "bank policy: the law says 立即 and counts no hours"),
    },
)
