"""A worker that does not stop holds no test up."""

import asyncio
from typing import Self

import pytest

from tests.support import workers


class Deaf:
    """A worker whose shutdown never ends, and does not heed its cancellation either."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


def test_a_worker_that_does_not_stop_is_left_behind_and_the_loop_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "_STOP_S", 0.01)

    async def job() -> str:
        async with workers.running(Deaf()):  # type: ignore[arg-type]
            return "seen"

    assert asyncio.run(job()) == "seen"
    assert "was left behind" in capsys.readouterr().err
