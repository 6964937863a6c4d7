"""R18: whichever commit the process dies behind, every record is wholly old or wholly new, and an undo is bit-exact."""

import random
from collections.abc import Callable
from typing import TypeVar

import pytest

from compliance.transfers.wave_rows import subject_id
from models.contracts.transfers import ChunkStep
from models.domain.transfers.states import WaveState
from models.operations.transfers.wave_moves import WaveAt
from tests.support.kills import Killed, Killer, killing
from tests.support.transfer_waves import JOB, WaveOffice, persons

T = TypeVar("T")


def random_book(office: WaveOffice, chance: random.Random) -> None:
    """Some rows are known to the target, some are one person twice, some clash, some cannot be opened."""
    size = chance.randint(25, 60)
    rows = persons(size, prefix="S")
    known = sorted(chance.sample(range(size), k=size // 5))
    theirs = []
    for place in known:
        record = dict(rows[place]) | {"customer_no": f"T{place}"}
        for name in ("email", "account", "address", "employer"):
            if chance.random() < 0.5:
                record.pop(name, None)
        if chance.random() < 0.3:
            record["mobile"] = "+8613999999999"
        theirs.append(record)
    ids = office.book(theirs)
    office.rows(rows, into=dict(zip(known, ids, strict=True)))
    twice = chance.sample([place for place in range(size) if place not in known], k=3)
    for place in twice:
        office.rows(
            [rows[place] | {"customer_no": f"D{place}", "occupation": "会计"}], outcome="merged", same_row=place + 1
        )
    lost = chance.choice([place for place in range(size) if place not in (*known, *twice)])
    office.vault.shred_subject(tenant="buyer", subject_id=office.row(lost + 1).subject_id)


def alive(office: WaveOffice, step: Callable[[], T]) -> T:
    """As Temporal does: a step that died is begun again with what it was given; nothing may be lost in between."""
    while True:
        try:
            return step()
        except Killed:
            office.assert_conserved()


def whole_course(office: WaveOffice) -> None:
    """Every wave moves, all are rolled back, and all move again."""
    waves = alive(office, office.plan_waves)
    before, root = office.stored(), None
    for attempt in (1, 2):
        for wave in range(1, waves + 1):
            step = ChunkStep(job=JOB, wave=wave, attempt=attempt)
            alive(office, lambda step=step: office.steps.begin_wave(step))
            assert alive(office, lambda step=step: office.steps.move_rows(step)).stopped is None
            assert alive(office, lambda step=step: office.steps.end_wave(step)).state == WaveState.MOVED
        office.assert_conserved()
        if attempt == 1:
            root = office.meant()
            for wave in range(waves, 0, -1):
                step = ChunkStep(job=JOB, wave=wave, attempt=attempt)
                alive(office, lambda step=step: office.steps.undo_rows(step))
                assert alive(office, lambda step=step: office.steps.end_undo(step)).root_equal
            assert office.stored() == before, "bit for bit"
            office.assert_conserved()
    assert office.meant() == root, "run again, the same book"
    assert alive(office, office.reconcile) in (None, "conflicts-open")


@pytest.mark.parametrize(
    ("seed", "every"), [(1, 2), *(pytest.param(*each, marks=pytest.mark.long) for each in [(1, 0), (2, 3), (3, 5)])]
)
def test_conservation_and_bit_exact_undo_whatever_dies(
    *, database, vault, clock, monkeypatch: pytest.MonkeyPatch, seed: int, every: int
) -> None:
    office = WaveOffice(database, vault, clock, chunk=6, budget=100)
    office.plan["waveRows"] = 15
    office.open()
    random_book(office, random.Random(seed))
    with killing(monkeypatch, every) as killer:
        whole_course(office)
    assert killer.kills >= 8 or not every


def _kills_behind(killer: Killer, commit: int) -> None:
    killer.commits, killer.every = 0, commit


def test_a_wave_dies_behind_each_of_its_commits_and_is_rolled_back_from_there(
    sqlite_database, vault, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not begun again but rolled back, in the middle, by somebody who does not know how far it came."""
    office = WaveOffice(sqlite_database, vault, clock, chunk=6)
    office.open()
    random_book(office, random.Random(3))
    office.plan_waves()
    before, attempt, died = office.stored(), 0, True
    while died:
        attempt += 1
        died = False
        with killing(monkeypatch, 0) as killer:
            _kills_behind(killer, attempt)
            try:
                office.move(1, attempt)
            except Killed:
                died = True
        office.assert_conserved()
        assert office.undo(1, attempt).root_equal
        assert office.stored() == before
        made = [subject_id(WaveAt("buyer", JOB, 1, attempt), number) for number in range(1, office.number + 1)]
        assert not any(office.vault.subject_key_count(tenant="buyer", subject_id=each) for each in made), (
            "no key is left"
        )
    assert attempt > 5
