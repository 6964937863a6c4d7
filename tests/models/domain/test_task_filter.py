"""What a client may ask the inbox for; what it may not is named, never passed over."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.states import OPEN_TASK_STATES
from models.domain.task_filter import MAX_VALUES, ONLY_OPEN, FieldTest, Op, TaskField, TaskFilter, parse_filter
from models.errors import FieldFault, FormInvalid


def faults(raw: object) -> dict[str, str]:
    with pytest.raises(FormInvalid) as refused:
        parse_filter(raw)
    return {fault.pointer: fault.code for fault in refused.value.faults}


@pytest.mark.parametrize("raw", [None, {}])
def test_nothing_asked_means_open_tasks(raw: object) -> None:
    assert parse_filter(raw) == TaskFilter(tests=(ONLY_OPEN,))


def test_a_literal_is_the_same_as_eq() -> None:
    assert parse_filter({"branch": "sh-01"}) == parse_filter({"branch": {"$eq": "sh-01"}})


def test_open_stands_for_the_states_in_which_a_task_waits_for_somebody() -> None:
    expected = FieldTest(field=TaskField.STATE, op=Op.NOT_IN, values=tuple(state.value for state in OPEN_TASK_STATES))
    assert parse_filter({"state": {"$neq": "open"}}).tests == (expected,)


def test_a_range_has_two_ends_and_an_instant_is_read_in_utc() -> None:
    wanted = parse_filter({"dueAt": {"$gte": "2026-11-23T08:00:00+08:00", "$lt": "2026-11-24T00:00:00Z"}})
    assert wanted.tests[:2] == (
        FieldTest(field=TaskField.DUE, op=Op.GTE, values=(datetime(2026, 11, 23, tzinfo=UTC),)),
        FieldTest(field=TaskField.DUE, op=Op.LT, values=(datetime(2026, 11, 24, tzinfo=UTC),)),
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([], {"/filter": "wrong-type"}),
        ({"colour": "red"}, {"/filter/colour": "unknown-field"}),
        ({"a/b~c": 1}, {"/filter/?": "unknown-field"}),
        ({"branch": {"$like": "sh*"}}, {"/filter/branch/$like": "not-one-of"}),
        ({"branch": {"$gt": "sh-01"}}, {"/filter/branch/$gt": "not-one-of"}),
        ({"branch": {}}, {"/filter/branch": "missing"}),
        ({"branch": 7}, {"/filter/branch": "wrong-type"}),
        ({"branch": ""}, {"/filter/branch": "too-short"}),
        ({"branch": "x" * 65}, {"/filter/branch": "too-long"}),
        ({"branch": "a\x00b"}, {"/filter/branch": "pattern"}),
        ({"branch": None}, {"/filter/branch": "wrong-type"}),
        ({"type": "installments.unknown"}, {"/filter/type": "not-one-of"}),
        ({"type": {"$in": []}}, {"/filter/type/$in": "wrong-type"}),
        ({"type": {"$in": "installments.approval"}}, {"/filter/type/$in": "wrong-type"}),
        ({"state": "closed"}, {"/filter/state": "not-one-of"}),
        ({"candidateRole": "boss"}, {"/filter/candidateRole": "not-one-of"}),
        ({"assignee": {"$exists": "yes"}}, {"/filter/assignee/$exists": "wrong-type"}),
        ({"caseToken": {"$exists": True}}, {"/filter/caseToken/$exists": "not-one-of"}),
        ({"amountMinor": {"$gte": 1.0}}, {"/filter/amountMinor/$gte": "wrong-type"}),
        ({"amountMinor": True}, {"/filter/amountMinor": "wrong-type"}),
        ({"amountMinor": 2**60}, {"/filter/amountMinor": "too-large"}),
        ({"dueAt": "2026-11-23T08:00:00Z"}, {"/filter/dueAt": "wrong-type"}),
        ({"dueAt": {"$lt": "2026-11-23T08:00:00"}}, {"/filter/dueAt/$lt": "pattern"}),
        ({"dueAt": {"$lt": "0001-01-01T00:00:00+23:00"}}, {"/filter/dueAt/$lt": "pattern"}),
        ({"createdAt": {"$gt": "yesterday"}}, {"/filter/createdAt/$gt": "pattern"}),
        ({"overdue": "true"}, {"/filter/overdue": "wrong-type"}),
        ({"overdue": {"$neq": True}}, {"/filter/overdue/$neq": "not-one-of"}),
        ({"branch": {"$in": ["x"] * (MAX_VALUES + 1)}}, {"/filter/branch/$in": "too-long"}),
        ({"state": "closed", "hue": 1}, {"/filter/state": "not-one-of", "/filter/hue": "unknown-field"}),
    ],
)
def test_what_cannot_be_asked_is_named(raw: Any, expected: dict[str, str]) -> None:
    assert faults(raw) == expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_OPERATORS = st.sampled_from(["$eq", "$neq", "$in", "$notIn", "$gt", "$gte", "$lt", "$lte", "$exists", "$or"])


@given(
    st.dictionaries(
        st.sampled_from([field.value for field in TaskField]) | st.text(),
        _JSON | st.dictionaries(_OPERATORS, _JSON | st.lists(st.text(), max_size=2), max_size=3),
        max_size=4,
    )
)
def test_every_member_is_a_test_or_a_fault(raw: dict[str, Any]) -> None:
    wanted: TaskFilter | None = None
    found: tuple[FieldFault, ...] = ()
    try:
        wanted = parse_filter(raw)
    except FormInvalid as refused:
        found = refused.faults
    if wanted is None:
        assert found
        assert all(fault.pointer.startswith("/filter/") for fault in found)
    else:
        asked = {test.field.value for test in wanted.tests}
        assert set(raw) <= asked <= set(raw) | {"state"}
