"""`kill -9` of `casework up` and its children while waves move, while they are put back, and while customers are told.

In every run: nothing lost or counted twice, the book bit for bit as before after the rollback and the same book after
the second run, no customer told twice on one channel, and no effect without its event.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo.transfers import calls
from models.domain.transfers.conflicts import Choice, ConflictKind
from models.domain.transfers.states import JobStage, WaveState
from tests.chaos.proofs import command
from tests.chaos.transfers import TransferSiege, all_are, besieged_transfer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2400)]

SEEDS = (41,)
_CUSTOMERS, _WAVE_ROWS = 340, 30
_KILLS = 10
_AFTER_MOST_S = 0.1  # from the moment at which work is seen to the kill: in it a fast machine moves half a wave


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_transfer_survives_random_kills_of_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    async with besieged_transfer(tmp_path, monkeypatch, customers=_CUSTOMERS, wave_rows=_WAVE_ROWS, seed=seed) as siege:
        await siege.answer_until(lambda: siege.stage() == JobStage.GO_NO_GO)
        before = siege.stored()
        await _move(siege, "move", kills=_KILLS)
        first = siege.meant()
        await _put_all_back(siege)
        assert siege.stored() == before, "bit for bit"
        siege.held_back.discard("transfers.wave-stopped")
        await _move(siege, "move again", kills=2)
        assert siege.meant() == first, "run again, the same book"
        _roots_were_equal(siege)
        siege.held_back.clear()
        await _to_the_end(siege)
        _told_once(siege)
        _every_effect_has_its_event(siege)
        assert siege.stack is not None
        siege.stack.stop()
    report = command(siege.data.root, "audit", "verify", "--json")
    assert report.returncode == 0, report.stdout
    kills = Counter(phase for phase, _, _ in siege.hit)
    print(f"seed {seed}: {dict(kills)}, {dict(Counter(target for _, target, _ in siege.hit))}")
    print("lines that stood at each kill", [lines for _, _, lines in siege.hit])
    print("whole again after", [round(each, 1) for each in siege.back_after], "races", sum(siege.races.values()))
    # Teeth: the kills hit work, at different places, and every process.
    assert kills["move"] >= _KILLS
    assert kills["undo"] >= _KILLS
    assert len({lines for phase, _, lines in siege.hit if phase == "move"}) >= _KILLS // 2
    assert len({lines for phase, _, lines in siege.hit if phase == "undo"}) >= _KILLS // 2
    assert {target for _, target, _ in siege.hit} == {"up", "app", "start-dev"}


async def _move(siege: TransferSiege, phase: str, *, kills: int) -> None:
    """All waves, with kills spread over them by chance."""
    answering = asyncio.create_task(siege.answer_until(lambda: all_are(siege, WaveState.MOVED)))
    try:
        begun = siege.standing()
        for number in range(kills):
            mark = begun + number * (_CUSTOMERS * 9 // 10) // (kills + 1) + 1
            await _until(lambda mark=mark: siege.standing() >= mark, answering)
            await asyncio.sleep(siege.rng.uniform(0, _AFTER_MOST_S))
            if answering.done():
                break
            await asyncio.to_thread(siege.strike, phase)
        await answering
    finally:
        answering.cancel()
    siege.assert_conserved()


async def _put_all_back(siege: TransferSiege) -> None:
    """Wave after wave, last one first, a kill in each; nobody says yet that one shall run again.

    A wave is back before its request is done; a kill may fall between the two, and the next one is asked for after it.
    """
    siege.held_back.add("transfers.wave-stopped")
    for wave in sorted(siege.waves(), reverse=True):
        is_back = lambda wave=wave: siege.waves()[wave] == WaveState.UNDONE and not siege.is_rolling_back()  # noqa: E731
        await calls.ask_rollback(siege.room.acquirer.lead, siege.room.job, wave=wave)
        answering = asyncio.create_task(siege.answer_until(is_back))
        try:
            await _until(lambda wave=wave: siege.waves()[wave] != WaveState.MOVED, answering)
            await asyncio.sleep(siege.rng.uniform(0, _AFTER_MOST_S))
            await asyncio.to_thread(siege.strike, "undo")
            await answering
        finally:
            answering.cancel()
        siege.assert_conserved()
    assert all_are(siege, WaveState.UNDONE)
    assert siege.standing() == 0


async def _to_the_end(siege: TransferSiege) -> None:
    """Customers are told, with two kills meanwhile; the rest of the job."""
    answering = asyncio.create_task(siege.answer_until(lambda: siege.stage() == JobStage.ENDED))
    try:
        for least in (40, 160):
            await _until(lambda least=least: _attempts(siege) >= least, answering)
            if not answering.done():
                await asyncio.to_thread(siege.strike, "notify")
        await answering
    finally:
        answering.cancel()
    assert siege.ask("SELECT outcome FROM transfer_jobs WHERE token = ?", siege.room.job) == [("completed",)]


async def _until(holds: Callable[[], object], answering: "asyncio.Task[None]") -> None:
    """Wait for something to hit; people may have come to their end before."""
    while not holds():
        if answering.done():
            return
        await asyncio.sleep(0.01)


def _attempts(siege: TransferSiege, *, channel: str = "%") -> int:
    query = (
        "SELECT count(*) FROM transfer_notice_attempts a JOIN transfer_notices n ON n.id = a.notice "
        "WHERE n.job = ? AND a.channel LIKE ?"
    )
    return int(siege.ask(query, siege.room.job, channel)[0][0])


def _events(siege: TransferSiege, action: str) -> list[dict[str, object]]:
    query = "SELECT body FROM audit_events WHERE target = ? AND action = ? ORDER BY id"
    return [json.loads(body)["facts"] for (body,) in siege.ask(query, siege.room.job, action)]


def _roots_were_equal(siege: TransferSiege) -> None:
    undone = _events(siege, "transfer.wave-undone")
    assert len(undone) == len(siege.waves())
    for each in undone:
        assert each["root"] == each["rootBefore"] != ""


def _told_once(siege: TransferSiege) -> None:
    """Each customer has one notice; on each channel there was one attempt, and of it one message."""
    job = siege.room.job
    twice = "SELECT row_number, count(*) FROM transfer_notices WHERE job = ? GROUP BY row_number HAVING count(*) > 1"
    assert siege.ask(twice, job) == []
    again = (
        "SELECT a.notice, a.channel, count(*) FROM transfer_notice_attempts a JOIN transfer_notices n "
        "ON n.id = a.notice WHERE n.job = ? GROUP BY a.notice, a.channel HAVING count(*) > 1"
    )
    assert siege.ask(again, job) == []
    for channel, inbox in (("sms", siege.providers.sms), ("email", siege.providers.mail)):
        assert 0 < len(inbox.messages) <= _attempts(siege, channel=channel)


def _every_effect_has_its_event(siege: TransferSiege) -> None:
    """Lines of the journal, undone ones, and customers who were tried: as many as the events say."""
    job = siege.room.job
    moved = Counter[object]()
    for each in _events(siege, "transfer.rows-moved"):
        moved[each["wave"]] += sum(int(each[name]) for name in ("inserted", "updated", "unchanged"))
    # A row that waited for a person has its line from that decision.
    wave_of = dict(siege.ask("SELECT number, wave FROM transfer_rows WHERE job = ?", job))
    for each in _events(siege, "transfer.conflict-decided"):
        if each["kind"] != ConflictKind.UNDO and each["choice"] != Choice.HOLD:
            moved[wave_of[each["row"]]] += 1
    lines = siege.ask("SELECT wave, count(*) FROM transfer_changes WHERE job = ? GROUP BY wave", job)
    assert dict(lines) == moved
    undone = Counter[object]()
    for each in _events(siege, "transfer.rows-undone"):
        undone[each["wave"]] += int(each["undone"])
    [(put_back,)] = siege.ask("SELECT count(*) FROM transfer_changes WHERE job = ? AND undone_at IS NOT NULL", job)
    assert sum(undone.values()) == put_back
    tried = sum(int(each["customers"]) - int(each["again"]) for each in _events(siege, "transfer.notices-tried"))
    assert tried == _attempts(siege)
