"""XB-5, XB-5-1, XB-7, XB-8, XB-9: how many persons make which path (出境门槛).

促进和规范数据跨境流动规定. 5: no path is needed below 100,000 persons without sensitive data (不满 excludes the
figure). 5-1: nor where the person's own contract needs it; recalled only. 7: a security assessment from 1,000,000
persons or 10,000 with sensitive data on, and always for operators of critical infrastructure and important data. 8: a
standard contract or certificate in between; one person with sensitive data is enough. 9: an assessment holds three
years; an extension is asked for sixty working days before. Account numbers are sensitive, so a bank's data reach XB-8
with the first customer.
"""

from typing import Final

from compliance.rules.cross_border.persons import (
    ASSESS_FROM,
    ASSESS_SENSITIVE_FROM,
    CONTRACT_FROM,
    needs_assessment,
    needs_contract,
)
from compliance.rules.demands import demand, if_yes, rule, where, within_years, yes
from compliance.rules.laws import CROSS_BORDER_FLOWS
from compliance.rules.results import Severity, Verified

OTHER_THAN_EXEMPT: Final = ("assessment", "certification", "standard-contract")
OTHER_THAN_ASSESSMENT: Final = ("certification", "standard-contract", "exempt")
OTHER_THAN_NECESSITY: Final = ("assessment", "certification", "standard-contract", "staff", "legal-duty", "emergency")
YEARS: Final = 3
EXTENSION_WORKING_DAYS: Final = 60

XB_5: Final = rule(
    "XB-5",
    CROSS_BORDER_FLOWS.article("第五条", "Article 5"),
    source=CROSS_BORDER_FLOWS,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    when=where(
        "export_abroad",
        "export_path",
        holds=lambda seen: seen["export_abroad"] and seen["export_path"] not in OTHER_THAN_EXEMPT,
        otherwise="other-path",
    ),
    kept="exempt",
    demands=(
        demand(
            "critical_operator",
            "export_sensitive_persons",
            "export_persons",
            holds=lambda seen: (
                not seen["critical_operator"]
                and seen["export_sensitive_persons"] == 0
                and seen["export_persons"] < CONTRACT_FROM
            ),
            otherwise="not-exempt",
        ),
    ),
    params={
        "persons": (CONTRACT_FROM, "促进和规范数据跨境流动规定 Art. 5(4): exclusive"),
    },
)
XB_5_1: Final = rule(
    "XB-5-1",
    CROSS_BORDER_FLOWS.article("第五条", "Article 5"),
    source=CROSS_BORDER_FLOWS,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    when=where(
        "export_abroad",
        "export_basis",
        holds=lambda seen: seen["export_abroad"] and seen["export_basis"] not in OTHER_THAN_NECESSITY,
        otherwise="other-basis",
    ),
    kept="needed",
    demands=(yes("own_contract_needs_it", otherwise="not-needed"),),
)
XB_7: Final = rule(
    "XB-7",
    CROSS_BORDER_FLOWS.article("第七条", "Article 7"),
    source=CROSS_BORDER_FLOWS,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    when=if_yes("export_abroad", otherwise="no-export"),
    kept="right-path",
    demands=(
        demand(
            "critical_operator",
            "export_important_data",
            "export_persons",
            "export_sensitive_persons",
            "export_path",
            holds=lambda seen: seen["export_path"] == "assessment" or not needs_assessment(seen),
            otherwise="not-assessed",
        ),
    ),
    params={
        "persons": (ASSESS_FROM, "促进和规范数据跨境流动规定 Art. 7: inclusive"),
        "sensitive_persons": (ASSESS_SENSITIVE_FROM, "促进和规范数据跨境流动规定 Art. 7: inclusive"),
    },
)
XB_8: Final = rule(
    "XB-8",
    CROSS_BORDER_FLOWS.article("第八条", "Article 8"),
    source=CROSS_BORDER_FLOWS,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    when=if_yes("export_abroad", otherwise="no-export"),
    kept="right-path",
    demands=(
        demand(
            "export_persons",
            "export_sensitive_persons",
            "own_contract_needs_it",
            "export_path",
            holds=lambda seen: (
                seen["export_path"] in ("assessment", "certification", "standard-contract") or not needs_contract(seen)
            ),
            otherwise="no-contract",
        ),
    ),
    params={
        "persons": (CONTRACT_FROM, "促进和规范数据跨境流动规定 Art. 8: inclusive"),
    },
)
XB_9: Final = rule(
    "XB-9",
    CROSS_BORDER_FLOWS.article("第九条", "Article 9"),
    source=CROSS_BORDER_FLOWS,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    when=where(
        "export_abroad",
        "export_path",
        holds=lambda seen: seen["export_abroad"] and seen["export_path"] not in OTHER_THAN_ASSESSMENT,
        otherwise="other-path",
    ),
    kept="valid",
    demands=(
        within_years("export_on", since="assessment_passed_on", years=YEARS, otherwise="over"),
        demand(
            "extension_asked",
            "extension_working_days_before",
            holds=lambda seen: (
                not seen["extension_asked"] or seen["extension_working_days_before"] >= EXTENSION_WORKING_DAYS
            ),
            otherwise="extension-late",
        ),
    ),
    params={
        "years": (YEARS, "促进和规范数据跨境流动规定 Art. 9"),
        "working_days": (EXTENSION_WORKING_DAYS, "促进和规范数据跨境流动规定 Art. 9: inclusive"),
    },
)
