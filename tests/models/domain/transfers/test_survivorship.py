"""Which value survives when a row is merged into a record: the target is never overwritten silently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.customers.record import FIELDS, KEY_FIELDS, REQUIRED_FIELDS
from models.domain.transfers.survivorship import KeyDifference, survive, take

TARGET = {
    "customer_no": "T1",
    "name": "王芳",
    "id_type": "resident-id",
    "id_number": "110105194912310021",
    "mobile": "+8613800000001",
    "id_valid_until": "2030-01-01",
    "address": "上海市某某路 1 号",
    "postcode": "200000",
    "language": "zh-CN",
}


def test_what_the_target_lacks_is_filled_and_its_own_number_stays() -> None:
    row = TARGET | {"customer_no": "S9", "email": "a@example.com", "account": "6222000011112222"}
    merged = survive(TARGET, row, row_is_newer=False)
    assert merged.values == TARGET | {"email": "a@example.com", "account": "6222000011112222"}
    assert merged.changed == ("email", "account")


@pytest.mark.parametrize("field", sorted(KEY_FIELDS))
def test_a_key_field_that_differs_changes_nothing_and_waits_for_a_person(field: str) -> None:
    row = TARGET | {"account": "6222000011112222", "email": "new@example.com", field: "other"}
    merged = survive(
        TARGET | {"account": "1"}, row | ({} if field == "account" else {"account": "1"}), row_is_newer=True
    )
    assert merged.clashes == (field,)
    assert (merged.changed, merged.values) == ((), TARGET | {"account": "1"})


def test_a_plan_may_say_that_the_targets_mobile_stays() -> None:
    row = TARGET | {"mobile": "+8613900000009", "email": "a@example.com"}
    merged = survive(TARGET, row, row_is_newer=True, key_differences={"mobile": KeyDifference.KEEP})
    assert (merged.clashes, merged.changed) == ((), ("email",))
    assert merged.values["mobile"] == TARGET["mobile"]


def test_a_newer_address_brings_its_own_postcode_or_none() -> None:
    row = {name: value for name, value in TARGET.items() if name != "postcode"} | {"address": "北京市某某路 2 号"}
    assert "postcode" not in survive(TARGET, row, row_is_newer=True).values
    assert survive(TARGET, row, row_is_newer=False).values == TARGET


def test_an_older_postcode_never_joins_another_address() -> None:
    target = {name: value for name, value in TARGET.items() if name != "postcode"}
    row = TARGET | {"address": "北京市某某路 2 号", "postcode": "100000"}
    assert survive(target, row, row_is_newer=False).values == target


def test_the_later_end_of_the_same_document_stays() -> None:
    for theirs, stays in (("2029-12-31", "2030-01-01"), ("2031-05-01", "2031-05-01"), ("long-term", "long-term")):
        merged = survive(TARGET, TARGET | {"id_valid_until": theirs}, row_is_newer=False)
        assert merged.values["id_valid_until"] == stays


def test_taking_the_row_takes_its_document_whole() -> None:
    row = {"id_type": "passport", "id_number": "E1", "name": "王芳", "customer_no": "S9", "mobile": "+8613900000009"}
    merged = take(TARGET, row)
    assert merged.values["customer_no"] == "T1"
    assert (merged.values["id_type"], merged.values["id_number"]) == ("passport", "E1")
    assert "id_valid_until" not in merged.values, "the old document's end says nothing of the new one"
    assert merged.values["address"] == TARGET["address"], "what the row does not know stays"


_records = st.fixed_dictionaries(
    {name: st.sampled_from(("a", "b")) for name in sorted(REQUIRED_FIELDS)},
    optional={name: st.sampled_from(("a", "b")) for name in FIELDS if name not in REQUIRED_FIELDS},
)


@given(target=_records, row=_records, newer=st.booleans())
def test_merging_is_settled_at_once_and_keys_of_the_target_stand(target: dict, row: dict, newer: bool) -> None:
    merged = survive(target, row, row_is_newer=newer)
    again = survive(merged.values, row, row_is_newer=newer)
    assert (again.values, again.changed) == (merged.values, ()), "a repeated step changes nothing"
    assert all(merged.values[name] == target[name] for name in KEY_FIELDS & target.keys())
    assert merged.values["customer_no"] == target["customer_no"]
    assert set(merged.changed) == {name for name in FIELDS if merged.values.get(name) != target.get(name)} - set(
        merged.clashes
    )
