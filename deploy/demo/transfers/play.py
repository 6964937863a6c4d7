"""The transfer demo: two generated books, two companies, every step of a job with people deciding over HTTP."""

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.demo.checks import Check
from deploy.demo.office import Line
from deploy.demo.stack import running_stack
from deploy.demo.transfer_book import TransferBook, clients_of, write_transfer_book
from deploy.demo.transfers.casting import Files, begin
from deploy.demo.transfers.companies import ACQUIRER, TRANSFEROR, Founded, company_of, found
from deploy.demo.transfers.course import Course
from deploy.demo.transfers.judging import CHECKS, Judged, figures
from deploy.demo.transfers.receipts import providers
from deploy.demo.transfers.recipe import RECIPES
from deploy.demo.transfers.room import Room
from deploy.demo.transfers.truth import read_truth
from models.domain.transfers.states import JobStage

SEED: Final = 20_261_122
SOURCE_SIZE: Final = 2_000
TARGET_SIZE: Final = 3_000
OVERLAP: Final = 200  # per mille of the transferor's customers
_SEALED_WITHIN_SECONDS: Final = 2.0
_STAGES: Final = tuple(stage.value for stage in JobStage)


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferReport:
    """What the transfer demo did and what its checks saw."""

    seconds: float
    outcome: str
    stages: dict[str, float]
    figures: dict[str, Any]
    people: dict[str, int]
    checks: list[Check]

    @property
    def checks_failed(self) -> int:
        """How many checks do not hold."""
        return sum(not check.holds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """One object, for programs."""
        return asdict(self) | {"checks_failed": self.checks_failed}


def standard_book() -> TransferBook:
    """2,000 customers of the transferor, a fifth of whom the acquirer's 3,000 hold too."""
    return TransferBook(
        source=SOURCE_SIZE, target=TARGET_SIZE, overlap=OVERLAP, seed=SEED, recipe=RECIPES["standard"], own=True
    )


def book_of_clients(path: Path) -> TransferBook:
    """Every client of a file, with a made-up identity, and an acquirer's book of half as many again.

    Raises:
        ClientsInvalid: it is no such file.
    """
    clients = clients_of(path)
    return TransferBook(
        source=len(clients),
        target=len(clients) * 3 // 2,
        overlap=OVERLAP,
        seed=SEED,
        recipe=RECIPES["gentle"],
        clients=clients,
        own=True,
    )


async def play_transfer(folder: Path, console: Console, book: TransferBook) -> TransferReport:
    """Run the whole transfer in `folder`, which must be empty.

    Raises:
        RuntimeError: the stack did not start.
        Unexpected: the API refused something that the demo plans.
    """
    files, data = Files(folder / "books"), folder / "data"
    exchange = data.with_name(f"{data.name}.exchange")
    write_transfer_book(files.folder, book)
    console.print(f"Books of {book.source} and {book.target} generated customers, {book.known} in common")
    founded = _found(data, files, console)
    began = time.monotonic()
    with providers(exchange) as provided, running_stack(data, sandbox=True, settings=provided.settings) as stack:
        console.print(f"The embedded stack serves {stack.address}")
        provided.address = stack.address
        async with httpx.AsyncClient(base_url=stack.address, timeout=60) as http:
            room = _room(Line(http, patience_seconds=30), files, founded)
            await room.log_in()
            await begin(room, files, exchange, customers=book.source)
            with _bar(console) as bar:
                task = bar.add_task("transfer", total=len(_STAGES) - 1, stage="")
                course = Course(
                    room,
                    provided,
                    tell=lambda job: bar.update(task, completed=_STAGES.index(job["stage"]), stage=job["stage"]),
                )
                job = await course.to_the_end()
            await asyncio.sleep(_SEALED_WITHIN_SECONDS)  # the sealer's promise is a second
            seconds = round(time.monotonic() - began, 1)
            judged = Judged(room=room, course=course, files=files, data=data, founded=founded, book=book, job=job)
            checks = [await check(judged) for check in CHECKS]
            told = figures(judged)
    return TransferReport(
        seconds=seconds,
        outcome=str(job["outcome"]),
        stages=course.stages,
        figures=told,
        people=dict(sorted(room.seen.items())),
        checks=checks,
    )


def show_transfer(report: TransferReport, console: Console) -> None:
    """Tables for people."""
    told = Table(title=f"Transfer: {report.outcome} in {report.seconds:.0f} s")
    for column in ("figure", "value"):
        told.add_column(column)
    for name, value in report.figures.items():
        told.add_row(name, str(value))
    console.print(told)
    checks = Table(title="What was checked of the transfer")
    for column in ("", "check", "seen"):
        checks.add_column(column)
    for check in report.checks:
        checks.add_row("[green]ok[/]" if check.holds else "[red]FAILED[/]", check.name, check.seen)
    console.print(checks)


def _found(data: Path, files: Files, console: Console) -> Founded:
    with Progress(console=console, transient=True) as bar:
        bars = {company: bar.add_task(f"book of {company}", total=None) for company in files.books}
        return found(data, files.books, progress=lambda company, read: bar.update(bars[company], completed=read))


def _room(line: Line, files: Files, founded: Founded) -> Room:
    return Room(
        line=line,
        acquirer=company_of(line, ACQUIRER, founded.passwords[ACQUIRER]),
        transferor=company_of(line, TRANSFEROR, founded.passwords[TRANSFEROR]),
        truth={row.row: row for row in read_truth(files.truth)},
        record_of=founded.record_of,
    )


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[stage]}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
