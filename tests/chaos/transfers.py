"""A transfer job played through a running stack while its processes are killed, and what its records say meanwhile."""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
import pytest

from compliance.vault.customer_layout import open_customers, stored_of
from deploy.clock import wall_clock
from deploy.demo.office import Line, Unexpected
from deploy.demo.transfer_book import TransferBook, write_transfer_book
from deploy.demo.transfers import casting
from deploy.demo.transfers.answers import answer
from deploy.demo.transfers.casting import Files
from deploy.demo.transfers.companies import ACQUIRER, TRANSFEROR, Founded, company_of, found
from deploy.demo.transfers.receipts import Providers, providers
from deploy.demo.transfers.recipe import RECIPES
from deploy.demo.transfers.room import Room
from deploy.demo.transfers.truth import read_truth
from deploy.settings import load_settings
from deploy.stores import build_vault, open_stores
from deploy.temporal_server import free_port
from deploy.values import DataDir
from models.domain.transfers.images import image_of
from models.domain.transfers.states import WaveState
from models.operations.transfers.wave_moves import RECORDS
from tests.chaos.strikes import PATIENCE_S, Ask, StruckSiege
from tests.support.processes import wait_until

_POLL_S: Final = 0.2
_HELD_BACK: Final = frozenset({"transfers.conflict"})  # while one is open the job stays where waves move
_LOST_RACE: Final = ("wrong-state", "stale-version", "not-found", "already", "shown-changed")


@dataclass(slots=True)
class TransferSiege(StruckSiege):
    """A job on its way, its people, and the kills: how far it is, the lines of its journal tell.

    Attributes:
        held_back: types of tasks that nobody answers for now.
        races: answers that were refused because a kill had come between: the task was settled already.
    """

    room: Room = None  # type: ignore[assignment]
    providers: Providers = None  # type: ignore[assignment]
    held_back: set[str] = field(default_factory=set)
    races: Counter[str] = field(default_factory=Counter)

    def settings(self) -> Mapping[str, str]:
        """Where messages go."""
        return self.providers.settings

    # -- the records, read beside the stack ----------------------------------------------------------------------------

    def waves(self) -> dict[int, str]:
        """State of each wave."""
        found = self.ask("SELECT number, state FROM transfer_waves WHERE job = ? ORDER BY number", self.room.job)
        return dict(found)  # type: ignore[arg-type]

    def standing(self) -> int:
        """Lines of the journal that are not undone."""
        query = "SELECT count(*) FROM transfer_changes WHERE job = ? AND undone_at IS NULL"
        return int(self.ask(query, self.room.job)[0][0])

    def is_rolling_back(self) -> bool:
        """Whether a request for a rollback is open: until it is done, no other one can be made."""
        query = "SELECT count(*) FROM transfer_rollbacks WHERE job = ? AND done_at IS NULL"
        return bool(self.ask(query, self.room.job)[0][0])

    def stage(self) -> str:
        """Where the job stands by its record."""
        return str(self.ask("SELECT stage FROM transfer_jobs WHERE token = ?", self.room.job)[0][0])

    def prove_conserved(self, ask: Ask) -> None:
        """Read = accepted + rejected + merged + held; what moved has one standing line, what did not has none."""
        job = self.room.job
        [(read,)] = ask("SELECT sum(read_rows) FROM transfer_sources WHERE job = ?", job)
        outcomes = dict(ask("SELECT outcome, count(*) FROM transfer_rows WHERE job = ? GROUP BY outcome", job))
        assert None not in outcomes, outcomes
        assert set(outcomes) <= {"accepted", "rejected", "merged", "held"}
        assert sum(outcomes.values()) == read
        wrong = ask(
            "SELECT r.number, r.move, count(c.id) FROM transfer_rows r LEFT JOIN transfer_changes c "
            "ON c.job = r.job AND c.row_number = r.number AND c.undone_at IS NULL WHERE r.job = ? "
            "GROUP BY r.number, r.move HAVING count(c.id) != (r.move = 'moved') AND r.move != 'conflict'",
            job,
        )
        assert wrong == []
        [(inserted,)] = ask(
            "SELECT count(*) FROM transfer_changes WHERE job = ? AND kind = 'insert' AND undone_at IS NULL", job
        )
        [(found,)] = ask("SELECT count(*) FROM customer_records WHERE origin = ?", job)
        assert found == inserted, "a record for each line, and a line for each record"

    def stored(self) -> str:
        """SHA-256 over every stored byte of the acquirer's book."""
        digest = hashlib.sha256()
        with open_stores(self._settings()) as stores, stores.data.read() as session:
            query = RECORDS.select().where(RECORDS.c.tenant == ACQUIRER).order_by(RECORDS.c.id)
            for row in session.execute(query).mappings():
                digest.update(image_of(dict(row)))
        return digest.hexdigest()

    def meant(self) -> str:
        """What the acquirer's book says about whom, whatever keys it lies under."""
        settings = self._settings()
        with open_stores(settings) as stores:
            vault = build_vault(settings, stores, wall_clock)
            with stores.data.read() as session:
                query = RECORDS.select().where(RECORDS.c.tenant == ACQUIRER).order_by(RECORDS.c.id)
                stored = [stored_of(dict(row)) for row in session.execute(query).mappings()]
            opened = open_customers(vault, tenant=ACQUIRER, stored=stored)
            told = [[each.id, dict(each.values)] for each in opened]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def _settings(self) -> Any:
        return load_settings({}, overrides={"CASEWORK_DATA_DIR": str(self.data.root)})

    # -- people --------------------------------------------------------------------------------------------------------

    async def answer_until(self, holds: Callable[[], object]) -> None:
        """People answer what is asked, until something holds.

        Raises:
            AssertionError: nothing goes on.
        """
        seen, since = "", time.monotonic()
        while not holds():
            answered = await self._answer_all()
            made = self.providers.tell()
            sign = f"{self.stage()} {self.waves()} {self.standing()} {len(self.hit)}"
            if sign != seen or answered or made:
                seen, since = sign, time.monotonic()
            assert time.monotonic() - since < PATIENCE_S, f"stands still: {sign}"
            await asyncio.sleep(_POLL_S)

    async def _answer_all(self) -> int:
        try:
            tasks = [task for task in await self.room.waiting() if task["type"] not in self.held_back]
        except Unexpected as error:
            self._raced(error)
            return 0
        for task in tasks:
            try:
                await answer(self.room, task)
            except Unexpected as error:
                self._raced(error)
        return len(tasks)

    def _raced(self, error: Unexpected) -> None:
        """Before the kill it was done, and nobody heard of it."""
        self.races[str(error)] += 1
        assert any(code in str(error) for code in _LOST_RACE), error


@asynccontextmanager
async def besieged_transfer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, customers: int, wave_rows: int, seed: int
) -> AsyncIterator[TransferSiege]:
    """A job of two companies, begun, with its people at their desks; the stack is gone with the block."""
    files, data = Files(folder / "books"), folder / "data"
    book = TransferBook(
        source=customers, target=customers, overlap=200, seed=seed, recipe=RECIPES["standard"], own=True
    )
    write_transfer_book(files.folder, book)
    founded: Founded = await asyncio.to_thread(found, data, files.books)
    filled = casting.filled
    small = {"waveRows": wave_rows, "wavesAtOnce": 2}
    monkeypatch.setattr(casting, "filled", lambda plan, count: filled(plan, count) | small)
    exchange = data.with_name(f"{data.name}.exchange")
    siege = TransferSiege(DataDir(data), port=free_port(), cases=0, rng=Random(seed), held_back=set(_HELD_BACK))
    with providers(exchange) as provided:
        siege.providers = provided
        try:
            await asyncio.to_thread(siege.up)
            assert siege.stack is not None
            async with httpx.AsyncClient(base_url=siege.stack.address, timeout=60, trust_env=False) as http:
                line = Line(http, patience_seconds=PATIENCE_S)
                siege.room = Room(
                    line=line,
                    acquirer=company_of(line, ACQUIRER, founded.passwords[ACQUIRER]),
                    transferor=company_of(line, TRANSFEROR, founded.passwords[TRANSFEROR]),
                    truth={row.row: row for row in read_truth(files.truth)},
                    record_of=founded.record_of,
                )
                await siege.room.log_in()
                await casting.begin(siege.room, files, exchange, customers=customers)
                yield siege
        finally:
            if siege.stack is not None and siege.stack.process.poll() is None:
                siege.stack.kill()
            wait_until(siege.nothing_is_left, seconds=10)


def all_are(siege: TransferSiege, state: WaveState) -> bool:
    """Whether every wave is in a state."""
    waves = siege.waves()
    return bool(waves) and set(waves.values()) == {state.value}
