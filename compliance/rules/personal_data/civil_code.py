"""CC-1029, CC-1034, CC-1035, CC-1036, CC-1037, CC-1038: personal data in the Civil Code (民法典人格权编).

1029: credit evaluations may be queried and contested. 1034, 1035: what is personal data, and that it is processed
lawfully, properly and as needed, with consent, open rules and a stated purpose. 1036, 1037: inside the consent nobody
is liable; access, copy, correction, deletion. 1038: no leak, no tampering, nothing given away; breaches are reported.
"""

from typing import Final

from compliance.rules.demands import all_of, demand, no, rule, yes
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.results import Severity, Verified

CC_1029: Final = rule(
    "CC-1029",
    CIVIL_CODE.article("第一千零二十九条", "Article 1029"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="answered",
    demands=(all_of("evaluation_answered", of="evaluation_contested", otherwise="open"),),
)
CC_1034: Final = rule(
    "CC-1034",
    CIVIL_CODE.article("第一千零三十四条", "Article 1034"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="tagged",
    demands=(yes("personal_kinds_tagged", otherwise="not-tagged"),),
)
CC_1035: Final = rule(
    "CC-1035",
    CIVIL_CODE.article("第一千零三十五条", "Article 1035"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="lawful",
    demands=(
        yes("processing_lawful", otherwise="unlawful"),
        no("processing_excessive", otherwise="excessive"),
    ),
)
CC_1036: Final = rule(
    "CC-1036",
    CIVIL_CODE.article("第一千零三十六条", "Article 1036"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="inside",
    demands=(yes("inside_consent", otherwise="outside"),),
)
CC_1037: Final = rule(
    "CC-1037",
    CIVIL_CODE.article("第一千零三十七条", "Article 1037"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="answered",
    demands=(all_of("requests_answered", of="requests_received", otherwise="open"),),
)
CC_1038: Final = rule(
    "CC-1038",
    CIVIL_CODE.article("第一千零三十八条", "Article 1038"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="safe",
    demands=(
        no("data_given_without_consent", otherwise="given-away"),
        demand(
            "data_tampered",
            "breach_reported",
            holds=lambda seen: not seen["data_tampered"] or seen["breach_reported"],
            otherwise="not-reported",
        ),
    ),
)
