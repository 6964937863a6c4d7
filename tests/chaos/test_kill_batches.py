"""`kill -9` of supervisor, app, Temporal and the bank while a batch of debits, and one of wages, run to their close.

The debits are run twice from the same frozen cohort, once in peace. What the bank is sent must be the same byte for
byte, but for one value: `CreDtTm` is the moment at which a file was reserved, by the clock of the wall, and the two
runs are made at two moments. Message ids, end-to-end ids, file names, dates, and the order of the lines follow from the
run, its business date, row and attempt. Midnight in Shanghai must not fall into the sending: between the cut-off of
23:59 and midnight what a file carries already goes out, and the rest follows in another file.
"""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.clock import wall_clock
from deploy.demo.batches import calls
from deploy.demo.batches.casting import Cast, Waged, Worker, cast_batches
from deploy.demo.office import Unexpected
from models.domain.shanghai import SHANGHAI
from tests.chaos.batch_proofs import prove_events, prove_files, prove_money, prove_orders, prove_stores
from tests.chaos.batches import (
    BatchSiege,
    Blow,
    BlowAtFile,
    Frozen,
    besieged_batch,
    freeze_debits,
    freeze_wages,
    lines_of,
    without_time,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(4 * 3600)]

SEED = 61
ORDERS = 20_000
LINES = 10_000
_KILLS, _BANK_KILLS = 20, 5  # of our processes, and of the bank's
_WAGE_KILLS = 5
_BY_FILE = 2  # so many changes an order has behind it when files appear: made, and put into one
_BY_END = 13  # and about so many, with the bank's lines, when all is over


async def test_a_debit_run_survives_kills_and_sends_the_bank_the_same_bytes(tmp_path: Path) -> None:
    await survive(tmp_path, orders=ORDERS)


async def survive(folder: Path, *, orders: int, kills: int = _KILLS, bank_kills: int = _BANK_KILLS) -> None:
    """A run of so many orders in peace, and one under kills; everything that must hold."""
    began = wall_clock().astimezone(SHANGHAI)
    cast = cast_batches(orders=orders, rows=1)
    frozen = await freeze_debits(folder / "frozen", cast.debtors)
    in_peace, far = await _peace(frozen.copied(folder / "peace"), cast)
    async with besieged_batch(frozen.copied(folder / "killed"), seed=SEED) as siege:
        siege.bank.blows = bank_blows(siege.rng, bank_kills, orders=orders)
        told = await siege.play(blows(siege.rng, kills, orders=orders, far=far))
        await _proved(siege, told, ends=cast.planned_debits())
        under_kills = siege.files_at_bank()
        _report(siege)
    assert under_kills.keys() == in_peace.keys(), f"from {began} to {wall_clock().astimezone(SHANGHAI)}"
    for name, content in under_kills.items():
        assert without_time(content) == without_time(in_peace[name]), name
    # Teeth: so many kills, of every process, at work and at different places of it.
    assert len(siege.hit) + len(siege.bank.killed) >= kills + bank_kills
    assert {target for _, target, _ in siege.hit} == {"up", "app", "start-dev"}
    assert len({far for _, _, far in siege.hit}) >= kills * 3 // 4
    assert {stage for stage, _, _ in siege.hit} >= {"executing", "sending", "awaiting"}
    assert sum(cut for _, cut in siege.bank.killed) >= bank_kills // 2, "calls were cut off"


async def _peace(frozen: Frozen, cast: Cast) -> tuple[dict[str, bytes], int]:
    """The same run with nobody in its way: its files at the bank, and how far it came."""
    async with besieged_batch(frozen, seed=SEED) as siege:
        told = await siege.play([])
        await _proved(siege, told, ends=cast.planned_debits())
        return siege.files_at_bank(), siege.standing()


async def _proved(siege: BatchSiege, told: dict[str, Any], *, ends: Counter[str]) -> None:
    print("files", siege.ask("SELECT message_id, business_date, items FROM bank_files WHERE direction = 'out'"))
    refused = "json_extract(policy, '$.decided.answeredOn'), requested_on, attempt, count(*) FROM batch_orders"
    print("refused on", siege.ask(f"SELECT {refused} WHERE state = 'rejected' GROUP BY 1, 2, 3"))
    assert told["outcome"] == "completed"
    siege.assert_conserved()
    prove_orders(siege, ends=ends)
    prove_money(siege, siege.bank, told)
    prove_files(siege)
    prove_events(siege)
    assert siege.stack is not None
    await asyncio.to_thread(siege.stack.stop)
    prove_stores(siege)


def blows(rng: Random, kills: int, *, orders: int, far: int) -> list[Blow | BlowAtFile]:
    """So many, each somewhere in its share of the work: a third before files leave, and one as the first appears."""
    file, early = _BY_FILE * orders, max(2, kills // 3)
    before = [Blow(at=1 + int((number + rng.random()) * (file - 1) / early)) for number in range(early)]
    late = kills - early - 1
    after = [Blow(at=file + int((number + rng.random()) * (far - file) * 0.99 / late)) for number in range(late)]
    return [*before, BlowAtFile(), *after]


def bank_blows(rng: Random, kills: int, *, orders: int) -> dict[int, float]:
    """Which calls of the bank are cut off, and when: the first reading, and others among those of the first days."""
    calls_hit = [1, *rng.sample(range(2, 12), kills - 1)]
    return {call: rng.uniform(0, max(0.05, orders / 10_000)) for call in calls_hit}


def _report(siege: BatchSiege) -> None:
    print(f"{len(siege.hit)} kills: {dict(Counter(target for _, target, _ in siege.hit))}")
    print("at", [(stage, far) for stage, _, far in siege.hit])
    print("whole again after", [round(each, 1) for each in siege.back_after])
    print("the bank was killed in", siege.bank.killed, "and read", siege.came_again(), "files that it had already")


async def test_a_payroll_sent_three_times_pays_each_line_once(tmp_path: Path) -> None:
    await pay_once(tmp_path, lines=LINES)


async def pay_once(folder: Path, *, lines: int, kills: int = _WAGE_KILLS) -> None:
    """R17: the client's file comes once more while its run is under way, and once more when it is over."""
    people = [each.person for each in cast_batches(orders=lines, rows=1).debtors[:lines]]
    workers = [Worker(person=each, part=Waged.PAID, net_minor=500_000 + 37 * no) for no, each in enumerate(people)]
    frozen = await freeze_wages(folder / "wages", workers)
    async with besieged_batch(frozen, seed=SEED) as siege:
        playing = asyncio.create_task(siege.play(blows(siege.rng, kills, orders=lines, far=_BY_END * lines)))
        await _is_refused(siege, frozen)
        told = await playing
        await _is_refused(siege, frozen)
        sums = _sums(siege)
        assert set(sums.values()) == {frozen.file.total_minor}, sums
        await _proved(siege, told, ends=Counter(settled=lines))
        _report(siege)
    assert len(siege.hit) == kills


async def _is_refused(siege: BatchSiege, frozen: Frozen) -> None:
    """The same bytes for another run: the hash knows them, and the answer names the run that they are in."""
    maker = siege.course.desk.maker
    [(client, account)] = siege.ask("SELECT client, funding_account FROM batch_runs WHERE token = ?", frozen.run)
    with pytest.raises(Unexpected, match="409 batch-file-known"):
        await calls.begin_run(maker, frozen.kind, frozen.file, client=client, fundingAccount=account)
    assert any(frozen.run.encode() in problem for problem in maker.line.problems)


def _sums(siege: BatchSiege) -> dict[str, int]:
    """What came in from the client, what the bank was told, what it paid, what the books and the funding say."""
    [(used, state)] = siege.ask("SELECT used_minor, state FROM funding_holds WHERE run = ?", siege.token)
    assert state == "released"
    [(rows,)] = siege.ask("SELECT sum(amount_minor) FROM batch_rows WHERE state = 'accepted'")
    [(booked,)] = siege.ask(
        "SELECT -sum(amount_minor) FROM batch_entries WHERE account = 'clearing' AND posting LIKE 'settled/%'"
    )
    told = sum(amount for content in siege.files_at_bank().values() for _, amount in lines_of(content))
    paid = sum(each.amount_minor for each in siege.bank.payments() if each.booked and not each.returned)
    return {"rows": rows, "bank file": told, "paid": paid, "booked": booked, "funding": used}
