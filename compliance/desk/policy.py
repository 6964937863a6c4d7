"""A bank's policy on the rules (规则政策): its figures and switches in one version, and what they do to verdicts.

Strict as delivered: a tenant without a policy has every rule as the registry has it. A policy can make a rule stricter.
It can make one looser only where the rule rests on a recommended standard or on self-regulation, or where the text in
force was not seen; never a blocking rule of law that was verified. Whether a rule is protected is asked again each time
a verdict is made: a rule that is verified later stops again by itself, whatever an older policy says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Self

from compliance.desk.parameters import HIGHEST, PARAMETERS, BankParameter, Bound, Unit
from compliance.rules.evaluate import blocks, evaluate_gate, evaluate_standing
from compliance.rules.registry import REGISTRY, rule_on, versions_of
from compliance.rules.results import POLICY, POLICY_AMOUNT, Authority, Parameter, Result, Severity, Verdict, Verified
from compliance.rules.rule import Rule
from models.domain.pointers import pointer_of
from models.domain.states import Gate
from models.errors import FieldFault, FormInvalid

_SOFT: Final = frozenset({Authority.STANDARD, Authority.SELF_REGULATION})
_UNSEEN: Final = frozenset({Verified.DRAFT, Verified.MEMORY})


class Group(StrEnum):
    """Kinds of rules that a switch may set together."""

    PROVISIONAL = "provisional"  # the text in force was not seen
    STANDARDS = "standards"  # 推荐性标准
    SELF_REGULATION = "self-regulation"  # 自律规范


@dataclass(frozen=True, kw_only=True, slots=True)
class BankPolicy:
    """One version of what a bank has settled about the rules.

    Attributes:
        version: named by who drafted it; stands in the verdicts that it touched.
        since: first day on which it holds.
        parameters: figures by name (`compliance.desk.parameters`).
        switches: severity by rule id.
        groups: severity by kind of rules, where `switches` does not name the rule.
    """

    version: str = ""
    since: date = date.min
    parameters: Mapping[str, int] = field(default_factory=dict)
    switches: Mapping[str, Severity] = field(default_factory=dict)
    groups: Mapping[Group, Severity] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """As it is kept; version and date stand beside it."""
        return {
            "parameters": dict(sorted(self.parameters.items())),
            "switches": {name: value.value for name, value in sorted(self.switches.items())},
            "groups": {name.value: value.value for name, value in sorted(self.groups.items())},
        }

    @classmethod
    def from_record(cls, kept: Mapping[str, Any], *, version: str, since: date) -> Self:
        """What was kept. What the product does not know any more is left out: it can touch no verdict."""
        return cls(
            version=version,
            since=since,
            parameters={name: value for name, value in kept["parameters"].items() if name in PARAMETERS},
            switches={name: Severity(value) for name, value in kept["switches"].items()},
            groups={Group(name): Severity(value) for name, value in kept["groups"].items()},
        )

    def figure(self, name: str, otherwise: int) -> int:
        """The bank's figure, or the product's, whichever is stricter."""
        value = self.parameters.get(name)
        if value is None:
            return otherwise
        return min(value, otherwise) if PARAMETERS[name].bound is Bound.AT_MOST else max(value, otherwise)

    def severity_of(self, rule: Rule) -> Severity:
        """How a rule counts under this policy."""
        wanted = self.switches.get(rule.id) or next(
            (self.groups[group] for group in Group if group in self.groups and _belongs(rule, group)), rule.severity
        )
        return rule.severity if wanted is Severity.WARN and is_protected(rule) else wanted


AS_DELIVERED: Final = BankPolicy()
"""No figure, no switch."""


def is_protected(rule: Rule) -> bool:
    """Whether no switch may make a rule looser: it blocks, it is law, and the text was seen."""
    return rule.severity is Severity.BLOCK and rule.authority not in _SOFT and rule.verified not in _UNSEEN


def evaluate_under(
    policy: BankPolicy,
    gate: Gate,
    facts: Mapping[str, object],
    *,
    as_of: date,
    evaluated_at: datetime | None = None,
) -> tuple[Verdict, ...]:
    """What the rules of a gate say, and the bank's policy after them.

    Args:
        policy: the version in force on the date of the legal fact.
        gate: which rules are asked.
        facts: as `evaluate_gate` takes them.
        as_of: date of the legal fact.
        evaluated_at: kept on the verdicts.

    Raises:
        TypeError: a fact has another type than the rule expects.
        ValueError: a figure is negative.
    """
    verdicts = evaluate_gate(gate, facts, as_of=as_of, evaluated_at=evaluated_at)
    if policy is AS_DELIVERED:
        return verdicts
    return tuple(_under(policy, verdict, facts) for verdict in verdicts)


def blocking_under(
    policy: BankPolicy,
    gate: Gate,
    facts: Mapping[str, object],
    *,
    as_of: date,
    evaluated_at: datetime | None = None,
) -> tuple[Verdict, ...]:
    """Of `evaluate_under`'s verdicts those that block, in their order; under the product's own rules at less cost.

    Raises:
        TypeError: a fact has another type than the rule expects.
        ValueError: a figure is negative.
    """
    if policy is AS_DELIVERED:
        verdicts = evaluate_standing(gate, facts, as_of=as_of, evaluated_at=evaluated_at)
    else:  # a bank's figure can turn what passes
        verdicts = evaluate_under(policy, gate, facts, as_of=as_of, evaluated_at=evaluated_at)
    return tuple(one for one in verdicts if blocks(result=one.result, severity=one.severity))


def read_policy(told: Mapping[str, Any], *, version: str, since: date) -> BankPolicy:
    """A policy as somebody wrote it, checked against the rules in force on its first day.

    Args:
        told: `parameters`, `switches` and `groups`, each of them may be left out.
        version: its name.
        since: its first day.

    Raises:
        FormInvalid: for each figure that is looser than the law, each switch that would turn a verified blocking rule
            of law into a warning, and whatever is unknown; each fault names the rule and the limit.
    """
    faults = [
        FieldFault(pointer=pointer_of([name]), code="unknown-field")
        for name in told.keys() - {"parameters", "switches", "groups"}
    ]
    sections = {}
    for name in ("parameters", "switches", "groups"):
        section = told.get(name, {})
        if not isinstance(section, Mapping):
            faults.append(FieldFault(pointer=f"/{name}", code="wrong-type", params={"expected": "object"}))
            section = {}
        sections[name] = section
    faults += [fault for name, value in sections["parameters"].items() if (fault := _figure_fault(name, value, since))]
    faults += _crossed(sections["parameters"])
    faults += [fault for name, value in sections["switches"].items() if (fault := _switch_fault(name, value, since))]
    faults += [fault for name, value in sections["groups"].items() if (fault := _group_fault(name, value))]
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return BankPolicy.from_record(sections, version=version, since=since)


def _under(policy: BankPolicy, verdict: Verdict, facts: Mapping[str, object]) -> Verdict:
    rule = rule_on(verdict.rule_id, as_of=verdict.as_of)
    if rule is None:
        return verdict
    changed = _tightened(policy, verdict, rule, facts)
    severity = policy.severity_of(rule)
    if severity is not verdict.severity:
        told = _param(policy, "severity", f"{verdict.severity}→{severity}")
        changed = replace(changed, severity=severity, params=_with(changed.params, told))
    return changed


def _tightened(policy: BankPolicy, verdict: Verdict, rule: Rule, facts: Mapping[str, object]) -> Verdict:
    for name, value in policy.parameters.items():
        parameter = PARAMETERS[name]
        if rule.id not in parameter.rules or parameter.loosens(value, on=verdict.as_of):
            continue  # a limit that the law has moved since: the law's own figure stands in the rule
        told = _param(policy, _shown_as(parameter, rule), value)
        verdict = replace(verdict, params=_with(verdict.params, told))
        if verdict.result is not Result.PASS or any(facts.get(each) is None for each in parameter.facts):
            continue
        if not parameter.keeps(facts, value, policy.since):
            verdict = replace(
                verdict,
                result=Result.FAIL,
                reason=POLICY_AMOUNT if parameter.unit is Unit.MINOR else POLICY,
                text_params={"parameter": name, "value": value, "bound": parameter.bound, "version": policy.version},
            )
    return verdict


def _shown_as(parameter: BankParameter, rule: Rule) -> str:
    """The rule's own name for the figure, where it shows one: the bank's takes its place."""
    own = parameter.limit_of[1] if parameter.limit_of is not None else parameter.name
    return own if own in {each.name for each in rule.params} else parameter.name


def _param(policy: BankPolicy, name: str, value: int | str) -> Parameter:
    return Parameter(name=name, value=value, source=f"bank policy {policy.version}", as_of=policy.since)


def _with(params: tuple[Parameter, ...], told: Parameter) -> tuple[Parameter, ...]:
    return (*(each for each in params if each.name != told.name), told)


def _belongs(rule: Rule, group: Group) -> bool:
    if group is Group.PROVISIONAL:
        return rule.verified in _UNSEEN
    return rule.authority is (Authority.STANDARD if group is Group.STANDARDS else Authority.SELF_REGULATION)


def _figure_fault(name: str, value: Any, since: date) -> FieldFault | None:
    pointer = pointer_of(["parameters", name])
    parameter = PARAMETERS.get(name)
    if parameter is None:
        return FieldFault(pointer=pointer, code="not-one-of", params={"allowed": ", ".join(PARAMETERS)})
    if not isinstance(value, int) or isinstance(value, bool):
        return FieldFault(pointer=pointer, code="wrong-type", params={"expected": "integer"})
    if not 1 <= value <= HIGHEST[parameter.unit]:
        code = "too-small" if value < 1 else "too-large"
        return FieldFault(pointer=pointer, code=code, params={"limit": 1 if value < 1 else HIGHEST[parameter.unit]})
    if parameter.loosens(value, on=since):
        params: dict[str, str | int] = {
            "rule": ", ".join(parameter.rules),
            "limit": parameter.legal_limit(since) or 0,
            "source": parameter.source,
        }
        return FieldFault(pointer=pointer, code=f"policy-looser-{parameter.bound}", params=params)
    return None


def _crossed(figures: Mapping[str, Any]) -> list[FieldFault]:
    """A least above a most would forbid everything."""
    faults = []
    for least, most in (("min_amount_minor", "max_amount_minor"), ("first_contact_hour", "last_contact_hour")):
        low, high = figures.get(least), figures.get(most)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            faults.append(
                FieldFault(pointer=pointer_of(["parameters", least]), code="too-large", params={"limit": high})
            )
    return faults


def _switch_fault(rule_id: str, value: Any, since: date) -> FieldFault | None:
    pointer = f"/switches/{rule_id}" if _known(rule_id) else pointer_of(["switches", rule_id])
    if not _known(rule_id):
        return FieldFault(pointer=pointer, code="policy-rule-unknown")
    if not _is_severity(value):
        return FieldFault(pointer=pointer, code="not-one-of", params={"allowed": ", ".join(Severity)})
    rule = rule_on(rule_id, as_of=since) or versions_of(rule_id)[-1]
    if value == Severity.WARN and is_protected(rule):
        law = f"{rule.citation.law_en}, {rule.citation.article_en}"
        return FieldFault(pointer=pointer, code="policy-switch-protected", params={"rule": rule_id, "law": law})
    return None


def _group_fault(name: str, value: Any) -> FieldFault | None:
    pointer = f"/groups/{name}" if name in set(Group) else pointer_of(["groups", name])
    allowed = Group if name not in set(Group) else Severity
    if name not in set(Group) or not _is_severity(value):
        return FieldFault(pointer=pointer, code="not-one-of", params={"allowed": ", ".join(allowed)})
    return None


def _is_severity(value: Any) -> bool:
    return isinstance(value, str) and value in set(Severity)


def _known(rule_id: str) -> bool:
    return any(rule.id == rule_id for rule in REGISTRY)
