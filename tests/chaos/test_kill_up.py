"""`kill -9` of `casework up` in the middle of fifty cases: nothing is lost, doubled or left behind."""

from pathlib import Path

import pytest

from tests.chaos.proofs import prove
from tests.chaos.siege import Blow, Moment, besieged

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

# Each comes when something is half done: a decision without its answer, a case without its workflow, a start.
_BLOWS = [
    Blow(after=20, moment=Moment.DECISION),
    Blow(after=60, moment=Moment.START),
    Blow(after=110, moment=Moment.DECISION, again=True),
]


async def test_fifty_cases_survive_kills_of_the_supervisor(tmp_path: Path) -> None:
    async with besieged(tmp_path, cases=50) as siege:
        await siege.run(_BLOWS)
        tally = await prove(siege)
    print(tally)
    print("unanswered at each kill", siege.unanswered, "ready again after", [round(s, 1) for s in siege.back_after])
    # Teeth: the kills hit decisions that were under way, and clients had to ask again.
    assert sum(siege.unanswered) > 0
    assert tally.repeats > 0
    assert tally.shadow > 0
    assert tally.after_restart > 0
