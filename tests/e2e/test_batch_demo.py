"""The batch demo, small: two runs through the API from their files to the close, with refusals, retries and returns."""

from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.batches.casting import Debited, Waged, cast_batches
from deploy.demo.batches.play import play_batches


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.timeout(500)
async def test_both_batches_come_to_the_ends_that_were_planned(tmp_path: Path) -> None:
    report = await play_batches(tmp_path, Console(quiet=True), orders=30, rows=20)
    assert [f"{check.name}: {check.seen}" for check in report.checks if not check.holds] == []
    debits, wages = report.runs["auto-debit"], report.runs["payroll"]
    assert {run["outcome"] for run in (debits, wages)} == {"completed"}
    # One row of each kind of misfortune: two retries for who never had money, one for who had none at first.
    assert debits["reconciled"]["ends"]["returned"]["orders"] == 1
    assert debits["reconciled"]["orders"] == 30 + 3
    assert (debits["readRows"], debits["excluded"]) == (34, 3)
    assert wages["reconciled"]["ends"].keys() == {"barred", "returned", "settled"}


def test_every_misfortune_is_cast_and_the_usual_row_is_paid() -> None:
    cast = cast_batches(orders=5_000, rows=1_000)
    debited = [each.part for each in cast.debtors]
    assert sum(each.is_asked for each in cast.debtors) == 5_000
    assert set(debited) == set(Debited)
    assert debited.count(Debited.PAID) > 4_800
    assert {each.part for each in cast.workers} == set(Waged)
    assert sum(cast.planned_debits().values()) == 5_000 + debited.count(Debited.NO_MONEY_ONCE) + 2 * debited.count(
        Debited.NO_MONEY
    )
    everybody = [each.person.card_number for each in (*cast.debtors, *cast.workers)]
    assert len(set(everybody)) == len(everybody) == 5_004 + 1_000
