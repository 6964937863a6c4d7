"""A batch of debits, stage by stage from its cohort to its report, each beside a floor of the same run."""

import resource
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

from activities.batches.bank_steps import SqlBatchBank
from activities.batches.cohort_steps import SqlCohort
from activities.batches.execute_steps import SqlExecute
from activities.batches.judging import Judge
from activities.batches.rules_steps import SqlRules
from activities.batches.run_steps import _screen_again
from activities.batches.settle_steps import SqlSettle
from activities.gateways.bank.folder import FolderBank
from bench.bankfiles import _plain_write
from bench.batch_book import fill, rows_again
from bench.measuring import Spent, Stores, empty_stores, spent
from bench.registry import Figure, Floor, measures
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import ChunkStep, PartDone, PartStep
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.states import RunStage
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.four_eyes import By
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRehearsal, BatchRun
from models.tables.daily import BankReply, BusinessDate
from tests.support.clock import FakeClock
from tests.support.daybook import START, TENANT, Daybook, daybook, workday

ORDERS: Final = 10_000
MEMORY: Final = (10_000, 100_000)
_LEAST: Final = 500
_FLAT: Final = 1.25
_KIBI: Final = 1024
_RETURNS: Final = timedelta(days=7)  # the term of returns is over
_SETTINGS: Final = {"failureBps": 10_000, "cutOff": "23:00"}


@dataclass(frozen=True, slots=True)
class _Run:
    """One run over a filled book, with the adapters that its workers register."""

    stores: Stores
    book: Daybook
    clock: FakeClock
    orders: int
    token: str

    @property
    def step(self) -> RunStep:
        return RunStep(run=self.token)

    def judge(self) -> Judge:
        return Judge(workday)

    def bank(self) -> SqlBatchBank:
        port = FolderBank(self.book.folders, self.clock, settle_for=timedelta(days=-36_500))
        return SqlBatchBank(self.stores.data, self.clock, self.stores.vault, lambda _: self.book.connection(port))

    def settle(self) -> SqlSettle:
        return SqlSettle(self.stores.data, self.stores.vault, self.clock, workday)

    def walk(self, step: Callable[[PartStep], PartDone]) -> None:
        """As a workflow repeats a step until it is done."""
        after: str | None = ""
        while after is not None:
            after = step(PartStep(run=self.token, after=after)).after

    def stage(self, stage: RunStage) -> None:
        with unit_of_work(self.stores.data, self.deed()) as unit:
            unit.session.get_one(BatchRun, self.token).stage = stage.value

    def to(self, days: timedelta) -> None:
        """Another business date, here and at the bank."""
        day = START + days
        self.clock.set(datetime(day.year, day.month, day.day, 2, tzinfo=UTC))
        with unit_of_work(self.stores.data, self.deed()) as unit:
            unit.session.get_one(BusinessDate, TENANT).today = day
        if self.book.bank is not None:
            self.book.bank.advance_to(day)

    def deed(self) -> Deed:
        return _deed(self.clock())


@measures("batches")
def batches(scale: float) -> Iterable[Figure]:
    """10,000 debits from the cohort to the report; `--scale 10` makes them 100,000.

    Figures are of processor time, with those on the clock beside them. Floors insert the rows that a stage has written
    into bare tables with the same indexes, and do nothing else.
    """
    with _run(max(_LEAST, int(ORDERS * scale)), with_bank=True) as run:
        for name, work, floor in chain(_to_the_bank(run), _from_the_bank(run)):
            took = spent(work)
            yield _figure(run, name, took, floor() if floor is not None else None)
    yield Figure(name="peak memory, the bank at the other end included", value=_peak_mib(), unit="MiB")


@measures("batches-memory")
def batches_memory(scale: float) -> Iterable[Figure]:
    """Peak memory from the cohort to the written file with 10,000 orders, and with 100,000 behind them."""
    peaks: list[float] = []
    for size in MEMORY:
        with _run(max(_LEAST, int(size * scale)), with_bank=False) as run:
            for _, work, _ in _to_the_bank(run):
                work()
        peaks.append(_peak_mib())
    smaller = Floor(name=f"with {MEMORY[0]:,}", value=peaks[0])
    yield Figure(name="peak memory with 100,000", value=peaks[1], unit="MiB", floor=smaller, ratio_at_most=_FLAT)


_Stage = tuple[str, Callable[[], object], Callable[[], Floor] | None]


def _to_the_bank(run: _Run) -> Iterator[_Stage]:
    cohort = SqlCohort(run.stores.data, run.clock)
    rules = SqlRules(run.stores.data, run.clock, run.judge())
    yield "cohort", lambda: run.walk(cohort.choose_members), partial(_inserted, run, BatchMember)
    yield "screen again at the gate", partial(_screen, run), None
    yield "freeze", lambda: cohort.freeze_cohort(run.step), None
    yield "rehearse", lambda: run.walk(rules.rehearse), partial(_inserted, run, BatchRehearsal)
    yield "sum the rehearsal", lambda: rules.sum_rehearsal(run.step), None
    run.stage(RunStage.EXECUTING)
    yield "execute", partial(_execute, run), partial(_inserted, run, BatchOrder, BatchOutcome)
    yield "compare with the rehearsal", lambda: run.walk(rules.compare_live), None
    run.stage(RunStage.SENDING)
    yield "write and send the file", lambda: run.bank().send_files(run.step), partial(_written, run)


def _from_the_bank(run: _Run) -> Iterator[_Stage]:
    assert run.book.bank is not None
    run.book.bank.take_files()
    run.to(timedelta(days=1))
    run.stage(RunStage.AWAITING)
    yield "read and book answers", lambda: run.bank().take_replies(run.step), partial(_inserted, run, BankReply)
    run.to(_RETURNS)
    run.stage(RunStage.RECONCILING)
    settle = run.settle()
    yield "settle", lambda: run.walk(settle.settle_orders), None
    yield "reconcile", lambda: settle.reconcile(run.step), None
    run.stage(RunStage.REPORTING)
    yield "report", lambda: settle.write_report(run.step), None


def _execute(run: _Run) -> None:
    steps = SqlExecute(run.stores.data, run.clock, run.judge(), holder=lambda: "bench")
    for number in range(1, steps.plan_chunks(run.step).chunks + 1):
        done = steps.execute_chunk(ChunkStep(run=run.token, chunk=number))
        if not done.done:
            raise RuntimeError(f"chunk {number} was not executed: {done}")


def _screen(run: _Run) -> None:
    with unit_of_work(run.stores.data, run.deed()) as unit:
        _screen_again(unit.session, run.token)


@contextmanager
def _run(orders: int, *, with_bank: bool) -> Iterator[_Run]:
    with empty_stores() as stores:
        clock = FakeClock()
        with daybook(stores.data, stores.vault, clock, stores.folder, with_bank=with_bank) as book:
            fill(stores, orders)
            new = NewRun(
                tenant=TENANT, branch="-", kind=KindName.AUTO_DEBIT, origin=Origin.STAFF, source=MemberSource.BOOK,
                request_key="bench", business_date=START, settings=dict(_SETTINGS),
                by=By(tenant=TENANT, staff_id="stf_bench", person_id="prs_bench"),
            )  # fmt: skip
            with unit_of_work(stores.data, _deed(clock())) as unit:
                token = begin_run(unit.session, new, now=clock())[0].token
            yield _Run(stores, book, clock, orders, token)


def _figure(run: _Run, name: str, took: Spent, floor: Floor | None) -> Figure:
    beside = f"{run.orders / took.clock:,.0f}/s on the clock"
    rate = run.orders / max(took.processor, 0.001)  # a tick of the processor's clock, where a stage takes less
    return Figure(name=f"{run.orders:,}: {name}", value=rate, unit="orders/s", floor=floor, beside=beside)


def _inserted(run: _Run, *tables: Any) -> Floor:
    return Floor(name="inserting alone", value=run.orders / max(rows_again(run.stores, *tables), 0.001))


def _written(run: _Run) -> Floor:
    took = spent(partial(_plain_write, run.stores.folder / "floor.xml", run.orders))
    return Floor(name="lxml write alone", value=run.orders / max(took.processor, 0.001))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBI


def _deed(now: datetime) -> Deed:
    return Deed(tenant=TENANT, action="bench.prepared", target="bench", actor="bench", at=now)
