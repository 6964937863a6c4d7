"""Rules and verdicts in words and figures, in the one shape that the API and the command line share (camelCase)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from compliance.desk.selection import PROVISIONAL, gates_of
from compliance.rules.evaluate import blocks
from compliance.rules.results import Citation, Parameter, Verdict
from compliance.rules.rule import Rule
from models.texts.render import MissingTextError, render


def told_rule(rule: Rule, *, locale: str, on: date | None = None) -> dict[str, Any]:
    """One version of a rule. `inForce` says whether it holds on `on`; without a date it is left out."""
    told: dict[str, Any] = {
        "ruleId": rule.id,
        "title": _words(rule.title, locale),
        "authority": rule.authority.value,
        "citation": told_citation(rule.citation, locale=locale),
        "effectiveFrom": rule.effective_from.isoformat(),
        "effectiveTo": rule.effective_to.isoformat() if rule.effective_to is not None else None,
        "verified": rule.verified.value,
        "provisional": rule.verified in PROVISIONAL,
        "severity": rule.severity.value,
        "gates": [gate.value for gate in gates_of(rule.id)],
        "params": told_params(rule.params),
        "facts": {
            name: {"kind": kind.value, "meaning": _words(f"rule.fact.{name}", locale)}
            for name, kind in rule.facts.items()
        },
    }
    return told if on is None else {**told, "inForce": rule.holds_on(on)}


def told_verdict(verdict: Verdict, *, locale: str) -> dict[str, Any]:
    """What a rule answered about facts, and on what it rests."""
    reason = _words(verdict.reason_key, locale, verdict.text_params)
    if verdict.provisional:
        reason = f"{reason} {_words('rule.provisional', locale)}"
    return {
        "ruleId": verdict.rule_id,
        "title": _words(verdict.title, locale),
        "authority": verdict.authority.value,
        "citation": told_citation(verdict.citation, locale=locale),
        "effectiveFrom": verdict.effective_from.isoformat(),
        "effectiveTo": verdict.effective_to.isoformat() if verdict.effective_to is not None else None,
        "verified": verdict.verified.value,
        "provisional": verdict.provisional,
        "severity": verdict.severity.value,
        "inputsHash": verdict.inputs_hash,
        "result": verdict.result.value,
        "resultText": _words(f"rule.result.{verdict.result.value}", locale),
        "reason": verdict.reason,
        "reasonText": reason,
        "missing": [{"fact": name, "meaning": _words(f"rule.fact.{name}", locale)} for name in verdict.missing],
        "params": told_params(verdict.params),
        "blocks": blocks(result=verdict.result, severity=verdict.severity),
        "asOf": verdict.as_of.isoformat(),
        "evaluatedAt": verdict.evaluated_at.isoformat() if verdict.evaluated_at is not None else None,
    }


def told_citation(citation: Citation, *, locale: str) -> dict[str, Any]:
    """Law and article in the reader's language; `url` where an official text has one."""
    chinese = locale != "en"
    return {
        "law": citation.law_zh if chinese else citation.law_en,
        "article": citation.article_zh if chinese else citation.article_en,
        "url": citation.url,
    }


def told_params(params: tuple[Parameter, ...]) -> dict[str, Any]:
    """Figures that a rule compares with, by name: value, source, and since when it holds."""
    return {
        each.name: {
            "value": list(each.value) if isinstance(each.value, tuple) else each.value,
            "source": each.source,
            "asOf": each.as_of.isoformat(),
        }
        for each in params
    }


def _words(key: str, locale: str, params: Mapping[str, str | int] | None = None) -> str:
    try:
        return render(key, params or {}, locale)
    except MissingTextError:  # a text that lacks must not hide a verdict
        return key
