"""Card numbers: the check digit catches a slip, and generated numbers can be told from real ones."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.domain.bank_card import SYNTHETIC_BINS, check_bank_card, is_synthetic_card, luhn_digit
from models.domain.rule_broken import RuleBroken

_CARDS = st.from_regex(r"\A[1-9][0-9]{14,17}\Z").map(lambda body: body + luhn_digit(body))


def test_the_published_test_number_passes() -> None:
    assert check_bank_card("4111 1111-1111 1111") == "4111111111111111"


@pytest.mark.parametrize(
    "typed", ["", "411111111111111", "41111111111111111111", "4111x11111111111", "411111111111111\n1"]
)
def test_a_wrong_length_or_letter_is_refused(typed: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        check_bank_card(typed)
    assert caught.value.code == "card-length"


@given(card=_CARDS)
def test_every_card_with_its_digit_passes(card: str) -> None:
    assert check_bank_card(card) == card


@given(card=_CARDS, place=st.integers(0, 18), digit=st.sampled_from("0123456789"))
def test_one_changed_digit_is_refused(card: str, place: int, digit: str) -> None:
    assume(place < len(card) and card[place] != digit)
    with pytest.raises(RuleBroken) as caught:
        check_bank_card(card[:place] + digit + card[place + 1 :])
    assert caught.value.code == "card-luhn"


def test_generated_numbers_are_recognised_and_others_are_not() -> None:
    assert all(is_synthetic_card(f"{prefix}0000000000") for prefix in SYNTHETIC_BINS)
    assert not is_synthetic_card("6222021234567890123")
