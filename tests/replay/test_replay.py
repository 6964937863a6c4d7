"""Every recorded history replays on the code of today, whichever scenario wrote it."""

from typing import Final

import pytest

from tests.replay import golden

RECORDED: Final = sorted(path.stem for path in golden.HISTORIES.glob("*.json"))


@pytest.mark.parametrize("scenario", RECORDED)
async def test_a_recorded_history_replays(scenario: str) -> None:
    await golden.replay(scenario)


@pytest.mark.parametrize("scenario", RECORDED)
def test_histories_and_payloads_stay_small(scenario: str) -> None:
    """R23: far below the server's ceilings."""
    assert len(golden.read(scenario)["events"]) <= 5_000
    assert (golden.HISTORIES / f"{scenario}.json").stat().st_size <= 5_000_000
