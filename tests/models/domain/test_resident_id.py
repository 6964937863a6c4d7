"""Resident numbers: what is right passes in one spelling, and one slip of the finger never does."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.domain.identifiers import IdType, canonical_id_number, check_identity
from models.domain.resident_id import PROVINCES, check_character
from models.domain.rule_broken import RuleBroken

TODAY = date(2026, 11, 21)
_BIRTH = st.dates(min_value=date(1880, 1, 1), max_value=TODAY)
_PLACES = st.builds("{}{:04d}".format, st.sampled_from(sorted(PROVINCES)), st.integers(0, 9999))


@st.composite
def _numbers(draw: st.DrawFn, prefixes: st.SearchStrategy[str] = _PLACES) -> str:
    place = draw(prefixes)
    body = f"{place}{draw(_BIRTH):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + check_character(body)


def _refusal(id_type: IdType, value: str, today: date = TODAY) -> str:
    with pytest.raises(RuleBroken) as caught:
        check_identity(id_type, value, today)
    return caught.value.code


# Worked examples that the standard itself prints (GB 11643-1999).
@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_examples_of_the_standard_pass(number: str) -> None:
    assert check_identity(IdType.RESIDENT_ID, number, date(1999, 10, 1)) == number


@pytest.mark.parametrize(
    "typed",
    ["11010519491231002x", " 110105 19491231 002X ", "110105-19491231-002X", "１１０１０５１９４９１２３１００２Ｘ"],
)
def test_spellings_of_one_number_become_one(typed: str) -> None:
    assert check_identity(IdType.RESIDENT_ID, typed, TODAY) == "11010519491231002X"
    assert canonical_id_number(typed) == "11010519491231002X"


def test_a_legacy_number_comes_back_with_eighteen_digits() -> None:
    assert check_identity(IdType.RESIDENT_ID, "110105491231002", TODAY) == "11010519491231002X"
    assert canonical_id_number("110105491231002") == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "id-length"),
        ("1101051949123100", "id-length"),
        ("11010519491231002X0", "id-length"),
        ("1101051949123100 2\n", "id-length"),
        ("X1010519491231002X", "id-length"),
        ("11010519491231002A", "id-length"),
        ("１１０１０５１９４９１２３１００２", "id-length"),
        ("110105194912310021", "id-checksum"),
        ("101105491231002", "id-region"),
        ("110105491331002", "id-birth-date"),
    ],
)
def test_what_cannot_be_is_refused_by_the_rule_it_breaks(number: str, code: str) -> None:
    assert _refusal(IdType.RESIDENT_ID, number) == code


@pytest.mark.parametrize("day", ["20270101", "20261122", "19900230", "20230229", "19901301", "19900100", "00000101"])
def test_birth_dates_that_cannot_be_are_refused_despite_a_right_checksum(day: str) -> None:
    body = f"110105{day}123"
    assert _refusal(IdType.RESIDENT_ID, body + check_character(body)) == "id-birth-date"


def test_the_oldest_and_the_youngest_person() -> None:
    for day, passes in (("18761121", True), ("18761120", False), ("20261121", True)):
        body = f"110105{day}123"
        number = body + check_character(body)
        if passes:
            assert check_identity(IdType.RESIDENT_ID, number, TODAY) == number
        else:
            assert _refusal(IdType.RESIDENT_ID, number) == "id-birth-date"


def test_a_leap_day_birth_is_a_birth() -> None:
    body = "11010520000229123"
    assert check_identity(IdType.RESIDENT_ID, body + check_character(body), TODAY)


_OTHERS = {
    "110105": IdType.RESIDENT_ID,
    "810000": IdType.HK_MACAO_RESIDENCE,
    "820000": IdType.HK_MACAO_RESIDENCE,
    "830000": IdType.TAIWAN_RESIDENCE,
    "931156": IdType.FOREIGN_RESIDENT,
}
_EIGHTEENS = sorted(set(_OTHERS.values()))


@pytest.mark.parametrize("prefix", sorted(_OTHERS))
@pytest.mark.parametrize("claimed", _EIGHTEENS)
def test_each_prefix_belongs_to_one_kind_and_the_others_name_it(prefix: str, claimed: IdType) -> None:
    body = f"{prefix}19900307123"
    number = body + check_character(body)
    if claimed is _OTHERS[prefix]:
        assert check_identity(claimed, number.lower(), TODAY) == number
        return
    with pytest.raises(RuleBroken) as caught:
        check_identity(claimed, number, TODAY)
    assert caught.value.code == "id-type"
    assert caught.value.params == {"expected": _OTHERS[prefix].value}


@pytest.mark.parametrize("prefix", ["100000", "490105", "840000", "990156", "911000"])
@pytest.mark.parametrize("claimed", _EIGHTEENS)
def test_places_that_do_not_exist_are_refused(prefix: str, claimed: IdType) -> None:
    body = f"{prefix}19900307123"
    assert _refusal(claimed, body + check_character(body)) in {"id-region", "id-type"}
    assert _refusal(_OTHERS.get(prefix, IdType.FOREIGN_RESIDENT), body + check_character(body)) == "id-region"


def test_a_refusal_holds_no_part_of_the_number() -> None:
    with pytest.raises(RuleBroken) as caught:
        check_identity(IdType.RESIDENT_ID, "110105194912310021", TODAY)
    assert "1101" not in f"{caught.value!r} {caught.value} {caught.value.params}"
    assert caught.value.__cause__ is None
    fault = caught.value.fault("/idNumber")
    assert (fault.pointer, fault.code) == ("/idNumber", "id-checksum")


@given(number=_numbers())
def test_every_well_formed_number_passes_unchanged(number: str) -> None:
    assert check_identity(IdType.RESIDENT_ID, number, TODAY) == number


@given(number=_numbers(), place=st.integers(0, 17), character=st.sampled_from("0123456789X"))
def test_one_changed_character_never_passes(number: str, place: int, character: str) -> None:
    assume(number[place] != character)
    _refusal(IdType.RESIDENT_ID, number[:place] + character + number[place + 1 :])


@given(number=_numbers(), place=st.integers(6, 16))
def test_one_changed_digit_is_caught_by_the_check_character_itself(number: str, place: int) -> None:
    changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
    assert _refusal(IdType.RESIDENT_ID, changed) == "id-checksum"


@given(number=_numbers(), place=st.integers(0, 16))
def test_two_swapped_neighbours_never_pass(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assume(swapped != number)
    _refusal(IdType.RESIDENT_ID, swapped)


@given(number=_numbers().filter(lambda number: number[6:8] == "19"))
def test_a_legacy_number_upgrades_to_the_number_of_the_same_person(number: str) -> None:
    legacy = number[:6] + number[8:17]
    assert check_identity(IdType.RESIDENT_ID, legacy, TODAY) == number


@given(number=_numbers(prefixes=st.sampled_from(["810000", "820000"])))
def test_residence_permits_of_hong_kong_and_macao_pass(number: str) -> None:
    assert check_identity(IdType.HK_MACAO_RESIDENCE, number, TODAY) == number


@given(text=st.text(max_size=40))
def test_any_text_is_either_a_number_or_refused(text: str) -> None:
    for id_type in IdType:
        try:
            canonical = check_identity(id_type, text, TODAY)
        except RuleBroken:
            continue
        assert canonical.isascii()
        assert check_identity(id_type, canonical, TODAY) == canonical
