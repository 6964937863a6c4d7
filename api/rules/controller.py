"""The rules of the house (合规规则): what they are, and what they would say."""

from datetime import date
from typing import Annotated

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.deps import Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.rules.bodies import (
    RuleAnswer,
    RuleEvaluationAnswer,
    RuleEvaluationBody,
    RuleListAnswer,
    RuleVersionsAnswer,
)
from compliance.desk.evaluation import evaluated
from compliance.desk.selection import Wanted, gate_named, rules_wanted
from compliance.desk.telling import told_rule
from compliance.policy import policy_on
from compliance.rules.evaluate import RULE_SET_VERSION
from compliance.rules.registry import versions_of
from compliance.rules.results import Severity
from models.domain.roles import Permission
from models.errors import NotFound


class RuleController(Controller):
    """The registry, read only: rules are changed with the product, by a new version beside the old one."""

    path = "/v1/rules"
    tags = ("Rules",)

    @get("/", guards=[requires(Permission.RULES_READ)], sync_to_thread=True, operation_id="ListRules")
    def list_rules(
        self,
        locale: Locale,
        *,
        gate: Annotated[str | None, QueryParameter(name="gate", max_length=60)] = None,
        area: Annotated[str | None, QueryParameter(name="area", max_length=24)] = None,
        law: Annotated[str | None, QueryParameter(name="law", max_length=60)] = None,
        severity: Annotated[Severity | None, QueryParameter(name="severity")] = None,
        provisional: Annotated[bool | None, QueryParameter(name="provisional")] = None,
        on: Annotated[date | None, QueryParameter(name="on")] = None,
    ) -> RuleListAnswer:
        """Rules by gate, area, law, severity, whether they are provisional, and date; all of them without a filter."""
        wanted = Wanted(
            gate=gate_named(gate) if gate is not None else None,
            area=area,
            law=law,
            severity=severity,
            provisional=provisional,
            on=on,
        )
        found = [RuleAnswer.model_validate(told_rule(rule, locale=locale, on=on)) for rule in rules_wanted(wanted)]
        return RuleListAnswer(rule_set_version=RULE_SET_VERSION, items=found)

    @get("/{rule_id:str}", guards=[requires(Permission.RULES_READ)], sync_to_thread=True, operation_id="GetRule")
    def get_rule(self, rule_id: FromPath[str], locale: Locale) -> RuleVersionsAnswer:
        """One rule in every version, oldest first."""
        try:
            versions = versions_of(rule_id)
        except LookupError:
            raise NotFound from None
        told = [RuleAnswer.model_validate(told_rule(version, locale=locale)) for version in versions]
        return RuleVersionsAnswer(rule_id=rule_id, versions=told)

    @post(
        "/evaluations",
        guards=[requires(Permission.RULES_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="EvaluateRules",
    )
    def evaluate(
        self, data: JSONBody[RuleEvaluationBody], deps: Deps, principal: Caller, locale: Locale
    ) -> RuleEvaluationAnswer:
        """Ask a gate about facts, under the bank's policy of the date; a dry run, nothing is kept."""
        with deps.database.read() as session:
            policy = policy_on(session, principal.tenant, on=data.as_of)
        told = evaluated(gate_named(data.gate), data.facts, as_of=data.as_of, policy=policy, locale=locale)
        return RuleEvaluationAnswer.model_validate(told)
