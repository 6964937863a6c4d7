"""A plan for part of a debt takes each kind in its proportion, and not a cent is lost or made."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from models.domain.plans.debt import Debt
from models.domain.plans.negotiation import Kind

_AMOUNT = st.integers(min_value=-50_000, max_value=5_000_000)
_DEBTS = st.builds(
    Debt,
    purchases_minor=_AMOUNT,
    cash_minor=_AMOUNT,
    installments_minor=_AMOUNT,
    interest_minor=_AMOUNT,
    fees_minor=_AMOUNT,
)


def test_the_whole_debt_is_what_the_core_says() -> None:
    debt = Debt(purchases_minor=3_800_000, cash_minor=600_000, interest_minor=280_000, fees_minor=120_000)
    assert debt.part(4_800_000) == debt
    assert debt.part(4_800_000).balances().by_kind() == {
        Kind.PURCHASES: 3_800_000,
        Kind.CASH: 600_000,
        Kind.FEES: 120_000,
        Kind.INTEREST: 280_000,
    }


def test_half_of_it_is_half_of_each_kind() -> None:
    debt = Debt(purchases_minor=3_800_001, cash_minor=600_000, interest_minor=280_000, fees_minor=119_999)
    half = debt.part(2_400_000)
    assert half == Debt(purchases_minor=1_900_001, cash_minor=300_000, interest_minor=140_000, fees_minor=59_999)


def test_running_installments_bear_interest_as_purchases_do() -> None:
    balances = Debt(purchases_minor=100, installments_minor=50).balances()
    assert balances.by_kind()[Kind.PURCHASES] == 150


def test_what_the_bank_owes_of_one_kind_pays_another() -> None:
    assert Debt(purchases_minor=-300, cash_minor=200, interest_minor=500).netted() == Debt(interest_minor=400)


def test_a_card_on_which_nothing_stands_gives_a_plan_of_purchases() -> None:
    assert Debt().part(1_000) == Debt(purchases_minor=1_000)


@given(debt=_DEBTS, amount=st.integers(min_value=1, max_value=9_000_000))
def test_parts_add_up_and_none_is_above_its_kind(debt: Debt, amount: int) -> None:
    part, whole = debt.part(amount), debt.netted()
    assert part.total_minor == amount
    assert min(asdict(part).values()) >= 0
    if whole.total_minor >= amount:
        assert all(taken <= asdict(whole)[kind] for kind, taken in asdict(part).items())
