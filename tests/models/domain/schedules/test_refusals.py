"""What makes no schedule is refused by the field, the rule and the fix; and every rule has words in both languages."""

import ast
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models.domain.schedules.quote_form import QuoteForm, quote
from models.errors import FormInvalid
from models.texts.render import has_text

_PACKAGE = Path(__file__).parents[4] / "models" / "domain" / "schedules"
GOOD: dict[str, Any] = {"start": "2026-01-31", "principalMinor": 1_000_000, "annualRate": "0.12", "rows": 12}
_STEPS = {"convention": "cn-step-up", "rows": None}


def ask(**changes: Any) -> dict[str, Any]:
    wanted = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return quote(QuoteForm.read_json(json.dumps(wanted)))


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"rows": 0}, "/rows", "too-small"),
        ({"rows": 601}, "/rows", "too-large"),
        ({"rows": None}, "", "exactly-one"),
        ({"amountMinor": 100_000}, "", "exactly-one"),
        ({"rows": None, "amountMinor": 10_000}, "/amountMinor", "quote-amount-below-interest"),
        ({"rows": None, "amountMinor": 10_001}, "/amountMinor", "quote-too-many-rows"),
        ({"annualRate": 0.12}, "/annualRate", "wrong-type"),
        ({"annualRate": "12%"}, "/annualRate", "pattern"),
        ({"annualRate": "101"}, "/balances/0/annualRate", "too-large"),
        ({"principalMinor": 0}, "/balances/0/principalMinor", "too-small"),
        ({"principalMinor": 1.5}, "/principalMinor", "wrong-type"),
        ({"principalMinor": None}, "/principalMinor", "missing"),
        ({"balances": [{"kind": "cash", "principalMinor": 1}]}, "", "exactly-one"),
        ({"start": "31.1.2026"}, "/start", "wrong-type"),
        ({"firstDue": "2026-01-31"}, "/firstDue", "date-past"),
        ({"dueDay": 5}, "/dueDay", "quote-due-day-alone"),
        ({"convention": "cn-card-level"}, "/dueDay", "missing"),
        ({"convention": "cn-card-level", "dueDay": 5, "unit": "weeks"}, "/unit", "not-one-of"),
        ({"convention": "made-up"}, "/convention", "not-one-of"),
        ({"convention": {"holiday": "move-due"}}, "/calendar", "missing"),
        ({"convention": "cn-fee"}, "/annualRate", "quote-rate-of-interest-free"),
        ({"steps": [{"rows": 3}]}, "/steps", "quote-not-with-method"),
        ({**_STEPS, "steps": [{"rows": 3}, {"rows": 3, "weight": "2"}]}, "/steps", "quote-steps-mixed"),
        ({**_STEPS, "steps": [{"rows": 3, "weight": "0"}]}, "/steps/0/weight", "too-small"),
        (
            {"convention": "cn-custom", "rows": None, "customRows": [{"due": "2026-02-28", "principalMinor": 5}]},
            "/customRows",
            "quote-rows-sum",
        ),
        ({"grace": {"principalRows": 12}}, "/grace/principalRows", "too-large"),
        ({"rows": None, "amountMinor": 99_000, "grace": {"principalRows": 1}}, "/grace", "quote-not-with-amount"),
        ({"colour": "red"}, "/colour", "unknown-field"),
    ],
)
def test_a_request_without_sense_is_refused(changes: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        ask(**changes)
    assert (pointer, code) in {(fault.pointer, fault.code) for fault in caught.value.faults}


def test_the_least_amount_is_named_where_one_is_too_small() -> None:
    with pytest.raises(FormInvalid) as caught:
        ask(rows=None, amountMinor=1)
    assert caught.value.faults[0].params == {"min": 10_001}


def test_what_is_no_json_is_told_without_repeating_it() -> None:
    with pytest.raises(FormInvalid) as caught:
        QuoteForm.read_json('{"start": secret}')
    assert [fault.code for fault in caught.value.faults] == ["not-json"]
    assert "secret" not in repr(caught.value)


def test_every_rule_of_the_package_has_words() -> None:
    codes = {
        call.args[1].value
        for path in _PACKAGE.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "ScheduleInvalid"
        if isinstance(call.args[1], ast.Constant)
    }
    assert {"quote-rows-sum", "too-small", "quote-calendar-short"} <= codes
    missing = [(code, locale) for code in codes for locale in ("zh-CN", "en") if not has_text(f"field.{code}", locale)]
    assert missing == []


def test_a_changed_convention_says_in_its_name_what_was_changed() -> None:
    answer = ask(convention={"base": "cn-level", "dayCount": "act-360", "basis": "daily"})
    assert answer["convention"] == "cn-level+basis=daily,dayCount=act-360"
    assert ask(convention={"base": "cn-level"})["convention"] == "cn-level"
    assert answer["rows"] == ask(convention="cn-level-daily-360")["rows"]


def test_rates_stand_side_by_side() -> None:
    rates = ask(convention="cn-fee", annualRate=None, fee={"rate": "0.006"})["rates"]
    # 0.6 % a month of the original principal is about twice that of what is left.
    assert Decimal("0.129") < Decimal(rates["irrTimes12"]) < Decimal("0.131")
    assert Decimal(rates["effective"]) > Decimal(rates["irrTimes12"]) == Decimal(rates["usActuarial"])
    assert ask(annualRate="0")["rates"]["simple"] == "0.00000000"
