"""Shapes of the rules (合规规则) and of a dry run; made by `compliance.desk.telling`, as the command line has them."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from api.bodies import Answer, Body


class RuleCitationAnswer(Answer):
    """Law and article in the reader's language."""

    law: str
    article: str
    url: str | None


class RuleParamAnswer(Answer):
    """A figure or set that a rule compares with: its source, and since when it holds."""

    value: int | str | list[str]
    source: str
    as_of: date


class RuleFactAnswer(Answer):
    """A fact that a rule asks for."""

    kind: str
    meaning: str


class RuleAnswer(Answer):
    """One version of a rule. `inForce` is null where no date was asked about."""

    rule_id: str
    title: str
    authority: str
    citation: RuleCitationAnswer
    effective_from: date
    effective_to: date | None
    verified: str
    provisional: bool
    severity: str
    gates: list[str]
    params: dict[str, RuleParamAnswer]
    facts: dict[str, RuleFactAnswer]
    in_force: bool | None = None


class RuleListAnswer(Answer):
    """Rules in the order of the registry, and the version of the whole set."""

    rule_set_version: str
    items: list[RuleAnswer]


class RuleVersionsAnswer(Answer):
    """One rule in all its versions, oldest first."""

    rule_id: str
    versions: list[RuleAnswer]


class MissingFactAnswer(Answer):
    """A fact that was not there."""

    fact: str
    meaning: str


class RuleVerdictAnswer(Answer):
    """What a rule answered about facts, and on what it rests."""

    rule_id: str
    title: str
    authority: str
    citation: RuleCitationAnswer
    effective_from: date
    effective_to: date | None
    verified: str
    provisional: bool
    severity: str
    inputs_hash: str
    result: str
    result_text: str
    reason: str
    reason_text: str
    missing: list[MissingFactAnswer]
    params: dict[str, RuleParamAnswer]
    blocks: bool
    as_of: date
    evaluated_at: str | None


class RuleEvaluationBody(Body):
    """A gate and facts about one thing that might be asked of it. Facts are codes, figures and dates, never people."""

    gate: Annotated[str, Field(min_length=1, max_length=60)]
    as_of: date
    facts: Annotated[dict[str, Any], Field(max_length=200)]


class RuleEvaluationAnswer(Answer):
    """A dry run: nothing is kept. `policyVersion` is the bank's policy on the date; empty as delivered."""

    gate: str
    as_of: date
    rule_set_version: str
    policy_version: str
    blocks: bool
    verdicts: list[RuleVerdictAnswer]
