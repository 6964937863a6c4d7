"""CC-670, CC-695, SPC-CONTRACT-65: what interest runs on, what a guarantor answers for, how heavy a penalty may be.

民法典 Art. 670: interest is not deducted in advance (利息不得预先扣除) and runs on what was really received. Art.
695: a guarantor who did not agree in writing does not answer for an added burden (加重债务). 法释〔2023〕13号 Art.
65: a penalty more than 30 % above the loss is as a rule excessive (违约金过高).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.apr_21 import basis_points
from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CIVIL_CODE, CONTRACT_INTERPRETATION
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed

PENALTY_PERCENT: Final = 130
_WHOLE_PERCENT: Final = 100


def check_principal(facts: Mapping[str, Any]) -> Finding:
    """No more than was received; less is a concession."""
    stated, received = facts["principal_minor"], facts["principal_received_minor"]
    amounts = {"stated_minor": stated, "received_minor": received}
    return passed("as-received", **amounts) if stated <= received else failed("more-than-received", **amounts)


def check_guarantors(facts: Mapping[str, Any]) -> Finding:
    """All of them in writing."""
    lacking = facts["guarantors"] - facts["guarantors_consented"]
    return failed("consent-lacking", count=lacking) if lacking > 0 else passed("consented")


def check_penalty(facts: Mapping[str, Any]) -> Finding:
    """At most 1.3 times the loss: 超过 excludes the figure itself."""
    penalty, loss = facts["penalty_rate_ppm"], facts["loss_rate_ppm"]
    rates = {"penalty_bps": basis_points(penalty), "loss_bps": basis_points(loss)}
    too_much = penalty * _WHOLE_PERCENT > loss * PENALTY_PERCENT
    return failed("excessive", **rates) if too_much else passed("in-proportion", **rates)


CC_670: Final = Rule(
    id="CC-670",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第六百七十条", "Article 670"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("principal_minor", "principal_received_minor"),
    reasons=("as-received", "more-than-received"),
    check=check_principal,
)
# A warning: without the consent the agreement is valid, only the guarantor does not answer for what it adds.
CC_695: Final = Rule(
    id="CC-695",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第六百九十五条", "Article 695"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    facts=asks("guarantors", "burden_increased", "guarantors_consented"),
    only_if=Condition(
        facts=("guarantors", "burden_increased"),
        holds=lambda facts: facts["guarantors"] > 0 and facts["burden_increased"],
        otherwise="no-added-burden",
    ),
    reasons=("consented", "consent-lacking", "no-added-burden"),
    check=check_guarantors,
)
SPC_CONTRACT_65: Final = Rule(
    id="SPC-CONTRACT-65",
    authority=CONTRACT_INTERPRETATION.authority,
    citation=CONTRACT_INTERPRETATION.article("第六十五条", "Article 65"),
    effective_from=CONTRACT_INTERPRETATION.since,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    facts=asks("penalty_rate_ppm", "loss_rate_ppm"),
    reasons=("in-proportion", "excessive"),
    params=(
        Parameter(
            name="percent_of_loss",
            value=PENALTY_PERCENT,
            source="法释〔2023〕13号 Art. 65: more than 30 % above the loss",
            as_of=CONTRACT_INTERPRETATION.since,
        ),
    ),
    check=check_penalty,
)
