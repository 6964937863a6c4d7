"""Rule sets: what a row asks for, at which rate, what a sample hits, what a version earns and what another changes."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.batches.rulesets.evaluate import REASONS, evaluate
from models.domain.batches.rulesets.facts import RowFacts
from models.domain.batches.rulesets.profit import Costs, profit_view
from models.domain.batches.rulesets.trying import compare, try_sample
from models.domain.batches.rulesets.version import RuleSet
from models.domain.servicing.components import Component
from models.errors import FormInvalid
from models.texts.render import LOCALES, catalogue, placeholders

ON = date(2026, 11, 23)
BODY = {
    "name": "card-debits",
    "version": 1,
    "source": "bank decision 2026-11",
    "validFrom": "2026-11-01",
    "validTo": "2026-12-31",
    "repayment": [
        {
            "id": "late",
            "source": "bank decision",
            "when": [{"fact": "days-past-due", "op": "gte", "number": 91}],
            "shareBps": 5000,
            "leastMinor": 10000,
            "mostMinor": 200000,
            "partsAllowed": True,
            "fee": {"source": "price list", "fixedMinor": 100, "bps": 15, "mostMinor": 250},
        },
        {"id": "small", "source": "bank decision", "mostMinor": 500000,
         "when": [{"fact": "risk", "op": "in", "words": ["a", "b"]}]},
    ],
    "rates": {
        "tiers": [
            {"id": "a-short", "source": "price list", "risks": ["a"], "toMonths": 12, "rateBps": 1200},
            {"id": "other", "source": "price list", "toMonths": 60, "rateBps": 2600},
        ]
    },
}  # fmt: skip
RULES = RuleSet.read_json(json.dumps(BODY))
ROW = RowFacts(
    row="1", product="card", risk="a", term_months=12,
    penalty_minor=1_000, fee_minor=2_000, interest_minor=3_000, principal_minor=94_000, balance_minor=1_200_000,
)  # fmt: skip


def test_the_first_rule_that_holds_is_taken_and_charges_come_before_principal():
    result = evaluate(RULES, ROW, on=ON)
    assert (result.rule, result.amount_minor, result.fee_minor) == ("small", 100_000, 0)
    assert (result.rate_bps, result.tier) == (1_200, "a-short")
    assert result.working[-1].rule == "ORDER-NOT-OVERDUE"


def test_from_91_days_past_due_principal_comes_first_and_the_fee_is_capped():
    result = evaluate(RULES, replace(ROW, days_past_due=91), on=ON)
    assert (result.rule, result.amount_minor, result.fee_minor) == ("late", 50_000, 175)
    assert result.parts[Component.PRINCIPAL] == 50_000
    assert [step.rule for step in result.working if step.code == "order"] == ["CCM-57b-91"]
    assert evaluate(RULES, replace(ROW, days_past_due=90), on=ON).parts[Component.PENALTY] == 1_000
    large = evaluate(RULES, replace(ROW, days_past_due=91, principal_minor=10**6), on=ON)
    assert (large.amount_minor, large.fee_minor) == (200_000, 250)


def test_a_share_is_never_below_the_least_nor_above_what_is_due():
    poor = replace(ROW, days_past_due=91, principal_minor=0)  # 6,000 are due
    assert evaluate(RULES, poor, on=ON).amount_minor == 6_000
    assert evaluate(RULES, replace(poor, principal_minor=6_000), on=ON).amount_minor == 10_000


def test_a_rate_above_the_cap_of_the_law_is_lowered_to_it():
    result = evaluate(RULES, replace(ROW, risk="b"), on=ON)
    assert (result.rate_bps, result.tier) == (2_400, "other")
    assert [(step.code, step.rule) for step in result.working if step.code == "capped"] == [("capped", "CC-680")]


@pytest.mark.parametrize(
    ("row", "on", "barred"),
    [
        (replace(ROW, risk="z"), ON, "no-rule"),
        (replace(ROW, term_months=61), ON, "no-rate"),
        (replace(ROW, principal_minor=500_000), ON, "above-most"),
        (replace(ROW, penalty_minor=0, fee_minor=0, interest_minor=0, principal_minor=0), ON, "nothing-due"),
        (ROW, date(2026, 10, 31), "not-in-force"),
        (ROW, date(2027, 1, 1), "not-in-force"),
    ],
)
def test_what_asks_for_nothing_says_why(row: RowFacts, on: date, barred: str):
    result = evaluate(RULES, row, on=on)
    assert (result.barred, result.amount_minor, result.parts) == (barred, 0, {})
    assert barred in REASONS
    assert all(f"ruleset-barred.{barred}" in catalogue(locale) for locale in LOCALES)


def test_a_version_holds_on_its_first_and_last_day_and_at_the_last_month_of_a_tier():
    for on in (date(2026, 11, 1), date(2026, 12, 31)):
        assert evaluate(RULES, ROW, on=on).barred == ""
    assert evaluate(RULES, replace(ROW, term_months=13), on=ON).tier == "other"


rows = st.builds(
    RowFacts,
    row=st.integers(0, 10**6).map(str),
    product=st.sampled_from(["card", "loan"]),
    risk=st.sampled_from("abz"),
    term_months=st.integers(0, 80),
    days_past_due=st.sampled_from([0, 1, 90, 91, 400]),
    penalty_minor=st.integers(0, 10**5),
    fee_minor=st.integers(0, 10**5),
    interest_minor=st.integers(0, 10**5),
    principal_minor=st.integers(0, 10**6),
    balance_minor=st.integers(0, 10**8),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(rows, max_size=12, unique_by=lambda row: row.row))
def test_no_row_asks_for_more_than_is_due_and_sums_hold(cohort: list[RowFacts]):
    costs = Costs(source="a test", funding_bps=300, handling_minor=50, other_loss_bps=200, loss_bps={"a": 20})
    for row in cohort:
        result = evaluate(RULES, row, on=ON)
        assert 0 <= result.amount_minor <= row.due_minor
        assert sum(result.parts.values()) == result.amount_minor
        assert all(paid <= row.due_by_component()[component] for component, paid in result.parts.items())
        assert result.rate_bps is None or result.rate_bps <= 2_400
        for step in result.working:
            wanted = {one.partition(":")[0] for one in placeholders(catalogue("en")[f"ruleset-step.{step.code}"])}
            assert wanted <= step.params.keys()
    view = profit_view(RULES, cohort, costs, on=ON)
    assert sum(each.net_minor for each in view.by_rule.values()) == view.total.net_minor
    sample = try_sample(RULES, cohort, {}, on=ON)
    assert sample.hits["late"] + sample.hits["small"] + sample.barred.get("no-rule", 0) == len(cohort)


def test_a_sample_passes_only_if_every_expectation_is_met():
    cohort = [ROW, replace(ROW, row="2", risk="b"), replace(ROW, row="3", days_past_due=91)]
    met = try_sample(RULES, cohort, {"late": 1, "small": 2, "a-short": 2, "other": 1}, on=ON)
    assert met.passed
    missed = try_sample(RULES, cohort, {"late": 2, "no-such": 0}, on=ON)
    assert [(miss.rule, miss.expected, miss.found, miss.rows) for miss in missed.misses] == [
        ("late", 2, 1, ("3",)),
        ("no-such", 0, 0, ()),
    ]


def test_the_profit_of_one_row_can_be_worked_out_by_hand():
    costs = Costs(source="a test", funding_bps=300, handling_minor=500, other_loss_bps=100)
    total = profit_view(RULES, [ROW], costs, on=ON).total
    # 12,000.00 over 12 months, paid down equally: 6.5 months of the whole on average
    assert (total.interest_minor, total.funding_minor, total.loss_minor) == (78_000, 19_500, 12_000)
    assert (total.net_minor, total.margin_bps) == (46_000, 383)


def test_two_versions_are_compared_row_by_row_with_the_reason():
    changed = json.loads(json.dumps(BODY))
    changed["version"] = 2
    changed["repayment"][0]["shareBps"] = 4_000
    changed["repayment"][1]["when"][0]["words"] = ["a"]
    changed["rates"]["tiers"][0]["rateBps"] = 1_100
    other = RuleSet.read_json(json.dumps(changed))
    cohort = [ROW, replace(ROW, row="2", risk="b"), replace(ROW, row="3", days_past_due=91)]
    found = compare(RULES, other, cohort, on=ON)
    assert [(each.row, each.kind.value, each.cause) for each in found.lines.lines] == [
        ("1", "same", "none"),
        ("2", "other-outcome", "other-rule"),
        ("3", "other-amount", "other-terms"),
    ]
    assert found.lines.before_minor + found.lines.moved_minor == found.lines.after_minor
    assert [(each.row, each.before_bps, each.after_bps) for each in found.rates] == [
        ("1", 1_200, 1_100),
        ("2", 2_400, None),
        ("3", 1_200, 1_100),
    ]
    assert (found.before_hash, found.after_hash) == (RULES.hash, other.hash)
    with pytest.raises(ValueError, match="key"):
        compare(RULES, other, [ROW, ROW], on=ON)


def test_a_version_is_frozen_by_its_content_and_not_by_its_spelling():
    reordered = dict(reversed(BODY.items()))
    assert RuleSet.read_json(json.dumps(reordered, indent=3)).hash == RULES.hash
    assert RuleSet.from_record(RULES.as_record()) == RULES
    assert RuleSet.read_json(json.dumps(BODY | {"version": 2})).hash != RULES.hash


def _with_rule(**changes) -> dict:
    return BODY | {"repayment": [{"id": "x", "source": "s"} | changes]}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (_with_rule(upTo90=["principal", "penalty", "fee", "interest"]), "/repayment/0", "ruleset-ccm-57b"),
        (_with_rule(from91=["penalty", "fee", "interest", "principal"]), "/repayment/0", "ruleset-ccm-57b"),
        (_with_rule(upTo90=["fee", "fee", "interest", "principal"]), "/repayment/0", "ruleset-order"),
        (_with_rule(shareBps=9_999), "/repayment/0", "ruleset-parts"),
        (_with_rule(leastMinor=2, mostMinor=1), "/repayment/0", "ruleset-range"),
        (_with_rule(source=""), "/repayment/0/source", "too-short"),
        (_with_rule(when=[{"fact": "risk", "op": "lt", "words": ["a"]}]), "/repayment/0/when/0", "condition-words"),
        (_with_rule(when=[{"fact": "due-minor", "op": "lt"}]), "/repayment/0/when/0", "condition-number"),
        (BODY | {"repayment": [{"id": "x", "source": "s"}] * 2}, "", "ruleset-twice"),
        (BODY | {"validTo": "2026-10-31"}, "", "ruleset-dates"),
        (
            BODY | {"rates": {"tiers": [{"id": "t", "source": "s", "fromMonths": 2, "toMonths": 1, "rateBps": 1}]}},
            "/rates/tiers/0",
            "ruleset-months",
        ),
    ],
)
def test_a_set_that_makes_no_sense_is_refused_with_the_field_and_the_fix(body: dict, pointer: str, code: str):
    with pytest.raises(FormInvalid) as caught:
        RuleSet.read_json(json.dumps(body))
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(pointer, code)]
    assert all(f"field.{code}" in catalogue(locale) for locale in LOCALES)
    with pytest.raises(FormInvalid, match="form-invalid"):
        RuleSet.read_json("{")
