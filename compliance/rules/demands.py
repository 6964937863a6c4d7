"""Rules written as a list of demands: the first that is not met is the finding, and its code the reason.

Limits include their figure (以上、以下、以内 include it; 民法典 Art. 1259), unless the demand says `earlier`.
A word that nobody knows meets no demand and is no exemption: conditions name the words to which a rule does not apply.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from compliance.rules.fact_table import asks
from compliance.rules.periods import years_after
from compliance.rules.results import Citation, Parameter, Severity, Verified
from compliance.rules.rule import Check, Condition, Finding, Rule, failed, lacking, passed
from compliance.rules.source import Source

TextParams = dict[str, str | int]
Facts = Mapping[str, Any]
_MET: Final = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """One thing that has to be so.

    Attributes:
        facts: the facts it looks at.
        lacks: None if it is met, else what the text of the reason needs.
        otherwise: code of the reason if it is not met.
    """

    facts: tuple[str, ...]
    lacks: Callable[[Facts], TextParams | None]
    otherwise: str


def rule(
    rule_id: str,
    citation: Citation,
    *,
    source: Source,
    verified: Verified,
    severity: Severity,
    kept: str,
    demands: tuple[Demand, ...],
    when: Condition | None = None,
    params: Mapping[str, tuple[int | str | tuple[str, ...], str]] | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Rule:
    """A rule that is kept, for the reason `kept`, if all demands are met.

    `params` are figures and sets by name, each with its source; they hold from the first day of the rule. `since` is
    that day, if it is not the first of the source; `until` is the last, if there is one.

    Raises:
        KeyError: a demand asks for a fact that no area lists.
    """
    first = source.since if since is None else since
    names = dict.fromkeys([*(when.facts if when else ()), *(name for each in demands for name in each.facts)])
    reasons = dict.fromkeys([kept, *(each.otherwise for each in demands), *([when.otherwise] if when else [])])
    return Rule(
        id=rule_id,
        authority=source.authority,
        citation=citation,
        effective_from=first,
        effective_to=until,
        verified=verified,
        severity=severity,
        facts=asks(*names),
        only_if=when,
        reasons=tuple(reasons),
        params=tuple(
            Parameter(name=name, value=value, source=origin, as_of=first)
            for name, (value, origin) in (params or {}).items()
        ),
        check=_first_unmet(demands, kept),
    )


def _first_unmet(demands: tuple[Demand, ...], kept: str) -> Check:
    def check(facts: Facts) -> Finding:
        for each in demands:
            lack = each.lacks(facts)
            if lack is not None:
                return failed(each.otherwise, **lack)
        return passed(kept)

    return check


# Demands --------------------------------------------------------------------------------------------------------------


def demand(*facts: str, holds: Callable[[Facts], bool], otherwise: str) -> Demand:
    """Something that no other demand says."""
    return Demand(facts=facts, lacks=lambda seen: _MET if holds(seen) else {}, otherwise=otherwise)


def yes(fact: str, *, otherwise: str) -> Demand:
    """The fact is so."""
    return demand(fact, holds=lambda seen: bool(seen[fact]), otherwise=otherwise)


def no(fact: str, *, otherwise: str) -> Demand:
    """The fact is not so."""
    return demand(fact, holds=lambda seen: not seen[fact], otherwise=otherwise)


def named(fact: str, *, otherwise: str) -> Demand:
    """The word is not empty."""
    return yes(fact, otherwise=otherwise)


def none_of(fact: str, *, otherwise: str) -> Demand:
    """The count is nought. Text: `count`."""
    return Demand(
        facts=(fact,), lacks=lambda seen: _MET if seen[fact] == 0 else {"count": seen[fact]}, otherwise=otherwise
    )


def all_of(fact: str, *, of: str, otherwise: str) -> Demand:
    """The first count reaches the second. Text: `count`, how many lack."""
    return Demand(
        facts=(fact, of),
        lacks=lambda seen: _MET if seen[fact] >= seen[of] else {"count": seen[of] - seen[fact]},
        otherwise=otherwise,
    )


def at_least(fact: str, figure: int, *, otherwise: str) -> Demand:
    """The figure or more. Text: `found`, `limit`."""
    return Demand(
        facts=(fact,),
        lacks=lambda seen: _MET if seen[fact] >= figure else {"found": seen[fact], "limit": figure},
        otherwise=otherwise,
    )


def at_most(fact: str, figure: int, *, otherwise: str) -> Demand:
    """The figure or less. Text: `found`, `limit`."""
    return Demand(
        facts=(fact,),
        lacks=lambda seen: _MET if seen[fact] <= figure else {"found": seen[fact], "limit": figure},
        otherwise=otherwise,
    )


def no_more_than(fact: str, other: str, *, otherwise: str) -> Demand:
    """The first figure is not above the second. Text: `found`, `limit`."""
    return Demand(
        facts=(fact, other),
        lacks=lambda seen: _MET if seen[fact] <= seen[other] else {"found": seen[fact], "limit": seen[other]},
        otherwise=otherwise,
    )


def equal(fact: str, other: str, *, otherwise: str) -> Demand:
    """Both facts are the same."""
    return demand(fact, other, holds=lambda seen: bool(seen[fact] == seen[other]), otherwise=otherwise)


def among(fact: str, words: tuple[str, ...], *, otherwise: str) -> Demand:
    """The word is one of these."""
    return demand(fact, holds=lambda seen: seen[fact] in words, otherwise=otherwise)


def holds_all(fact: str, words: tuple[str, ...], *, otherwise: str) -> Demand:
    """Nothing of the list lacks. Text: `count`, `items`."""
    return Demand(facts=(fact,), lacks=lambda seen: _several(lacking(words, seen[fact])), otherwise=otherwise)


def covers(fact: str, needed: str, *, otherwise: str) -> Demand:
    """Whatever the second fact lists is in the first. Text: `count`, `items`."""
    return Demand(
        facts=(fact, needed), lacks=lambda seen: _several(lacking(seen[needed], seen[fact])), otherwise=otherwise
    )


def only(fact: str, words: tuple[str, ...], *, otherwise: str) -> Demand:
    """Nothing stands outside the list. Text: `count`, `items`."""
    return Demand(facts=(fact,), lacks=lambda seen: _several(lacking(seen[fact], words)), otherwise=otherwise)


def holds_none(fact: str, words: tuple[str, ...], *, otherwise: str) -> Demand:
    """Nothing of the list is there. Text: `count`, `items`."""
    return Demand(
        facts=(fact,),
        lacks=lambda seen: _several(tuple(each for each in words if each in seen[fact])),
        otherwise=otherwise,
    )


def earlier(fact: str, than: str, *, otherwise: str) -> Demand:
    """Strictly before."""
    return demand(fact, than, holds=lambda seen: bool(seen[fact] < seen[than]), otherwise=otherwise)


def not_later(fact: str, than: str, *, otherwise: str) -> Demand:
    """Before, or at the same moment or day."""
    return demand(fact, than, holds=lambda seen: bool(seen[fact] <= seen[than]), otherwise=otherwise)


def within_days(fact: str, *, since: str, days: int, otherwise: str) -> Demand:
    """At most so many days after; the last day belongs to it. Text: `found` days, `limit`."""

    def lacks(seen: Facts) -> TextParams | None:
        taken = (seen[fact] - seen[since]).days
        return _MET if taken <= days else {"found": taken, "limit": days}

    return Demand(facts=(fact, since), lacks=lacks, otherwise=otherwise)


def within_minutes(fact: str, *, since: str, minutes: int, otherwise: str) -> Demand:
    """At most so many minutes after, to the second. Text: `limit`."""

    def lacks(seen: Facts) -> TextParams | None:
        taken: timedelta = seen[fact] - seen[since]
        return _MET if taken <= timedelta(minutes=minutes) else {"limit": minutes}

    return Demand(facts=(fact, since), lacks=lacks, otherwise=otherwise)


def within_years(fact: str, *, since: str, years: int, otherwise: str) -> Demand:
    """Not after the corresponding day so many years later. Text: `latest`."""

    def lacks(seen: Facts) -> TextParams | None:
        latest = years_after(seen[since], years)
        return _MET if seen[fact] <= latest else {"latest": latest.isoformat()}

    return Demand(facts=(fact, since), lacks=lacks, otherwise=otherwise)


def kept_years(until: str, *, since: str, years: int, otherwise: str) -> Demand:
    """Kept to the corresponding day so many years later, or longer. Text: `until`, `least`."""

    def lacks(seen: Facts) -> TextParams | None:
        least = years_after(seen[since], years)
        return _MET if seen[until] >= least else {"until": seen[until].isoformat(), "least": least.isoformat()}

    return Demand(facts=(until, since), lacks=lacks, otherwise=otherwise)


def days_left(fact: str, *, since: str, years: int, warn: int, otherwise: str) -> Demand:
    """On this day more than so many days are left of the years. Text: `found` days left, `limit`."""

    def lacks(seen: Facts) -> TextParams | None:
        left = (years_after(seen[since], years) - seen[fact]).days
        return _MET if left > warn else {"found": left, "limit": warn}

    return Demand(facts=(fact, since), lacks=lacks, otherwise=otherwise)


# Conditions -----------------------------------------------------------------------------------------------------------


def where(*facts: str, holds: Callable[[Facts], bool], otherwise: str) -> Condition:
    """The rule applies where this holds of several facts."""
    return Condition(facts=facts, holds=holds, otherwise=otherwise)


def if_yes(fact: str, *, otherwise: str) -> Condition:
    """The rule applies if the fact is so."""
    return Condition(facts=(fact,), holds=lambda seen: bool(seen[fact]), otherwise=otherwise)


def if_no(fact: str, *, otherwise: str) -> Condition:
    """The rule applies if the fact is not so."""
    return Condition(facts=(fact,), holds=lambda seen: not seen[fact], otherwise=otherwise)


def if_any(fact: str, *, otherwise: str) -> Condition:
    """The rule applies if there is at least one."""
    return Condition(facts=(fact,), holds=lambda seen: bool(seen[fact]), otherwise=otherwise)


def if_at_least(fact: str, figure: int, *, otherwise: str) -> Condition:
    """The rule applies from the figure on (以上)."""
    return Condition(facts=(fact,), holds=lambda seen: bool(seen[fact] >= figure), otherwise=otherwise)


def if_more_than(fact: str, figure: int, *, otherwise: str) -> Condition:
    """The rule applies above the figure (超过)."""
    return Condition(facts=(fact,), holds=lambda seen: bool(seen[fact] > figure), otherwise=otherwise)


def unless_among(fact: str, words: tuple[str, ...], *, otherwise: str) -> Condition:
    """The rule applies to every word but these."""
    return Condition(facts=(fact,), holds=lambda seen: seen[fact] not in words, otherwise=otherwise)


def if_holds_any(fact: str, words: tuple[str, ...], *, otherwise: str) -> Condition:
    """The rule applies if one of the words is in the list."""
    return Condition(facts=(fact,), holds=lambda seen: not frozenset(words).isdisjoint(seen[fact]), otherwise=otherwise)


def _several(items: tuple[str, ...]) -> TextParams | None:
    return {"count": len(items), "items": ",".join(items)} if items else _MET
