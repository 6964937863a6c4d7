"""CONV-1, CONV-2, CONV-3, CONV-4, CONV-5: what a set of rules must be so that its answers are the law's (规则集).

1: every threshold has an explicit operator (民法典 Art. 1259: 以上、以下、以内、届满 include the figure,
不满、超过、以外 do not). 2: the date of the legal fact chooses the version (时间效力规定). 3: recommended standards
and self-regulation warn unless the bank's policy says otherwise. 4: a missing fact is no pass. 5: one clock for the
mainland, the customer's own abroad. The last three are choices of the design and cite the conventions of the engine
(docs/rules.md), no law. `compliance.rules.conventions` holds them as functions.
"""

from typing import Final

from compliance.rules.demands import demand, none_of, rule, yes
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.laws import ENGINE_CONVENTIONS, TIME_EFFECT
from compliance.rules.results import Severity, Verified

MAINLAND: Final = "Asia/Shanghai"

CONV_1: Final = rule(
    "CONV-1",
    CIVIL_CODE.article("第一千二百五十九条", "Article 1259"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="explicit",
    demands=(none_of("thresholds_without_operator", otherwise="no-operator"),),
)
CONV_2: Final = rule(
    "CONV-2",
    TIME_EFFECT.article("第一条至第三条、第九条、第二十条", "Articles 1 to 3, 9 and 20"),
    source=TIME_EFFECT,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="by-event",
    demands=(
        none_of("rules_without_dates", otherwise="no-dates"),
        yes("parameters_by_event_date", otherwise="by-today"),
    ),
)
CONV_3: Final = rule(
    "CONV-3",
    ENGINE_CONVENTIONS.article("第三条", "Article 3"),
    source=ENGINE_CONVENTIONS,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="by-rank",
    demands=(none_of("standards_blocking_unasked", otherwise="blocks-unasked"),),
)
CONV_4: Final = rule(
    "CONV-4",
    ENGINE_CONVENTIONS.article("第四条", "Article 4"),
    source=ENGINE_CONVENTIONS,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="stops",
    demands=(none_of("rules_passing_unknown", otherwise="passes-unknown"),),
    params={
        "severity": ("WARN→BLOCK", "bank policy: self-regulation and recommended standards are raised to a stop"),
    },
)
CONV_5: Final = rule(
    "CONV-5",
    ENGINE_CONVENTIONS.article("第五条", "Article 5"),
    source=ENGINE_CONVENTIONS,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="local",
    demands=(
        demand(
            "clock_zone",
            "customer_abroad",
            "customer_zone",
            holds=lambda seen: seen["clock_zone"] == (seen["customer_zone"] if seen["customer_abroad"] else MAINLAND),
            otherwise="other-zone",
        ),
    ),
    params={
        "mainland": (MAINLAND, "bank policy"),
    },
)
