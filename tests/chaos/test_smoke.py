"""The short form of the siege, on every change: twelve cases, and one `kill -9` of `casework up`."""

from pathlib import Path

import pytest

from tests.chaos.proofs import agree, prove
from tests.chaos.siege import Blow, Moment, Siege, besieged

pytestmark = [pytest.mark.chaos_smoke, pytest.mark.timeout(300)]


async def test_twelve_cases_survive_a_kill_of_the_supervisor(tmp_path: Path) -> None:
    async with besieged(tmp_path, cases=12) as siege:
        await siege.run([Blow(after=12, moment=Moment.DECISION)])
        tally = await prove(siege)
        _proofs_can_fail(siege)
    print(tally)
    assert sum(siege.unanswered) > 0  # teeth: it hit a decision under way
    assert tally.repeats > 0
    assert tally.shadow > 0
    assert tally.after_restart > 0


def _proofs_can_fail(siege: Siege) -> None:
    """One decision that was acknowledged and is not there, or is there and was never acknowledged, is noticed."""
    assert siege.played is not None
    decision, status = siege.played.wire.acknowledged.popitem()
    with pytest.raises(AssertionError):
        agree(siege)
    siege.played.wire.acknowledged |= {decision: status, f"{decision[:-12]}{0:012}": 201}
    with pytest.raises(AssertionError):
        agree(siege)
