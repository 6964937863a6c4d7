"""The worked round of `docs/plans.md` is what the product works out."""

from pathlib import Path

import pytest

import models
from models.domain.plans.negotiation import Family
from models.domain.plans.offers import PlanOffer, offer
from tests.models.domain.plans.rounds import ROUND

_PAGE = Path(next(iter(models.__path__))).parent / "docs" / "plans.md"


def row_of(one: PlanOffer) -> str:
    """The row of the page's table, as this offer has it."""
    figures = one.figures
    assert figures is not None
    money = (
        figures.first_installment_minor,
        figures.highest_installment_minor,
        figures.last_installment_minor,
        figures.total_cost_minor,
        figures.conceded_minor,
    )
    assert figures.capacity_bps is not None
    cells = (
        f"`{one.family}`",
        str(figures.term),
        *(f"{amount // 100:,}.{amount % 100:02d}" for amount in money),
        str(figures.concession_bps),
        *(str(rate) for rate in (figures.nominal, figures.effective, figures.simple)),
        f"{figures.capacity_bps // 100}.{figures.capacity_bps % 100:02d}",
    )
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("family", Family)
def test_the_table_of_the_page_is_worked_out_again(family: Family) -> None:
    assert row_of(offer(family, ROUND)) in _PAGE.read_text(encoding="utf-8").splitlines()
