"""The batch demo: an auto-debit file and a payroll file, two runs side by side, with people and a bank."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from activities.gateways.bank.folder import BankFolders
from deploy.bank import is_bank_day
from deploy.demo.batches import calls
from deploy.demo.batches.casting import FATES, Cast, cast_batches
from deploy.demo.batches.course import Course, pass_to_bank_day
from deploy.demo.batches.desk import Desk
from deploy.demo.batches.files import BatchFile, write_debits, write_wages
from deploy.demo.batches.founding import TENANT, found_bank
from deploy.demo.batches.judging import CHECKS, Judged
from deploy.demo.checks import Check
from deploy.demo.counterparty import Counterparty
from deploy.demo.mock_bank import CREDITOR_NUMBER, ScriptedFates, running_mock_bank
from deploy.demo.office import Line
from deploy.demo.stack import running_stack
from deploy.demo.transfers.calls import assess
from deploy.demo.transfers.companies import company_of
from deploy.values import DataDir
from models.database.engine import Database, open_database
from models.domain.batches.kinds import KindName
from models.domain.batches.states import RunStage

ORDERS: Final = 5_000
ROWS: Final = 1_000
_SEALED_WITHIN_SECONDS: Final = 2.0
_AHEAD_DAYS: Final = 60
_YEAR: Final = timedelta(days=365)
_STAGES: Final = tuple(stage.value for stage in RunStage)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReport:
    """What the batch demo did and what its checks saw. `runs` holds each run's reconciliation."""

    seconds: float
    dates: int
    runs: dict[str, dict[str, Any]]
    people: dict[str, int]
    checks: list[Check]

    @property
    def checks_failed(self) -> int:
        """How many checks do not hold."""
        return sum(not check.holds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """One object, for programs."""
        return asdict(self) | {"checks_failed": self.checks_failed}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stage:
    """What the play takes place on: people, a bank, the cast, the data directory, its database, the open date."""

    desk: Desk
    bank: Counterparty
    cast: Cast
    data: Path
    database: Database
    today: date


async def play_batches(folder: Path, console: Console, *, orders: int = ORDERS, rows: int = ROWS) -> BatchReport:
    """Run both batches in `folder`, which must be empty.

    Args:
        folder: for the data directory and what lies beside it.
        console: for people.
        orders: debits that reach the bank.
        rows: of the payroll file, faulty ones included.

    Raises:
        RuntimeError: the stack did not start.
        Unexpected: the API refused something that the demo plans.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    cast, data = cast_batches(orders=orders, rows=rows), folder / "data"
    began = time.monotonic()
    with Progress(console=console, transient=True, disable=console.quiet) as bar:
        task = bar.add_task("mandates", total=len(cast.debtors))
        told = partial(bar.update, task)
        password = await asyncio.to_thread(found_bank, data, cast.debtors, progress=lambda done: told(completed=done))
    console.print(f"A bank with {len(cast.debtors) - 1} generated mandates; files of {orders} debits and {rows} wages")
    with running_stack(data, sandbox=True) as stack:
        console.print(f"The embedded stack serves {stack.address}")
        async with httpx.AsyncClient(base_url=stack.address, timeout=60) as http:
            desk = Desk(company_of(Line(http, patience_seconds=30), TENANT, password))
            await desk.log_in()
            today = await pass_to_bank_day(desk, is_bank_day=is_open)
            with _bank(data.with_name(f"{data.name}.exchange"), cast, today) as bank:
                database = open_database(f"sqlite:///{DataDir(data).database}")
                stage = _Stage(desk=desk, bank=bank, cast=cast, data=data, database=database, today=today)
                try:
                    return await _play(stage, console, began=began)
                finally:
                    database.dispose()


async def _play(stage: _Stage, console: Console, *, began: float) -> BatchReport:
    course, files = await _begin(stage)
    with _bar(console) as bar:
        tasks = {run: bar.add_task(name, total=len(_STAGES) - 1, stage="") for run, name in _names(course).items()}

        def tell(stages: dict[str, str]) -> None:
            for run, at in stages.items():
                bar.update(tasks[run], completed=_STAGES.index(at), stage=at)

        course.tell = tell
        told = await course.to_the_end()
    await asyncio.sleep(_SEALED_WITHIN_SECONDS)  # the sealer's promise is a second
    seconds = round(time.monotonic() - began, 1)
    judged = Judged(
        desk=stage.desk,
        course=course,
        cast=stage.cast,
        data=stage.data,
        files=files,
        told=told,
        balance_minor=stage.bank.bank.balance_minor(),
    )
    return BatchReport(
        seconds=seconds,
        dates=course.dates,
        runs={name: _figures(told[run]) for run, name in _names(course).items()},
        people=dict(sorted(stage.desk.seen.items())),
        checks=[await check(judged) for check in CHECKS],
    )


async def _begin(stage: _Stage) -> tuple[Course, tuple[BatchFile, BatchFile]]:
    """What an institution has before its first batch; then both runs with their files."""
    desk, bank, today = stage.desk, stage.bank, stage.today
    first, second = desk.company.for_role("privacy-officer")
    await assess(first, second, valid_until=today + _YEAR, about=calls.ASSESSMENT)
    await calls.add_layouts(desk.maker)
    since = today - timedelta(days=30)
    for kind in (KindName.AUTO_DEBIT, KindName.PAYROLL):
        await calls.approve_rules(desk.maker, desk.checker, name=f"demo-{kind}", kind=kind, since=since)
    folder = stage.data.parent / "files"
    debit_file = write_debits(folder / "debits.csv", stage.cast.debtors, on=today)
    wage_file = write_wages(folder / "wages.csv", stage.cast.workers, on=today)
    paid = wage_file.total_minor
    await asyncio.to_thread(bank.bank.fund, paid)
    client, account = await calls.take_on_client(
        desk.maker, desk.checker, account=CREDITOR_NUMBER, since=today, paid_minor=paid
    )
    wages = await calls.begin_run(desk.maker, KindName.PAYROLL, wage_file, client=client, fundingAccount=account)
    debits = await calls.begin_run(desk.maker, KindName.AUTO_DEBIT, debit_file)
    course = Course(desk=desk, bank=bank, database=stage.database, debits=debits, wages=wages, today=today)
    return course, (debit_file, wage_file)


def show_batches(report: BatchReport, console: Console) -> None:
    """Tables for people."""
    told = Table(title=f"Batches: {report.dates} business dates in {report.seconds:.0f} s")
    for column in ("batch", "outcome", "orders", "in files", "booked", "statement", "ends", "differs"):
        told.add_column(column)
    for name, run in report.runs.items():
        found = run["reconciled"]
        ends = ", ".join(f"{end} {each['orders']}" for end, each in found.get("ends", {}).items())
        figures = (found.get(each, "") for each in ("orders", "inFiles", "bookedMinor", "statementMinor"))
        told.add_row(name, str(run["outcome"]), *(str(each) for each in figures), ends, str(len(found["differs"])))
    console.print(told)
    checks = Table(title="What was checked of the batches")
    for column in ("", "check", "seen"):
        checks.add_column(column)
    for check in report.checks:
        checks.add_row("[green]ok[/]" if check.holds else "[red]FAILED[/]", check.name, check.seen)
    console.print(checks)


def _figures(told: dict[str, Any]) -> dict[str, Any]:
    cohort = told["cohort"] or {}
    return {
        "outcome": told["outcome"],
        "readRows": (told["file"] or {}).get("readRows"),
        "members": cohort.get("members"),
        "excluded": cohort.get("excluded"),
        "reconciled": {"differs": []} | told["counts"].get("reconciled", {}),
    }


def _names(course: Course) -> dict[str, str]:
    return {course.debits: KindName.AUTO_DEBIT.value, course.wages: KindName.PAYROLL.value}


@contextmanager
def _bank(exchange: Path, cast: Cast, today: date) -> Iterator[Counterparty]:
    """The bank, with what it will make of each debit; it keeps our holidays."""
    folders = BankFolders(exchange / "bank" / TENANT)
    fates = ScriptedFates({each.person.card_number: FATES[each.part] for each in cast.debtors if each.is_asked})
    closed = closed_from(today)
    with running_mock_bank(folders, today=today, holidays=closed, fate=fates, collects_on=CREDITOR_NUMBER) as bank:
        yield Counterparty(bank, folders)


def closed_from(today: date) -> list[date]:
    """On which of the days to come banks are closed."""
    days = (today + timedelta(days=ahead) for ahead in range(_AHEAD_DAYS))
    return [day for day in days if not is_open(day)]


def is_open(day: date) -> bool:
    """Monday to Friday where nobody has announced the year."""
    try:
        return is_bank_day(day)
    except LookupError:
        return day.isoweekday() <= 5  # Friday


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=console.quiet)
