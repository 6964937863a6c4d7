"""PIPL-51 to PIPL-69, NDSR-11, NDSR-21, NDSR-27: what the handler keeps ready (处理者义务).

个人信息保护法: controls (51), a protection officer from one million persons on (52; the number by
个人信息保护合规审计管理办法 Art. 12), regular audits (54), three sections of an impact assessment kept three years
(56), notice of a breach (57), proof, because fault is presumed (69). 网络数据安全管理条例: incident plan and notice
(11), rules published in one place with a list of recipients (21), audits (27). How often an audit is regular is the
bank's figure.
"""

from typing import Final

from compliance.rules.demands import demand, holds_all, if_at_least, kept_years, rule, within_years, yes
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import NETWORK_DATA
from compliance.rules.results import Severity, Verified
from models.domain.personal_data_words import ASSESSMENT_SECTIONS, BREACH_NOTICE, CONTROLS, PUBLISHED_RULES

OFFICER_FROM: Final = 1_000_000  # persons, inclusive
AUDIT_YEARS: Final = 2  # the bank's figure
YEARS: Final = 3

PIPL_51: Final = rule(
    "PIPL-51",
    PERSONAL_DATA_LAW.article("第五十一条", "Article 51"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-place",
    demands=(holds_all("controls_in_place", CONTROLS, otherwise="incomplete"),),
    params={
        "controls": (CONTROLS, "个人信息保护法 Art. 51"),
    },
)
PIPL_52: Final = rule(
    "PIPL-52",
    PERSONAL_DATA_LAW.article("第五十二条", "Article 52"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_at_least("subjects", OFFICER_FROM, otherwise="fewer"),
    kept="named",
    demands=(yes("protection_officer", otherwise="none"),),
    params={
        "persons": (OFFICER_FROM, "个人信息保护合规审计管理办法 Art. 12, reported in summary: inclusive"),
    },
)
PIPL_54: Final = rule(
    "PIPL-54",
    PERSONAL_DATA_LAW.article("第五十四条", "Article 54"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="regular",
    demands=(within_years("audit_asked_on", since="audit_made_on", years=AUDIT_YEARS, otherwise="overdue"),),
    params={
        "years": (AUDIT_YEARS, "bank policy: what regular means"),
    },
)
NDSR_27: Final = rule(
    "NDSR-27",
    NETWORK_DATA.article("第二十七条", "Article 27"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="regular",
    demands=(within_years("audit_asked_on", since="audit_made_on", years=AUDIT_YEARS, otherwise="overdue"),),
    params={
        "years": (AUDIT_YEARS, "bank policy: what regular means"),
    },
)
PIPL_56: Final = rule(
    "PIPL-56",
    PERSONAL_DATA_LAW.article("第五十六条", "Article 56"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="complete",
    demands=(
        holds_all("assessment_sections", ASSESSMENT_SECTIONS, otherwise="incomplete"),
        kept_years("assessment_kept_until", since="assessment_made_on", years=YEARS, otherwise="kept-too-short"),
    ),
    params={
        "sections": (ASSESSMENT_SECTIONS, "个人信息保护法 Art. 56"),
        "years": (YEARS, "个人信息保护法 Art. 56: at least three years"),
    },
)
PIPL_57: Final = rule(
    "PIPL-57",
    PERSONAL_DATA_LAW.article("第五十七条", "Article 57"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="told",
    demands=(
        yes("breach_acted_at_once", otherwise="not-at-once"),
        yes("breach_authority_told", otherwise="authority-not-told"),
        demand(
            "breach_persons_told",
            "breach_harm_averted",
            holds=lambda seen: seen["breach_persons_told"] or seen["breach_harm_averted"],
            otherwise="persons-not-told",
        ),
        holds_all("breach_notice_items", BREACH_NOTICE, otherwise="incomplete"),
    ),
    params={
        "items": (BREACH_NOTICE, "个人信息保护法 Art. 57"),
    },
)
PIPL_69: Final = rule(
    "PIPL-69",
    PERSONAL_DATA_LAW.article("第六十九条", "Article 69"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="kept",
    demands=(yes("processing_proof_kept", otherwise="no-proof"),),
)
NDSR_11: Final = rule(
    "NDSR-11",
    NETWORK_DATA.article("第十一条", "Article 11"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="handled",
    demands=(
        yes("incident_plan", otherwise="no-plan"),
        demand(
            "breach_persons_told",
            "breach_harm_averted",
            holds=lambda seen: seen["breach_persons_told"] or seen["breach_harm_averted"],
            otherwise="not-told",
        ),
        demand(
            "crime_clues",
            "police_told",
            holds=lambda seen: not seen["crime_clues"] or seen["police_told"],
            otherwise="police-not-told",
        ),
    ),
)
NDSR_21: Final = rule(
    "NDSR-21",
    NETWORK_DATA.article("第二十一条", "Article 21"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="published",
    demands=(holds_all("published_rules", PUBLISHED_RULES, otherwise="incomplete"),),
    params={
        "items": (PUBLISHED_RULES, "网络数据安全管理条例 Art. 21"),
    },
)
