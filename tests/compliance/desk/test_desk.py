"""The rules as an officer sees them: all of them, by any filter; facts read exactly; a bank only ever stricter."""

from datetime import date, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.desk.evaluation import evaluated
from compliance.desk.fact_forms import facts_form, facts_from_json
from compliance.desk.parameters import PARAMETERS, Bound
from compliance.desk.policy import AS_DELIVERED, BankPolicy, Group, evaluate_under, is_protected, read_policy
from compliance.desk.selection import PROVISIONAL, Wanted, gate_named, rules_wanted
from compliance.desk.telling import told_rule
from compliance.rules.evaluate import blocks, evaluate_gate, evaluate_rule
from compliance.rules.facts import facts_needed, spelled_fact
from compliance.rules.gates import GATES
from compliance.rules.registry import REGISTRY, rule_on, versions_of
from compliance.rules.results import Result, Severity
from models.domain.states import Gate
from models.errors import FormInvalid
from models.texts.render import LOCALES, has_text, render
from tests.compliance.rules.world import APPLYING, WORLD

TODAY = date(2026, 11, 21)
SINCE = date(2026, 11, 1)


def facts_of(gate: Gate, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**WORLD, **changes}.items() if name in facts_needed(gate)}


def as_json(gate: Gate, **changes: Any) -> dict[str, Any]:
    return {name: spelled_fact(value) for name, value in facts_of(gate, **changes).items()}


def faults(caught: pytest.ExceptionInfo[FormInvalid]) -> dict[str, str]:
    return {fault.pointer: render(f"field.{fault.code}", fault.params, "en") for fault in caught.value.faults}


# The list -------------------------------------------------------------------------------------------------------------


def test_without_a_filter_every_version_of_every_rule_is_listed_once() -> None:
    found = rules_wanted(Wanted())
    assert sorted((rule.id, rule.effective_from) for rule in found) == sorted(
        (rule.id, rule.effective_from) for rule in REGISTRY
    )


def test_each_filter_leaves_what_it_says_and_nothing_else() -> None:
    for gate in Gate:
        assert {rule.id for rule in rules_wanted(Wanted(gate=gate))} == set(GATES[gate])
    for severity in Severity:
        listed = rules_wanted(Wanted(severity=severity))
        assert {rule.id for rule in listed} == {rule.id for rule in REGISTRY if rule.severity is severity}
    assert {rule.id for rule in rules_wanted(Wanted(provisional=True))} == {
        rule.id for rule in REGISTRY if rule.verified in PROVISIONAL
    }
    assert {rule.effective_from for rule in rules_wanted(Wanted(law="AML-34c", on=date(2024, 12, 31)))} == {
        date(2007, 1, 1)
    }
    by_name = {rule.id for rule in rules_wanted(Wanted(law="民法典"))}
    assert "CC-543" in by_name
    assert "CCM-70b" not in by_name
    assert rules_wanted(Wanted(area="no-such-area")) == ()


def test_a_gate_is_known_by_its_short_name_and_an_unknown_one_is_refused_with_the_choices() -> None:
    assert gate_named("negotiation") is gate_named("installments.negotiation") is Gate.NEGOTIATION
    with pytest.raises(FormInvalid) as caught:
        gate_named("negotiations")
    assert "installments.negotiation" in faults(caught)["/gate"]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_rule_is_told_in_the_readers_language_with_law_sources_and_facts(locale: str) -> None:
    told = told_rule(versions_of("CCM-70b")[0], locale=locale, on=TODAY)
    assert told["citation"]["article"] == ("第七十条" if locale == "zh-CN" else "Article 70")
    assert told["params"]["max_term_months"]["value"] == 60
    assert told["facts"]["term_months"]["kind"] == "count"
    assert told["facts"]["term_months"]["meaning"] != "rule.fact.term_months"
    assert told["inForce"] is True


# Facts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", Gate)
def test_facts_written_as_json_are_the_facts_that_rules_see(gate: Gate) -> None:
    known = {name: value for name, value in facts_of(gate).items() if value is not None}
    assert facts_from_json(gate, as_json(gate)) == {
        name: tuple(sorted(set(value))) if isinstance(value, tuple) else value for name, value in known.items()
    }


@pytest.mark.parametrize("gate", Gate)
def test_the_form_names_every_fact_of_a_gate_and_who_asks(gate: Gate) -> None:
    form = facts_form(gate)
    assert set(form) == set(facts_needed(gate))
    assert {rule for each in form.values() for rule in each["rules"]} == set(GATES[gate])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("term_months", "36"),
        ("term_months", True),
        ("term_months", -1),
        ("term_months", 36.0),
        ("last_due_on", "2026-02-30"),
        ("last_due_on", 20261121),
        ("pia_approved_at", "2026-11-21T10:00:00"),  # no offset
        ("loan_charges", "interest"),
        ("loan_charges", [1]),
        ("principal_stated", "yes"),
    ],
)
def test_a_fact_of_another_kind_is_refused_with_field_rules_and_fix(name: str, value: Any) -> None:
    with pytest.raises(FormInvalid) as caught:
        facts_from_json(Gate.NEGOTIATION, {**as_json(Gate.NEGOTIATION), name: value})
    (text,) = faults(caught).values()
    assert f"/{name}" in faults(caught)
    asking = [rule for rule in GATES[Gate.NEGOTIATION] if name in versions_of(rule)[0].facts]
    assert all(rule in text for rule in asking)
    assert "write" in text


def test_a_fact_that_nobody_asks_for_is_refused_and_null_is_unknown() -> None:
    with pytest.raises(FormInvalid) as caught:
        facts_from_json(Gate.NEGOTIATION, {"term_month": 36})
    assert "/term_month" in faults(caught)
    assert facts_from_json(Gate.NEGOTIATION, {"term_months": None}) == {"term_months": None}


def test_a_dry_run_says_what_stored_verdicts_say_with_law_and_reason() -> None:
    told = evaluated(
        Gate.NEGOTIATION, as_json(Gate.NEGOTIATION, term_months=61), as_of=TODAY, policy=AS_DELIVERED, locale="en"
    )
    against = {each["ruleId"]: each for each in told["verdicts"] if each["blocks"]}
    assert set(against) == {"CCM-70b", "CCN22-TERM"}
    assert told["blocks"] is True
    assert "61" in against["CCM-70b"]["reasonText"]
    assert against["CCM-70b"]["citation"]["article"] == "Article 70"
    verdict = evaluate_rule("CCM-70b", facts_of(Gate.NEGOTIATION, term_months=61), as_of=TODAY)
    assert against["CCM-70b"]["inputsHash"] == verdict.inputs_hash


# Policies -------------------------------------------------------------------------------------------------------------


def policy(**told: Any) -> BankPolicy:
    return read_policy(told, version="policy/1", since=SINCE)


def results(gate: Gate, under: BankPolicy, **changes: Any) -> dict[str, tuple[str, str]]:
    verdicts = evaluate_under(under, gate, facts_of(gate, **changes), as_of=TODAY)
    return {each.rule_id: (each.result.value, each.reason) for each in verdicts}


def test_a_stricter_figure_fails_what_the_law_allows_and_nothing_else() -> None:
    under = policy(parameters={"max_term_months": 24})
    before, after = results(Gate.NEGOTIATION, AS_DELIVERED), results(Gate.NEGOTIATION, under)
    assert {rule for rule in before if before[rule] != after[rule]} == {"CCM-70b", "CCN22-TERM"}
    assert after["CCM-70b"] == ("FAIL", "stricter-policy")
    assert results(Gate.NEGOTIATION, under, term_months=24)["CCM-70b"][0] == "PASS"  # both ends belong to it


def test_a_verdict_names_the_banks_figure_its_version_and_its_date() -> None:
    (verdict,) = [
        each
        for each in evaluate_under(
            policy(parameters={"max_term_months": 24}), Gate.NEGOTIATION, facts_of(Gate.NEGOTIATION), as_of=TODAY
        )
        if each.rule_id == "CCM-70b"
    ]
    kept = verdict.stored_params()
    assert kept["max_term_months"] == {"value": 24, "source": "bank policy policy/1", "as_of": "2026-11-01"}
    for locale in LOCALES:
        assert "24" in render(verdict.reason_key, verdict.text_params, locale)
        assert "…" not in render(verdict.reason_key, verdict.text_params, locale)


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_figure_can_be_looser_than_the_law_and_the_refusal_names_rule_and_limit(name: str) -> None:
    parameter = PARAMETERS[name]
    limit = parameter.legal_limit(SINCE)
    if limit is None:
        return
    step = 1 if parameter.bound is Bound.AT_MOST else -1
    policy(parameters={name: limit})  # the limit itself is allowed
    if limit + step < 1:
        return
    with pytest.raises(FormInvalid) as caught:
        policy(parameters={name: limit + step})
    (text,) = faults(caught).values()
    assert parameter.rules[0] in text or "23" in text  # no hour lies above 23
    assert str(limit) in text or "23" in text


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_belongs_to_rules_that_ask_for_its_facts_and_has_a_name(name: str) -> None:
    parameter = PARAMETERS[name]
    for rule_id in parameter.rules:
        for version in versions_of(rule_id):
            assert set(parameter.facts) <= set(version.facts)
    for locale in LOCALES:
        assert has_text(f"policy.parameter.{name}", locale)
    if parameter.limit_of is not None:
        rule = rule_on(parameter.limit_of[0], as_of=TODAY)
        assert rule is not None
        assert parameter.limit_of[1] in {each.name for each in rule.params}


@pytest.mark.parametrize("gate", Gate)
@settings(max_examples=25)
@given(data=st.data())
def test_figures_never_let_pass_what_the_rules_stop(gate: Gate, data: st.DataObject) -> None:
    """Whatever a bank sets within the law: what blocked before blocks after."""
    figures = {}
    for name in data.draw(st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=4)):
        limit = PARAMETERS[name].legal_limit(SINCE)
        low, high = (1, limit or 10**9) if PARAMETERS[name].bound is Bound.AT_MOST else (limit or 1, (limit or 1) + 10)
        figures[name] = data.draw(st.integers(low, min(high, 23) if "hour" in name else high))
    under = BankPolicy(version="drawn", since=SINCE, parameters=figures)
    changes = {"term_months": data.draw(st.integers(0, 80)), "dials_today": data.draw(st.integers(0, 9))}
    facts = facts_of(gate, **changes)
    strict, delivered = evaluate_under(under, gate, facts, as_of=TODAY), evaluate_gate(gate, facts, as_of=TODAY)
    for with_policy, without in zip(strict, delivered, strict=True):
        if without.result is not Result.PASS:
            assert (with_policy.result, with_policy.reason) == (without.result, without.reason)
        assert with_policy.severity is without.severity


def test_a_reminder_must_be_earlier_only_where_the_figure_held_on_the_day_it_was_due() -> None:
    under = policy(parameters={"reminder_lead_days": 5})
    late = {"row_due_on": date(2026, 11, 20), "reminder_sent_on": date(2026, 11, 17)}
    assert results(Gate.DEBIT, under, **late)["CCM-67"] == ("FAIL", "stricter-policy")
    assert results(Gate.DEBIT, under, **late | {"reminder_sent_on": date(2026, 11, 15)})["CCM-67"][0] == "PASS"
    before = {"row_due_on": date(2026, 11, 4), "reminder_sent_on": date(2026, 11, 1)}
    assert results(Gate.DEBIT, under, **before)["CCM-67"][0] == "PASS"  # nobody could have known on 30 October


def test_hours_are_narrowed_but_consent_still_opens_them() -> None:
    under = policy(parameters={"first_contact_hour": 9, "last_contact_hour": 20})
    early = {"contact_local_time": time(8, 59, 59)}
    assert results(Gate.CONTACT, under, **early)["COLL-CBA-HOURS"] == ("FAIL", "stricter-policy")
    assert results(Gate.CONTACT, under, **early, contact_hours_consent=True)["COLL-CBA-HOURS"][0] == "PASS"
    assert results(Gate.CONTACT, under, contact_local_time=time(20))["COLL-CBA-HOURS"][0] == "FAIL"


def test_no_switch_makes_a_verified_blocking_rule_of_law_a_warning() -> None:
    protected = [rule for rule in REGISTRY if is_protected(rule)]
    assert {"CCM-70b", "PIPL-13", "CC-543"} <= {rule.id for rule in protected}
    for rule in protected:
        if rule.effective_to is not None:
            continue
        with pytest.raises(FormInvalid) as caught:
            policy(switches={rule.id: "WARN"})
        (text,) = faults(caught).values()
        assert rule.id in text
        assert rule.citation.law_en in text
        # Nor does one that is in the records all the same, say of before the rule was verified.
        forced = BankPolicy(version="x", since=SINCE, switches={rule.id: Severity.WARN})
        assert forced.severity_of(rule) is Severity.BLOCK


def test_self_regulation_and_provisional_rules_can_be_made_to_warn_by_rule_or_by_group() -> None:
    night = {"contact_local_time": time(23)}
    delivered = evaluate_under(AS_DELIVERED, Gate.CONTACT, facts_of(Gate.CONTACT, **night), as_of=TODAY)
    assert any(blocks(result=each.result, severity=each.severity) for each in delivered)
    for told in ({"switches": {"COLL-CBA-HOURS": "WARN"}}, {"groups": {"self-regulation": "WARN"}}):
        verdicts = evaluate_under(policy(**told), Gate.CONTACT, facts_of(Gate.CONTACT, **night), as_of=TODAY)
        (hours,) = [each for each in verdicts if each.rule_id == "COLL-CBA-HOURS"]
        assert (hours.result, hours.severity) == (Result.FAIL, Severity.WARN)
        assert hours.stored_params()["severity"]["source"] == "bank policy policy/1"
        assert not any(blocks(result=each.result, severity=each.severity) for each in verdicts)
    one = policy(groups={"self-regulation": "WARN"}, switches={"COLL-CBA-HOURS": "BLOCK"})
    assert one.severity_of(versions_of("COLL-CBA-HOURS")[0]) is Severity.BLOCK
    draft = next(rule for rule in REGISTRY if rule.verified in PROVISIONAL)
    assert policy(groups={Group.PROVISIONAL: "WARN"}).severity_of(draft) is Severity.WARN


def test_a_warning_can_be_made_to_stop() -> None:
    under = policy(switches={"CC-695": "BLOCK"})
    facts = facts_of(Gate.SIGNING, **APPLYING["CC-695"] | {"guarantors_consented": 1})
    verdicts = {each.rule_id: each for each in evaluate_under(under, Gate.SIGNING, facts, as_of=TODAY)}
    assert blocks(result=verdicts["CC-695"].result, severity=verdicts["CC-695"].severity)


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"parameters": {"max_term": 24}}, "/parameters/max_term"),
        ({"parameters": {"max_term_months": "24"}}, "/parameters/max_term_months"),
        ({"parameters": {"max_term_months": True}}, "/parameters/max_term_months"),
        ({"parameters": {"max_term_months": 0}}, "/parameters/max_term_months"),
        ({"parameters": {"reminder_lead_days": 61}}, "/parameters/reminder_lead_days"),
        ({"parameters": {"min_amount_minor": 5, "max_amount_minor": 4}}, "/parameters/min_amount_minor"),
        ({"parameters": []}, "/parameters"),
        ({"switches": {"COLL-CBA-HOURS": "OFF"}}, "/switches/COLL-CBA-HOURS"),
        ({"switches": {"COLL-CBA-HOURS": ["WARN"]}}, "/switches/COLL-CBA-HOURS"),
        ({"groups": {"law": "WARN"}}, "/groups/law"),
        ({"groups": {"standards": "OFF"}}, "/groups/standards"),
        ({"figures": {}}, "/figures"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_field(told: dict[str, Any], pointer: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        policy(**told)
    assert pointer in faults(caught)
    assert all("…" not in text for text in faults(caught).values())


def test_a_policy_is_read_back_as_it_was_kept() -> None:
    under = policy(
        parameters={"max_term_months": 48}, switches={"COLL-CBA-HOURS": "WARN"}, groups={"provisional": "WARN"}
    )
    assert BankPolicy.from_record(under.as_record(), version=under.version, since=under.since) == under
