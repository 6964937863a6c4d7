"""Stop-watches, and throw-away stores as the embedded default has them."""

import base64
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from compliance.vault.kek import EnvKek
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import AES_256_GCM, EnabledSuites, Suite
from deploy.migrate import Store, migrate, newest
from models.database.engine import Database, open_database

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stores:
    """A folder with both stores in it, migrated and empty."""

    folder: Path
    data: Database
    vault: Vault


@contextmanager
def empty_stores(suite: Suite = AES_256_GCM) -> Iterator[Stores]:
    """Both stores on SQLite in a folder that goes away; `suite` is that of the tenants' keys."""
    with (
        tempfile.TemporaryDirectory(prefix="casework-bench-") as folder,
        _stores_in(Path(folder), _new_kek(), suite) as stores,
    ):
        yield stores


@contextmanager
def kept_stores(name: str, fill: Callable[[Stores], None], suite: Suite = AES_256_GCM) -> Iterator[Stores]:
    """Stores that are costly to fill: made once, then found again by the next run, which must only read them.

    They lie under `$XDG_CACHE_HOME/casework-bench`, for each revision of the tables anew; those of other revisions go.
    What is measured of them is measured in this run; only the filling is not repeated.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "casework-bench"
    folder = root / f"{name}-{newest(Store.DATA)}"
    if not folder.exists():
        for stale in root.glob(f"{name}-*"):
            shutil.rmtree(stale)
        tell(f"{name}: made once, and kept in {folder}")
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".", dir=root))
        try:
            (draft / "kek").write_text(_new_kek())  # of made-up data
            with _stores_in(draft, (draft / "kek").read_text(), suite) as stores:
                fill(stores)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    with _stores_in(folder, (folder / "kek").read_text(), suite) as stores:
        yield stores


def tell(text: str) -> None:
    """Say on the error stream how far a measurement is: the figures come at the end."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _new_kek() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@contextmanager
def _stores_in(folder: Path, kek_text: str, suite: Suite) -> Iterator[Stores]:
    with ExitStack() as opened:
        data, keys = (open_database(f"sqlite:///{folder / name}.db") for name in ("data", "keys"))
        opened.callback(data.dispose)
        opened.callback(keys.dispose)
        migrate(data, store=Store.DATA)
        kek = EnvKek(kek_text)
        initialise_key_store(keys, kek=kek, clock=lambda: NOW)
        enabled = EnabledSuites(tuple(dict.fromkeys((suite, AES_256_GCM))))
        yield Stores(folder, data, open_vault(keys, kek, lambda: NOW, suites=enabled))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Spent:
    """What work has cost: seconds of this process' processor time, and seconds on the clock.

    Where others use the machine too, only the first says something.
    """

    processor: float = 0.0
    clock: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.processor + other.processor, self.clock + other.clock)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(max(self.processor - other.processor, 0.0), max(self.clock - other.clock, 0.0))


def spent(work: Callable[[], object]) -> Spent:
    """What it costs, once."""
    processor, clock = time.process_time(), time.perf_counter()
    work()
    return Spent(time.process_time() - processor, time.perf_counter() - clock)


def milliseconds(work: Callable[[], object], *, times: int) -> list[float]:
    """How long it takes each time, after three times that do not count."""
    for _ in range(3):
        work()
    return [seconds(work) * 1_000 for _ in range(times)]


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` (0 … 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
