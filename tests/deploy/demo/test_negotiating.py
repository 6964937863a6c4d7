"""The plan that an officer of the demo chooses: one that is offered, within authority, and that fits if any does."""

from typing import Any

import pytest

from deploy.demo.negotiating import fitting
from models.domain.plans.negotiation import Family


def offer(family: Family, *, offered: bool = True, bps: int = 200, fits: bool = True, term: int = 24) -> dict[str, Any]:
    return {
        "id": family.value,
        "family": family.value,
        "hash": "0" * 64 if offered else None,
        "figures": {"concessionBps": bps, "fits": fits, "term": term} if offered else {},
    }


def test_every_family_is_somebodys_wish() -> None:
    offers = [offer(family) for family in Family]
    assert {fitting(offers, wish=wish)["id"] for wish in range(len(Family))} == set(Family)


def test_what_fits_comes_before_what_is_wished_for() -> None:
    offers = [offer(Family.FIXED_TERM, fits=False), offer(Family.STEP_UP)]
    assert fitting(offers, wish=0)["id"] == Family.STEP_UP


def test_authority_comes_before_what_fits() -> None:
    offers = [offer(Family.INTEREST_PAUSE, bps=4_000), offer(Family.FIXED_TERM, fits=False)]
    assert fitting(offers, wish=0)["id"] == Family.FIXED_TERM


def test_the_agreed_term_comes_before_what_fits() -> None:
    offers = [offer(Family.AFFORDABLE, term=31), offer(Family.FIXED_TERM, fits=False, term=6)]
    assert fitting(offers, wish=1, months=6)["id"] == Family.FIXED_TERM
    assert fitting(offers, wish=0)["id"] == Family.AFFORDABLE


def test_nothing_offered_is_nothing_to_choose() -> None:
    with pytest.raises(LookupError):
        fitting([offer(Family.FIXED_TERM, offered=False)], wish=0)
