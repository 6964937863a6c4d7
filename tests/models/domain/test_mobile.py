"""Mobile numbers come in many spellings and leave in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.mobile import check_mobile
from models.domain.rule_broken import RuleBroken


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("13800138000", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("+86-138-0013-8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+852 5123 4567", "+85251234567"),
        ("00853 6612 3456", "+85366123456"),
    ],
)
def test_spellings_become_e164(typed: str, canonical: str) -> None:
    assert check_mobile(typed) == canonical
    assert check_mobile(canonical) == canonical


@pytest.mark.parametrize(
    "typed",
    ["", "12800138000", "1380013800", "138001380000", "+8713800138000", "13800138000\n", "51234567", "+85231234567",
     "+85351234567", "010-12345678", "1380013800O"],
)  # fmt: skip
def test_what_is_no_mobile_is_refused(typed: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        check_mobile(typed)
    assert caught.value.code == "mobile"


@given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"))
def test_every_mainland_number_passes(number: str) -> None:
    assert check_mobile(number) == f"+86{number}"
