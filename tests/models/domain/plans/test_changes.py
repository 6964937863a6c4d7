"""A counter-offer shows what it changes, all of it and nothing else."""

from hypothesis import HealthCheck, given, settings

from models.domain.plans.changes import changes
from models.domain.plans.negotiation import Family, NegotiationInput
from models.domain.plans.offers import offer, side_by_side
from tests.models.domain.plans.rounds import ROUND, rounds, the_round


def test_the_same_offer_has_no_changes() -> None:
    assert changes(offer(Family.FIXED_TERM, ROUND), offer(Family.FIXED_TERM, ROUND)) == ()


def test_a_longer_term_changes_the_term_the_amounts_and_adds_rows() -> None:
    old, new = offer(Family.FIXED_TERM, ROUND), offer(Family.FIXED_TERM, the_round(term_months=37))
    found = {change.path: (change.old, change.new) for change in changes(old, new)}
    assert found["/figures/term"] == (36, 37)
    assert found["/rows/36/no"] == (None, 37)
    assert found["/figures/levelInstallmentMinor"][0] > found["/figures/levelInstallmentMinor"][1]
    assert "/balances/purchases" not in found
    assert "/rows/0/due" not in found


@given(about=rounds(), other=rounds())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_changes_means_the_same_hash_and_the_other_way_round(
    about: NegotiationInput, other: NegotiationInput
) -> None:
    for old, new in zip(side_by_side(about), side_by_side(other), strict=True):
        assert (changes(old, new) == ()) == (old.hash == new.hash)
        assert {change.path: change.new for change in changes(old, new)} == {
            change.path: change.old for change in changes(new, old)
        }
