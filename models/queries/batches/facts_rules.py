"""What the version of the rule set that a run is bound to says of itself (规则集): sources, dates, approvers.

A version's body is a rule set as `models.domain.batches.rulesets` spells it, or holds its rules under `rules`, each a
document with `source`, `validFrom`, and where it has a threshold `operator`; `severity` and `onUnknown` where they are
not the usual ones (blocking for laws, and stopping).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from models.domain.batches.states import RuleSetState
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion
from models.tables.batch_runs import BatchRun


def rule_facts(session: Session, run: BatchRun, now: datetime) -> dict[str, object]:
    """Facts of the bound version; without one, that there is none."""
    del now
    version = version_of(session, run)
    if version is None:
        return {"rule_set_version": ""}
    rules = tuple(_rules(version.body))
    approved = version.state in (RuleSetState.APPROVED, RuleSetState.RETIRED)
    persons = {version.made_by_person, version.decided_by_person} - {None} if approved else {version.made_by_person}
    return {
        "rule_set_version": run.rule_version or "",
        "rule_set_approvers": len(persons),
        "rules_without_source": sum(not rule.get("source") for rule in rules),
        "rules_without_dates": sum(not rule.get("validFrom") for rule in rules),
        "thresholds_without_operator": sum("threshold" in rule and not rule.get("operator") for rule in rules),
        "standards_blocking_unasked": sum(
            rule.get("rank") == "standard" and rule.get("severity") == "BLOCK" and not rule.get("policy")
            for rule in rules
        ),
        "rules_passing_unknown": sum(rule.get("onUnknown") == "pass" for rule in rules),
        # The version is the one of the run's business date, whenever it is asked.
        "parameters_by_event_date": version.valid_from <= run.business_date
        and (version.valid_to is None or version.valid_to >= run.business_date),
    }


def version_of(session: Session, run: BatchRun) -> BatchRuleVersion | None:
    """The version that `rule_version` (`<set>/<number>`, by the set's name or id) names, of the run's tenant."""
    named, _, number = (run.rule_version or "").rpartition("/")
    if not named or not number.isdigit():
        return None
    return session.exec(
        select(BatchRuleVersion)
        .join(BatchRuleSet, col(BatchRuleSet.id) == col(BatchRuleVersion.rule_set))
        .where(
            col(BatchRuleVersion.tenant) == run.tenant,
            (col(BatchRuleSet.id) == named) | (col(BatchRuleSet.name) == named),
            col(BatchRuleVersion.number) == int(number),
        )
    ).one_or_none()


def _rules(body: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "repayment" not in body:
        found = body.get("rules", ())
        return [each for each in (found.values() if isinstance(found, Mapping) else found) if isinstance(each, Mapping)]
    # As `models.domain.batches.rulesets` spells it: dates are the version's, and conditions name their operator each.
    rates, retry = body.get("rates") or {}, body.get("retry")
    rules = [*body["repayment"], *rates.get("tiers", ()), *rates.get("caps", ()), *([retry] if retry else ())]
    return [
        {"source": each.get("source"), "validFrom": each.get("validFrom") or body.get("validFrom")} for each in rules
    ]
