"""What a decision may hold, by type of task and outcome; everything else is refused with a pointer to the fault."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.forms import (
    FORMS,
    MAX_AMOUNT_MINOR,
    REASON_CODES,
    DecidedTerms,
    DecisionForm,
    MendedFigures,
    parse_decision,
    reason_codes,
)
from models.domain.states import CHECKER_TASKS, CUSTOMER_OUTCOMES, OUTCOMES, Outcome, TaskType
from models.errors import FieldFault, FormInvalid

SHOWN = "0f" * 32
TERMS = {"amountMinor": 1_000_000, "termMonths": 24, "concessionBps": 150}
REPORTED = {"reportedAt": "2026-11-23T02:30:00Z", "reference": "CAC-2026/17", "evidence": "receipt-17"}
MENDED = {"openAccounts": 3, "monthlyObligationMinor": 12_000, "worstDaysPastDue": 0, "note": "from the paper report"}
PROPOSING = (Outcome.RECOMMEND, Outcome.COUNTER, Outcome.REOFFER)
REASONED = (
    Outcome.REJECT,
    Outcome.RETURN,
    Outcome.DECLINE,
    Outcome.GIVE_UP,
    Outcome.CONTACTED,
    Outcome.EXTEND,
    Outcome.REACHED,
    Outcome.NOT_REACHED,
    Outcome.ANSWER,
    Outcome.NOTED,
    Outcome.DISCARD,
    Outcome.RESOLVE,
    Outcome.DISMISS,
    Outcome.UNDO_WAVE,
    Outcome.UNDO_JOB,
    Outcome.KEEP,
    Outcome.TAKE,
    Outcome.HOLD,
    Outcome.SAME,
    Outcome.DIFFERENT,
    Outcome.STOP,
    Outcome.SEND_BACK,
    Outcome.EXPLAIN,
    Outcome.REFUND,
    Outcome.CANCEL,
)
EVERY = [(task_type, outcome) for task_type in TaskType for outcome in OUTCOMES[task_type]]


def valid(task_type: TaskType, outcome: Outcome) -> dict[str, Any]:
    """A body that fits, with nothing optional in it."""
    body: dict[str, Any] = {"outcome": outcome.value}
    if task_type in CHECKER_TASKS or outcome in CUSTOMER_OUTCOMES:
        body["shownHash"] = SHOWN
    if outcome in PROPOSING:
        body |= TERMS
    if outcome is Outcome.CHOOSE:
        body["offerId"] = "plo_" + "0" * 26
    if outcome is Outcome.PAPER:
        body["documentId"] = "doc_" + "0" * 26
    if outcome is Outcome.MEND:
        body |= MENDED
    if outcome is Outcome.REPORT:
        body |= REPORTED
    if outcome is Outcome.RUN_ON and task_type is not TaskType.BATCH_BREAKER:  # there the figure is optional
        body["errorBudget"] = 20
    if outcome is Outcome.ASSIGN and task_type is TaskType.BATCH_SUSPENSE:
        body["orderId"] = "bor_" + "0" * 26
    if "answer" in FORMS[task_type][outcome].model_fields:
        body["answer"] = "改正了，多收的已退回"
    codes = reason_codes(task_type, outcome)
    if codes:
        body["reasonCode"] = codes[0]
    return body


def faults(task_type: TaskType, body: object) -> dict[str, tuple[str, dict[str, str | int]]]:
    with pytest.raises(FormInvalid) as refused:
        parse_decision(task_type, body)
    return {fault.pointer: (fault.code, fault.params) for fault in refused.value.faults}


@pytest.mark.parametrize(("task_type", "outcome"), EVERY)
def test_every_outcome_has_a_form_that_takes_what_it_needs(task_type: TaskType, outcome: Outcome) -> None:
    form = parse_decision(task_type, valid(task_type, outcome))
    assert form.outcome is outcome
    assert (form.terms is not None) == (outcome in PROPOSING)
    assert (form.offer_id is not None) == (outcome is Outcome.CHOOSE)
    assert (form.document_id is not None) == (outcome is Outcome.PAPER)
    assert (form.mended is not None) == (outcome is Outcome.MEND)
    assert (form.report is not None) == (outcome is Outcome.REPORT)
    assert (form.reason_code is not None) == (outcome in REASONED)
    assert form.shown_hash == (SHOWN if task_type in CHECKER_TASKS or outcome in CUSTOMER_OUTCOMES else None)


@pytest.mark.parametrize(("task_type", "outcome"), EVERY)
def test_each_required_field_is_missed_and_each_extra_one_refused(task_type: TaskType, outcome: Outcome) -> None:
    body = valid(task_type, outcome)
    for name in body:
        assert faults(task_type, {key: value for key, value in body.items() if key != name}) == {
            f"/{name}": ("missing", {})
        }
    assert faults(task_type, body | {"taskState": "DONE"}) == {"/taskState": ("unknown-field", {})}


@pytest.mark.parametrize("task_type", list(TaskType))
def test_an_outcome_of_another_task_is_no_outcome(task_type: TaskType) -> None:
    foreign = next(outcome for outcome in Outcome if outcome not in OUTCOMES[task_type])
    found = faults(task_type, {"outcome": foreign.value})
    assert found["/outcome"][0] == "not-one-of"
    assert found["/outcome"][1]["allowed"] == ", ".join(OUTCOMES[task_type])


@pytest.mark.parametrize("outcome", [1, None, True, ["approve"], {"outcome": "approve"}])
def test_an_outcome_is_a_string(outcome: object) -> None:
    assert faults(TaskType.APPROVAL, {"outcome": outcome})["/outcome"][0] == "wrong-type"


@pytest.mark.parametrize("body", [None, [], "approve", 1])
def test_a_decision_is_an_object(body: object) -> None:
    assert faults(TaskType.APPROVAL, body) == {"": ("wrong-type", {"expected": "object"})}


def test_terms_are_read_as_they_were_sent() -> None:
    body = valid(TaskType.APPROVAL, Outcome.COUNTER) | {"note": "少一些"}
    assert parse_decision(TaskType.APPROVAL, body) == DecisionForm(
        outcome=Outcome.COUNTER,
        terms=DecidedTerms(amount_minor=1_000_000, term_months=24, concession_bps=150),
        note="少一些",
        shown_hash=SHOWN,
    )


def test_figures_entered_by_hand_need_a_remark_that_says_where_they_come_from() -> None:
    form = parse_decision(TaskType.INCIDENT, valid(TaskType.INCIDENT, Outcome.MEND))
    assert form.mended == MendedFigures(open_accounts=3, monthly_obligation_minor=12_000, worst_days_past_due=0)
    assert form.note == "from the paper report"
    blank = valid(TaskType.INCIDENT, Outcome.MEND) | {"note": " \n　"}
    assert faults(TaskType.INCIDENT, blank) == {"/note": ("pattern", {})}


@pytest.mark.parametrize(
    ("field", "value", "code", "params"),
    [
        ("amountMinor", 0, "too-small", {"limit": 1}),
        ("amountMinor", MAX_AMOUNT_MINOR + 1, "too-large", {"limit": MAX_AMOUNT_MINOR}),
        ("amountMinor", 1_000_000.0, "wrong-type", {"expected": "integer"}),
        ("amountMinor", True, "wrong-type", {"expected": "integer"}),
        ("amountMinor", "1000000", "wrong-type", {"expected": "integer"}),
        ("amountMinor", None, "wrong-type", {"expected": "integer"}),
        ("termMonths", 0, "too-small", {"limit": 1}),
        ("termMonths", 61, "too-large", {"limit": 60}),
        ("concessionBps", -1, "too-small", {"limit": 0}),
        ("concessionBps", 10_001, "too-large", {"limit": 10_000}),
        ("shownHash", SHOWN + "\n", "pattern", {}),
        ("shownHash", SHOWN.upper(), "pattern", {}),
        ("shownHash", SHOWN[:-1], "pattern", {}),
        ("note", "", "too-short", {"limit": 1}),
        ("note", "长" * 2_001, "too-long", {"limit": 2_000}),
        ("note", 7, "wrong-type", {"expected": "string"}),
    ],
)
def test_a_value_that_breaks_its_rule_is_named_with_the_rule_and_the_limit(
    field: str, value: object, code: str, params: dict[str, str | int]
) -> None:
    body = valid(TaskType.APPROVAL, Outcome.COUNTER) | {field: value}
    assert faults(TaskType.APPROVAL, body) == {f"/{field}": (code, params)}


def test_a_remark_may_be_as_long_as_it_says_and_may_be_null() -> None:
    body = valid(TaskType.DOCUMENTS, Outcome.ACCEPT)
    assert parse_decision(TaskType.DOCUMENTS, body | {"note": "长" * 2_000}).note == "长" * 2_000
    assert parse_decision(TaskType.DOCUMENTS, body | {"note": None}).note is None


@pytest.mark.parametrize(("task_type", "outcome"), EVERY)
def test_a_reason_is_one_of_the_closed_set_of_its_own_form(task_type: TaskType, outcome: Outcome) -> None:
    codes = reason_codes(task_type, outcome)
    body = valid(task_type, outcome)
    for code in codes:
        assert parse_decision(task_type, body | {"reasonCode": code}).reason_code == code
    every = {code for each in REASON_CODES.values() for code in each}
    for code in sorted(every - set(codes)):
        found = faults(task_type, body | {"reasonCode": code})
        assert found["/reasonCode"][0] == ("not-one-of" if codes else "unknown-field")


def test_the_reasons_of_an_outcome_are_those_of_all_its_forms() -> None:
    for outcome, codes in REASON_CODES.items():
        if outcome is Outcome.WITHDRAW:
            assert codes
            continue
        told = {
            code
            for task_type in FORMS
            for code in (reason_codes(task_type, outcome) if outcome in FORMS[task_type] else ())
        }
        assert set(codes) == told
        assert len(codes) == len(set(codes))


def test_what_was_sent_never_comes_back_in_a_fault() -> None:
    secret = "13800138000"
    body = {"outcome": "counter", "amountMinor": secret, "note": [secret], "shownHash": secret, "termMonths": secret}
    with pytest.raises(FormInvalid) as refused:
        parse_decision(TaskType.APPROVAL, body)
    assert secret not in repr(refused.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["outcome", "reasonCode", "note", "shownHash", "amountMinor", "termMonths", "concessionBps", "openAccounts", "/~"]
)
_VALUES = _JSON | st.sampled_from([outcome.value for outcome in Outcome]) | st.just(SHOWN) | st.just("no-hardship")


@given(st.sampled_from(list(TaskType)), st.dictionaries(_NAMES | st.text(), _VALUES, max_size=7))
def test_any_body_is_a_form_or_a_list_of_faults_and_nothing_else(task_type: TaskType, body: dict[str, Any]) -> None:
    form: DecisionForm | None = None
    found: tuple[FieldFault, ...] = ()
    try:
        form = parse_decision(task_type, body)
    except FormInvalid as refused:
        found = refused.faults
    if form is None:
        assert found
        assert all(fault.pointer.startswith("/") and fault.code for fault in found)
    else:
        assert form.outcome in OUTCOMES[task_type]
        assert form.reason_code is None or form.reason_code in reason_codes(task_type, form.outcome)
