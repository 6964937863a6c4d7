"""The demo: the embedded stack, started as a new user would, and sixty cases played over HTTP to different ends."""

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.demo.book import read_book, write_book
from deploy.demo.checks import CHECKS, Check, Evidence
from deploy.demo.lives import BRANCH, Life, application
from deploy.demo.mailbox import SpoolPhones
from deploy.demo.office import Line, Office, open_office
from deploy.demo.plans import CASES, cast
from deploy.demo.stack import running_stack

SEED: Final = 20_261_121
_BOOK_SIZE: Final = 600
_AT_ONCE: Final = 12  # whoever signs reads for ten seconds
_SEALED_WITHIN_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What the demo did and what its checks saw."""

    cases: int
    seconds: float
    ends: dict[str, int]
    decisions: int
    checks: list[Check]

    @property
    def checks_failed(self) -> int:
        """How many checks do not hold."""
        return sum(not check.holds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """One object, for programs."""
        return asdict(self) | {"checks_failed": self.checks_failed}


async def play(folder: Path, console: Console) -> Report:
    """Run the whole demo in `folder`, which must be empty: the book, the data directory and what lies beside it.

    Raises:
        RuntimeError: the stack did not start.
        Unexpected: the API refused something that a plan holds.
    """
    book, data = folder / "book.csv", folder / "data"
    write_book(book, size=_BOOK_SIZE, seed=SEED)
    console.print(f"A book of {_BOOK_SIZE} generated customers: {book}")
    with running_stack(data) as stack:
        console.print(f"The embedded stack serves {stack.address}")
        async with httpx.AsyncClient(base_url=stack.address, timeout=30) as http:
            office = open_office(Line(http), stack.login_file)
            await office.log_in()
            await office.hire_senior()
            began = time.monotonic()
            roles = cast(list(read_book(book)))
            phones = SpoolPhones(data.with_name(f"{data.name}.exchange") / "spool")
            lives = [
                Life(office, plan, row, phones, by_senior=number % 2 == 0) for number, (plan, row) in enumerate(roles)
            ]
            await _mistakes(office, lives[0])
            await _play_all(lives, console)
            seconds = time.monotonic() - began
            await asyncio.sleep(_SEALED_WITHIN_SECONDS)  # the sealer's promise is a second
            evidence = Evidence(office=office, lives=lives, data=data, book=book)
            checks = [await check(evidence) for check in CHECKS]
    ends: dict[str, int] = {}
    for life in lives:
        ends[str(life.outcome)] = ends.get(str(life.outcome), 0) + 1
    return Report(
        cases=len(lives),
        seconds=round(seconds, 1),
        ends=ends,
        decisions=sum(len(life.decisions) for life in lives),
        checks=checks,
    )


def show(report: Report, lives_title: str, console: Console) -> None:
    """Tables for people."""
    ends = Table(title=lives_title)
    ends.add_column("end")
    ends.add_column("cases", justify="right")
    for end, count in sorted(report.ends.items()):
        ends.add_row(end, str(count))
    console.print(ends)
    checks = Table(title="What was checked")
    for column in ("", "check", "seen"):
        checks.add_column(column)
    for check in report.checks:
        checks.add_row("[green]ok[/]" if check.holds else "[red]FAILED[/]", check.name, check.seen)
    console.print(checks)


async def _play_all(lives: list[Life], console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("cases", total=CASES)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(life: Life) -> None:
            async with gate:
                await life.play()
                progress.advance(bar)

        await asyncio.gather(*(one(life) for life in lives))


async def _mistakes(office: Office, life: Life) -> None:
    """Requests that fail while they carry a person's data: their answers must not repeat it."""
    body = application(life.row) | {"branch": BRANCH, "consents": []}
    wrong_digit = str((int(body["applicant"]["idNumber"][0]) + 1) % 10) + body["applicant"]["idNumber"][1:]
    tries: list[dict[str, Any]] = [
        body | {"applicant": body["applicant"] | {"idNumber": wrong_digit}},
        body | {"applicant": body["applicant"] | {"cardNumber": life.row.card_number[:-1] + "x"}},
        body | {"applicant": body["applicant"] | {"mobile": "0" + life.row.mobile}},
        body | {life.row.name: life.row.id_number},
        body | {"requested": life.row.address},
    ]
    for attempt in tries:
        headers = {"Idempotency-Key": f"demo-mistake-{len(office.line.problems)}"}
        await office.officer.call("POST", "/v1/installment-cases", json=attempt, headers=headers, expect=(400, 422))
    await office.officer.call("GET", f"/v1/installment-cases/{life.row.mobile}", expect=(404,))
    await office.officer.call("GET", f"/v1/subjects/{life.row.id_number}", expect=(404,))
