"""The assertions of the tests are rewritten once for all processes of a run, not once in each of them.

All processes begin at the same moment and collect the same files in the same order: in a new clone each of them rewrote
every file, half of what collecting costs. Now each does its share first and finds the others' in pytest's cache.
"""

import sys
from pathlib import Path
from typing import Final

import pytest
from _pytest.assertion import rewrite

_TESTS: Final = Path(__file__).parent.parent


def rewrite_share(config: pytest.Config) -> None:
    """Fill the cache with this process's share of what it lacks; a process that is alone needs none."""
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    state = config.stash.get(rewrite.assertstate_key, None)
    if worker is None or state is None or sys.dont_write_bytecode:
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    for source in sorted(_TESTS.rglob("test_*.py"))[number::count]:
        folder = rewrite.get_cache_dir(source)
        cached = folder / (source.name[: -len(".py")] + rewrite.PYC_TAIL)
        if rewrite._read_pyc(source, cached) is None and rewrite.try_makedirs(folder):
            digest, code = rewrite._rewrite_test(source, config)
            rewrite._write_pyc(state, code, digest, cached)
