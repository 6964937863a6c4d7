"""The simulated core's file: shared by processes, whole after a kill, and without card numbers."""

import multiprocessing
from datetime import date
from pathlib import Path

from activities.gateways.core import Card
from activities.gateways.simulated_core import SimulatedCore
from models.domain.core_journal import JournalLine

CARD = Card("main", "6229990000001230")
DAY = date(2026, 11, 23)


def test_what_one_process_did_another_knows(tmp_path: Path) -> None:
    one, other = SimulatedCore(tmp_path / "core.jsonl"), SimulatedCore(tmp_path / "core.jsonl")
    answer = one.block(CARD, key="k/1")
    assert other.is_blocked(CARD)
    assert other.block(CARD, key="k/1") == answer
    other.release(CARD, key="k/2")
    assert not one.is_blocked(CARD)
    assert one.orders() == other.orders() == 2


def _order_many(file: Path) -> None:
    core = SimulatedCore(file)
    for number in range(50):
        core.block(CARD, key=f"k/{number}")


def test_many_processes_at_once_do_each_key_once(tmp_path: Path) -> None:
    file, context = tmp_path / "core.jsonl", multiprocessing.get_context("spawn")
    workers = [context.Process(target=_order_many, args=(file,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(file.read_text().splitlines()) == 50
    assert SimulatedCore(file).orders() == 50


def test_half_a_line_of_a_killed_process_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "core.jsonl"
    SimulatedCore(file).block(CARD, key="k/1")
    with file.open("ab") as torn:
        torn.write(b'{"do":"order","key":"k/2","kin')
    core = SimulatedCore(file)
    assert core.orders() == 1
    core.release(CARD, key="k/2")
    assert SimulatedCore(file).orders() == 2


def test_the_file_holds_no_card_number(tmp_path: Path) -> None:
    core = SimulatedCore(tmp_path / "core.jsonl")
    core.block(CARD, key="k/1")
    core.book([JournalLine(reference="GL-1", account="cash", amount_minor=5)], tenant="main", business_date=DAY)
    assert CARD.number not in (tmp_path / "core.jsonl").read_text()
    assert (tmp_path / "core.jsonl").stat().st_mode & 0o077 == 0
