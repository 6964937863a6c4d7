"""Runs of batches on a running stack while its processes and the bank's are killed.

A run is brought to where its cohort is frozen and a second person is asked; there the installation is put away. Copies
of it are the same cohort under the same names, so that what two of them send the bank can be compared byte by byte.
"""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
from lxml import etree

from activities.gateways.bank.folder import BankFolders
from deploy.demo.batches import calls
from deploy.demo.batches.casting import FATES, Debtor, Worker
from deploy.demo.batches.course import Course, pass_to_bank_day
from deploy.demo.batches.desk import Desk
from deploy.demo.batches.files import BatchFile, write_debits, write_wages
from deploy.demo.batches.founding import TENANT, found_bank
from deploy.demo.batches.play import closed_from, is_open
from deploy.demo.counterparty import Counterparty
from deploy.demo.mock_bank import CREDITOR_NUMBER, ScriptedFates
from deploy.demo.office import Line, Unexpected
from deploy.demo.transfers.calls import assess
from deploy.demo.transfers.companies import company_of
from deploy.temporal_server import free_port
from deploy.values import DataDir
from models.database.engine import open_database
from models.domain.batches.kinds import KindName
from models.domain.batches.states import RunStage
from models.domain.states import TaskType
from tests.chaos.standing_bank import StandingBank, standing_bank
from tests.chaos.strikes import PATIENCE_S, Ask, StruckSiege
from tests.support.processes import wait_until

_POLL_S: Final = 0.05
_YEAR: Final = timedelta(days=365)
# Refused since a kill had come between: what was asked is done, or somebody has been asked anew.
_LOST_RACE: Final = ("wrong-state", "stale-version", "not-found", "already", "shown-changed")
_CREATED: Final = re.compile(rb"<CreDtTm>[^<]*</CreDtTm>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """An installation at rest, with one run that waits for its approval.

    Attributes:
        folder: of data directory, exchange and keys.
        file: what the run was given.
        fates: of debits, by account; what the bank makes of each try in turn.
        paid_minor: what lies on the account at the bank, wages to come.
    """

    folder: Path
    password: str
    kind: KindName
    run: str
    today: date
    file: BatchFile
    fates: Mapping[str, Sequence[Any]]
    paid_minor: int = 0

    def copied(self, folder: Path) -> "Frozen":
        """Another one like it."""
        shutil.copytree(self.folder, folder)
        there = folder / self.file.path.relative_to(self.folder)
        file = BatchFile(path=there, layout=self.file.layout, count=self.file.count, total_minor=self.file.total_minor)
        return Frozen(
            folder=folder, password=self.password, kind=self.kind, run=self.run, today=self.today, file=file,
            fates=self.fates, paid_minor=self.paid_minor,
        )  # fmt: skip


@dataclass(slots=True)
class BatchSiege(StruckSiege):
    """One run on its way, its people, its bank, and the kills."""

    token: str = ""
    bank: StandingBank = None  # type: ignore[assignment]
    folders: BankFolders = None  # type: ignore[assignment]
    course: "BesiegedCourse" = None  # type: ignore[assignment]
    takes_at_once: bool = False  # the bank takes what lies there the moment one of our processes is dead

    def standing(self) -> int:
        """How often anything has become of an order, a line of the bank's was kept, followed, or an end written."""
        return int(
            self.ask(
                "SELECT (SELECT count(*) FROM batch_outcomes WHERE run = ?1) + (SELECT count(*) FROM bank_replies) + "
                "(SELECT count(*) FROM bank_replies WHERE state != 'NEW') + "
                "(SELECT count(*) FROM batch_orders WHERE run = ?1 AND final_state IS NOT NULL)",
                self.token,
            )[0][0]
        )

    def stage(self) -> str:
        """Where the run stands by its record."""
        return str(self.ask("SELECT stage FROM batch_runs WHERE token = ?", self.token)[0][0])

    def prove_conserved(self, ask: Ask) -> None:
        """Chunks and orders, bookings and outcomes, claims: at any moment they agree."""
        [(planned,)] = ask("SELECT coalesce(sum(orders), 0) FROM batch_chunks WHERE run = ?", self.token)
        [(made,)] = ask("SELECT count(*) FROM batch_orders WHERE run = ? AND attempt = 1", self.token)
        assert made == planned, "a chunk is done with its orders, or not at all"
        uneven = "SELECT posting FROM batch_entries GROUP BY posting HAVING sum(amount_minor) != 0 OR count(*) != 2"
        assert ask(uneven) == []
        for state in ("settled", "returned"):
            booked = "SELECT count(DISTINCT order_id) FROM batch_entries WHERE posting LIKE ?"
            told = "SELECT count(DISTINCT order_id) FROM batch_outcomes WHERE state = ? AND cause LIKE 'reply/%'"
            assert ask(booked, f"{state}/%") == ask(told, state), state
        twice = (
            "SELECT claim_key FROM batch_orders WHERE run = ? AND state NOT IN ('rejected', 'returned') "
            "GROUP BY claim_key HAVING count(*) > 1"
        )
        assert ask(twice, self.token) == [], "a row is debited by one order at a time, and once in all"

    def struck(self, target: str) -> None:
        """What lies in the outbox is the bank's: also what we have not noted as sent."""
        if self.takes_at_once:
            self.takes_at_once = False
            self.bank.take_files()

    def files_at_bank(self) -> dict[str, bytes]:
        """What the bank was given, by name without its ending; a file that came again came the same."""
        found: dict[str, bytes] = {}
        for path in self._taken():
            name = path.stem.partition(".")[0]
            content = path.read_bytes()
            assert found.setdefault(name, content) == content, f"{path.name} came twice, and not the same"
        return found

    def came_again(self) -> int:
        """How often the bank was given a file that it had."""
        return len(self._taken()) - len(self.files_at_bank())

    def _taken(self) -> list[Path]:
        """As the bank has put them away: read, or refused."""
        return sorted(self.folders.outbox.glob("*/*.xml"))

    async def play(self, blows: Sequence["Blow"]) -> dict[str, Any]:
        """From the approval to the close, while the blows fall; the run as it is told in the end.

        Raises:
            AssertionError: the run came to its end before the last blow, or nothing goes on.
        """
        playing = asyncio.create_task(self.course.to_the_end())
        try:
            for blow in blows:
                await self._until(lambda blow=blow: blow.is_due(self), playing)
                await asyncio.to_thread(blow.fall, self)
            return (await playing)[self.token]
        finally:
            playing.cancel()

    @staticmethod
    async def _until(holds: Callable[[], bool], playing: "asyncio.Task[Any]") -> None:
        while not holds():
            if playing.done():
                await playing
                raise AssertionError("the run has ended before the blow could fall")
            await asyncio.sleep(_POLL_S)


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """One kill of our own processes, when the work has come so far."""

    at: int
    target: str | None = None

    def is_due(self, siege: BatchSiege) -> bool:
        """Whether it is to fall now."""
        return siege.standing() >= self.at

    def fall(self, siege: BatchSiege) -> None:
        """Let it fall."""
        siege.strike(siege.stage(), self.target)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlowAtFile:
    """A kill of the worker just as a file appears in the outbox; the bank takes it before we are back."""

    def is_due(self, siege: BatchSiege) -> bool:
        """As soon as files are written: the rest is awaited without a pause."""
        return siege.stage() in (RunStage.SENDING, RunStage.AWAITING)

    def fall(self, siege: BatchSiege) -> None:
        """Wait for the file, and kill."""
        deadline = time.monotonic() + PATIENCE_S
        while not any(siege.folders.outbox.glob("*.xml")) and not siege.files_at_bank():
            assert time.monotonic() < deadline, "no file has come"
            time.sleep(0.0005)  # what is done next takes a few milliseconds
        siege.takes_at_once = True
        siege.strike("file-out", "app")


@dataclass
class BesiegedCourse(Course):
    """The demo's course for one run alone. What is slow is not stuck: patience ends where nothing moves."""

    siege: BatchSiege = field(kw_only=True)

    @property
    def runs(self) -> list[str]:
        """The one."""
        return [self.siege.token]

    async def _until(self, holds: Callable[[], Any], what: str) -> None:
        while True:
            before = self.siege.standing()
            try:
                return await super()._until(holds, what)
            except Unexpected as error:
                moved = self.siege.standing() != before
                if not any(code in str(error) for code in _LOST_RACE) and not (moved and "waiting for" in str(error)):
                    raise

    def _one_wage_comes_back(self) -> None:
        """None does."""


async def freeze_debits(folder: Path, debtors: list[Debtor]) -> Frozen:
    """An installation whose auto-debit run has its cohort frozen."""
    data = folder / "data"
    password = await asyncio.to_thread(found_bank, data, debtors)
    fates = {each.person.card_number: FATES[each.part] for each in debtors if each.is_asked}
    async with _desk(data, password) as (desk, today):
        file = write_debits(folder / "files" / "debits.csv", debtors, on=today)
        await _prepare(desk, KindName.AUTO_DEBIT, today)
        run = await calls.begin_run(desk.maker, KindName.AUTO_DEBIT, file)
        await _until_asked(desk, run)
    return Frozen(
        folder=folder, password=password, kind=KindName.AUTO_DEBIT, run=run, today=today, file=file, fates=fates
    )


async def freeze_wages(folder: Path, workers: list[Worker]) -> Frozen:
    """An installation whose payroll run has its cohort frozen; what is to be paid is paid in."""
    data = folder / "data"
    password = await asyncio.to_thread(found_bank, data, [])
    async with _desk(data, password) as (desk, today):
        file = write_wages(folder / "files" / "wages.csv", workers, on=today)
        await _prepare(desk, KindName.PAYROLL, today)
        client, account = await calls.take_on_client(
            desk.maker, desk.checker, account=CREDITOR_NUMBER, since=today, paid_minor=file.total_minor
        )
        run = await calls.begin_run(desk.maker, KindName.PAYROLL, file, client=client, fundingAccount=account)
        await _until_asked(desk, run)
    return Frozen(
        folder=folder, password=password, kind=KindName.PAYROLL, run=run, today=today, file=file, fates={},
        paid_minor=file.total_minor,
    )  # fmt: skip


@asynccontextmanager
async def besieged_batch(frozen: Frozen, *, seed: int) -> AsyncIterator[BatchSiege]:
    """The installation's stack and its bank, running; both gone with the block."""
    data = frozen.folder / "data"
    siege = BatchSiege(DataDir(data), port=free_port(), cases=0, token=frozen.run, rng=Random(seed))
    siege.folders = BankFolders(data.with_name(f"{data.name}.exchange") / "bank" / TENANT)
    bank = standing_bank(
        frozen.folder, siege.folders, today=frozen.today, holidays=closed_from(frozen.today),
        fate=ScriptedFates(frozen.fates),
    )  # fmt: skip
    with bank as siege.bank, _stopped_in_the_end(siege):
        if frozen.paid_minor:
            siege.bank.fund(frozen.paid_minor)
        await asyncio.to_thread(siege.up)
        assert siege.stack is not None
        database = open_database(f"sqlite:///{siege.data.database}")
        try:
            async with httpx.AsyncClient(base_url=siege.stack.address, timeout=60, trust_env=False) as http:
                desk = Desk(company_of(Line(http, patience_seconds=PATIENCE_S), TENANT, frozen.password))
                await desk.log_in()
                siege.course = BesiegedCourse(
                    desk=desk, bank=Counterparty(siege.bank, siege.folders), database=database, debits=frozen.run,
                    wages=frozen.run, today=frozen.today, siege=siege,
                )  # fmt: skip
                yield siege
        finally:
            database.dispose()


def without_time(content: bytes) -> bytes:
    """A file of ours without the moment at which it was made."""
    masked, found = _CREATED.subn(b"", content)
    assert found == 1
    return masked


def lines_of(content: bytes) -> Iterator[tuple[str, int]]:
    """End-to-end id and amount in minor units of every order of a file."""
    for _, element in etree.iterparse(BytesIO(content), tag=("{*}DrctDbtTxInf", "{*}CdtTrfTxInf")):
        amount = element.findtext(".//{*}InstdAmt") or ""
        whole, _, cents = amount.partition(".")
        yield element.findtext("{*}PmtId/{*}EndToEndId") or "", int(whole) * 100 + int(cents.ljust(2, "0"))
        element.clear()


@asynccontextmanager
async def _desk(data: Path, password: str) -> AsyncIterator[tuple[Desk, date]]:
    siege = BatchSiege(DataDir(data), port=free_port(), cases=0)
    with _stopped_in_the_end(siege):
        await asyncio.to_thread(siege.up)
        assert siege.stack is not None
        async with httpx.AsyncClient(base_url=siege.stack.address, timeout=300, trust_env=False) as http:
            desk = Desk(company_of(Line(http, patience_seconds=PATIENCE_S), TENANT, password))
            await desk.log_in()
            yield desk, await pass_to_bank_day(desk, is_bank_day=is_open)
        await asyncio.to_thread(siege.stack.stop)


async def _prepare(desk: Desk, kind: KindName, today: date) -> None:
    first, second = desk.company.for_role("privacy-officer")
    await assess(first, second, valid_until=today + _YEAR, about=calls.ASSESSMENT)
    await calls.add_layouts(desk.maker)
    since = today - timedelta(days=30)
    await calls.approve_rules(desk.maker, desk.checker, name=f"chaos-{kind}", kind=kind, since=since)


async def _until_asked(desk: Desk, run: str) -> None:
    """People see to what is held; who is asked to approve leaves it lying."""
    last, since = "", time.monotonic()
    while True:
        types = {task["type"] for task in await calls.open_tasks(desk.company.auditor, {"caseToken": run})}
        if TaskType.BATCH_APPROVAL in types:
            return
        answered = await desk.answer([])
        sign = str(await calls.told(desk.company.auditor, run))
        if sign != last or answered:
            last, since = sign, time.monotonic()
        assert time.monotonic() - since < PATIENCE_S, f"nobody is asked to approve: {types}"
        await asyncio.sleep(0.5)


@contextmanager
def _stopped_in_the_end(siege: BatchSiege) -> Iterator[None]:
    try:
        yield
    finally:
        if siege.stack is not None and siege.stack.process.poll() is None:
            siege.stack.kill()
        wait_until(siege.nothing_is_left, seconds=10)
