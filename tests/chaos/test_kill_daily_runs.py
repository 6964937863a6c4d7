"""`kill -9` in the middle of business dates: each row is debited once, each reply booked once, dates stay in order."""

import asyncio
import itertools
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from temporalio.client import Client

from models.domain.ids import daily_workflow_id
from models.queries.ledger import trial_balance
from models.tables.agreements import AgreementEvent
from models.tables.daily import BankReply, DailyRun
from tests.chaos.days import ROWS, DaySiege, besieged_days
from tests.chaos.proofs import command
from tests.support.daybook import ONE_DAY, TENANT

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]

SEEDS = (21, 22)
_AGREEMENTS = 40
_DATES = 20  # two weeks of debits, and the days until the last is settled
# Five deaths of the same child within a minute would make the supervisor give up, and rightly.
_TARGETS = ("up", "app", "start-dev") * 2


def blows_of(seed: int) -> dict[int, str]:
    """Six blows in random order, on six of the dates that have debits or answers to them."""
    rng = Random(seed)
    return dict(zip(sorted(rng.sample(range(3, 16), len(_TARGETS))), rng.sample(_TARGETS, len(_TARGETS)), strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_dates_survive_six_kills(tmp_path: Path, seed: int) -> None:
    blows = blows_of(seed)
    with besieged_days(tmp_path, agreements=_AGREEMENTS, seed=seed) as siege:
        first = siege.book.today()
        for number in range(_DATES):
            siege.pass_until(first + number * ONE_DAY, target=blows.get(number))
        last = first + (_DATES - 1) * ONE_DAY
        print(f"seed {seed}: hit {siege.hit}, ready again after {[round(s, 1) for s in siege.back_after]}")
        _each_row_was_debited_once(siege)
        _books_balance_on_each_date(siege, first, last)
        _dates_ran_in_order(siege, first, last)
        told = siege.get(f"/v1/reconciliations?from={first}&until={last}&source=files").json()
        assert (told["agreeing"], told["pending"], told["differences"]) == (_AGREEMENTS * ROWS, 0, [])
        again = asyncio.run(_attempts_again(siege, first))
        assert siege.stack is not None
        siege.stack.stop()
        assert command(siege.data.root, "audit", "verify", "--json").returncode == 0
    # Teeth: most blows hit a run that was under way, and steps were done over.
    assert len(siege.hit) == len(_TARGETS)
    under_way = [step for _, step in siege.hit if step != "none"]
    print(f"{len(under_way)} of {len(siege.hit)} hit a run, {again} activities were tried again, asked {siege.asked}")
    assert len(under_way) >= 3
    assert again > 0


def _each_row_was_debited_once(siege: DaySiege) -> None:
    book, orders = siege.book, siege.book.orders()
    entries = siege.bank.entries()
    assert Counter(entry.debit.end_to_end_id for entry in entries) == Counter(order.end_to_end_id for order in orders)
    assert len({(order.agreement_id, order.row_no) for order in orders}) == len(orders) == _AGREEMENTS * ROWS
    assert {order.state for order in orders} == {"SETTLED"}
    assert all(entry.booked and not entry.returned for entry in entries)
    paid = [event for event in book.all(AgreementEvent) if event.kind == "payment"]
    assert Counter(event.id for event in paid) == Counter(order.event_id for order in orders)
    assert sum(event.amount_minor for event in paid) == sum(entry.debit.amount_minor for entry in entries)
    booked = [reply for reply in book.all(BankReply) if reply.state == "BOOKED" and reply.amount_minor]
    assert Counter(reply.order_id for reply in booked) == Counter(order.id for order in orders)


def _books_balance_on_each_date(siege: DaySiege, first: date, last: date) -> None:
    for number in range((last - first).days + 1):
        with siege.book.database.read() as session:
            balance = trial_balance(session, tenant=TENANT, on=first + number * ONE_DAY)
        assert sum(balance.values()) == 0
    siege.book.check_books(last)


def _dates_ran_in_order(siege: DaySiege, first: date, last: date) -> None:
    runs = sorted(siege.book.all(DailyRun), key=lambda run: run.business_date)
    assert [run.business_date for run in runs] == [
        first + timedelta(days=number) for number in range((last - first).days + 1)
    ]
    assert {run.state for run in runs} == {"DONE"}
    assert all(before.ended_at <= after.started_at for before, after in itertools.pairwise(runs))


async def _attempts_again(siege: DaySiege, first: date) -> int:
    """How many activities of the runs were started more than once: each an effect, were there no keys."""
    assert siege.stack is not None
    client = await Client.connect(siege.stack.facts["temporal"], namespace=siege.stack.facts["namespace"])
    again = 0
    for number in range(_DATES):
        day = (first + number * ONE_DAY).isoformat()
        history = await client.get_workflow_handle(daily_workflow_id(TENANT, day)).fetch_history()
        for event in history.events:
            if event.HasField("activity_task_started_event_attributes"):
                again += event.activity_task_started_event_attributes.attempt > 1
    return again
