"""`kill -9` of the children of `casework up`, at random: they come back, and nothing is lost or doubled."""

from pathlib import Path
from random import Random

import pytest

from tests.chaos.proofs import prove
from tests.chaos.siege import Blow, Moment, besieged

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

SEEDS = (11, 12)
_CASES = 50
# Five deaths of the same child within a minute would make the supervisor give up, and rightly.
_TARGETS = ("app",) * 4 + ("start-dev",) * 3


def blows_of(seed: int) -> list[Blow]:
    """Seven blows in random order, each some fifteen to twenty decisions after the one before."""
    rng = Random(seed)
    targets = rng.sample(_TARGETS, len(_TARGETS))
    moments = [rng.choice(list(Moment)) for _ in targets]
    moments[targets.index("app")] = Moment.DECISION  # at least one that must leave a client without an answer
    after, blows = 0, []
    for target, moment in zip(targets, moments, strict=True):
        after += rng.randint(14, 20)
        blows.append(Blow(after=after, target=target, moment=moment))
    return blows


@pytest.mark.parametrize("seed", SEEDS)
async def test_fifty_cases_survive_seven_kills_of_children(tmp_path: Path, seed: int) -> None:
    blows = blows_of(seed)
    print(f"seed {seed}:", ", ".join(f"{blow.target}/{blow.moment} after {blow.after}" for blow in blows))
    async with besieged(tmp_path, cases=_CASES) as siege:
        assert siege.stack is not None
        supervisor = siege.stack.process.pid
        await siege.run(blows)
        assert siege.stack.process.poll() is None
        assert siege.stack.process.pid == supervisor  # it never gave up, and nobody started another
        tally = await prove(siege)
    print(tally)
    print("unanswered at each kill", siege.unanswered, "ready again after", [round(s, 1) for s in siege.back_after])
    # Teeth: the kills hit decisions that were under way, and clients had to ask again.
    assert sum(siege.unanswered) > 0
    assert tally.repeats > 0
    assert tally.shadow > 0
    assert tally.after_restart > 0
