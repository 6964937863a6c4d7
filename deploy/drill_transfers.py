"""The emergency exercise of a transfer job: copies of both stores, one fault, one event.

The live stores are only read, but for the event that says how it went. The scratch place is wiped at the end: files of
an embedded installation, databases of their own on PostgreSQL (`deploy.drill_postgres`).
"""

import multiprocessing
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final

from activities.transfers.backup_steps import SqlBackup
from activities.transfers.collect_steps import SqlCollect
from activities.transfers.drill import hold
from activities.transfers.drill_bench import Bench, Drilled, DrillFault, walk_wave
from activities.transfers.notices import SqlNotices
from activities.transfers.sources.desk import Sources
from activities.transfers.waves import SqlWaves
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.epochs import wipe
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.suites import EnabledSuites
from deploy import datadir
from deploy.clock import wall_clock
from deploy.drill_desk import DrillCarriers, DrillDesk
from deploy.drill_postgres import scratch_databases
from deploy.exits import CommandFailed, ExitCode
from deploy.keks import kek_for
from deploy.stores import Stores
from deploy.values import Settings
from models.contracts.transfers import ChunkStep
from models.database.engine import Database, open_database
from models.domain.clock import Clock
from models.errors import KeysUnavailable
from models.tables.transfers import TransferJob

# So small that a worker is seen in the middle of a wave of a few dozen rows.
CHUNK: Final = 5
_NO_LINKS: Final = "https://drill.invalid"  # nothing of a drill is sent
Keks = Callable[[Database], KekProvider]


@dataclass(slots=True)
class LosableKek(KekProvider):
    """A provider that can be made to answer no more."""

    inner: KekProvider
    lost: bool = False

    @property
    def id(self) -> str:
        """As the provider's."""
        return self.inner.id

    def wrap(self, key: bytes, *, associated_data: bytes) -> bytes:
        """As the provider's.

        Raises:
            KeysUnavailable: it is lost.
        """
        self._answer()
        return self.inner.wrap(key, associated_data=associated_data)

    def unwrap(self, wrapped: bytes, *, associated_data: bytes) -> bytes:
        """As the provider's.

        Raises:
            KeysUnavailable: it is lost.
        """
        self._answer()
        return self.inner.unwrap(wrapped, associated_data=associated_data)

    def _answer(self) -> None:
        if self.lost:
            raise KeysUnavailable(detail="the provider was lost by a drill")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scratch:
    """Where the copies lie, by their URLs; goes to processes of their own."""

    data: str
    keys: str
    containers: Path
    exchange: Path


def drill_transfer(settings: Settings, stores: Stores, *, job: str, fault: DrillFault, clock: Clock) -> Drilled:
    """Hold one exercise and put it on record.

    Raises:
        CommandFailed: 65, there is no such job, or nothing of it can be drilled with this fault; 77, the role may make
            no databases.
    """
    with stores.data.read() as session:
        found = session.get(TransferJob, job)
    if found is None:
        raise CommandFailed(ExitCode.DATA, f"there is no transfer job {job}")
    if stores.data.is_sqlite:
        place = scratch_of(settings.data.root, data=settings.data.database, keys=settings.data.keys)
    else:
        place = scratch_on_postgres(settings.data.root, stores)
    with place as files:
        drilled = drill_on(files, job=job, fault=fault, keks=partial(kek_for, settings), suites=settings.suites)
    deed = Deed(
        tenant=found.tenant, action="transfer.drilled", target=job, actor="operator", at=clock(), facts=drilled.facts()
    )
    with unit_of_work(stores.data, deed):
        pass  # the event is all there is to write
    return drilled


def drill_on(files: Scratch, *, job: str, fault: DrillFault, keks: Keks, suites: tuple[str, ...]) -> Drilled:
    """One exercise on copies.

    Raises:
        CommandFailed: 65, none of the job's rows can be moved, or nobody of it can be told.
    """
    desk = DrillDesk()
    data, keys = open_database(files.data), open_database(files.keys)
    try:
        kek = LosableKek(keks(keys))
        vault = open_vault(keys, kek, wall_clock, suites=EnabledSuites.named(suites))
        bench = Bench(
            job=job,
            database=data,
            waves=SqlWaves(data, vault, wall_clock, chunk=CHUNK),
            backups=SqlBackup(data, vault, wall_clock, files.containers),
            start_worker=partial(_start, files, keks, suites),
            lose_keys=partial(_set_lost, vault, kek, lost=True),
            find_keys=partial(_set_lost, vault, kek, lost=False),
            containers=files.containers,
            exchange=files.exchange,
            collect=SqlCollect(data, vault, Sources(files.exchange, {}, vault), wall_clock),
            notices=SqlNotices(data, vault, DrillCarriers(messages={}, desk=desk), desk.now, links_url=_NO_LINKS),
            desk=desk,
            clock=wall_clock,
        )
        return hold(bench, fault)
    except LookupError:
        raise CommandFailed(
            ExitCode.DATA, f"no rows of {job} can be moved or told of: drill it when it is verified"
        ) from None
    finally:
        data.dispose()
        keys.dispose()


@contextmanager
def scratch_of(root: Path, *, data: Path, keys: Path) -> Iterator[Scratch]:
    """Consistent copies of both stores in a private place beside them; wiped at the end."""
    root.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".transfer-drill-") as folder:
        place = Path(folder)
        try:
            _copy(data, place / "data.db")  # data first: every row of it has its key by then
            _copy(keys, place / "keys.db")
            yield _scratch(place, data=f"sqlite:///{place / 'data.db'}", keys=f"sqlite:///{place / 'keys.db'}")
        finally:
            for path in place.rglob("*"):
                if path.is_file():
                    wipe(path)


@contextmanager
def scratch_on_postgres(root: Path, stores: Stores) -> Iterator[Scratch]:
    """Consistent copies of both databases on their own server; dropped at the end.

    Raises:
        CommandFailed: 77, the role may not make databases there.
    """
    root.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".transfer-drill-") as folder:
        try:
            with scratch_databases(stores.data, stores.keys) as (data, keys):
                yield _scratch(Path(folder), data=data, keys=keys)
        finally:
            for path in Path(folder).rglob("*"):
                if path.is_file():
                    wipe(path)


def _scratch(place: Path, *, data: str, keys: str) -> Scratch:
    files = Scratch(data=data, keys=keys, containers=place / "backups", exchange=place / "exchange")
    files.containers.mkdir(mode=0o700)
    files.exchange.mkdir(mode=0o700)
    return files


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    target.chmod(0o600)


def _set_lost(vault: Vault, kek: LosableKek, *, lost: bool) -> None:
    kek.lost = lost
    vault.forget()  # what is in memory would serve on for a while; a drill is about the time after


@dataclass(frozen=True, slots=True)
class _Process:
    process: SpawnProcess

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def join(self) -> int:
        self.process.join()
        return self.process.exitcode or 0


def _start(files: Scratch, keks: Keks, suites: tuple[str, ...], step: ChunkStep) -> _Process:
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(files, keks, suites, step), daemon=True)
    process.start()
    return _Process(process)


def _work(files: Scratch, keks: Keks, suites: tuple[str, ...], step: ChunkStep) -> None:
    """A worker's whole life on the scratch copy."""
    data, keys = open_database(files.data), open_database(files.keys)
    vault = open_vault(keys, keks(keys), wall_clock, suites=EnabledSuites.named(suites))
    done = walk_wave(SqlWaves(data, vault, wall_clock, chunk=CHUNK), step)
    raise SystemExit(0 if done else 1)
