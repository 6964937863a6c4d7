"""The demo: the embedded stack, sixty cases played over HTTP, and thirteen months of those that come into service."""

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlmodel import select

from deploy.demo.book import BookRow, read_book, write_book
from deploy.demo.checks import CHECKS, Check, Evidence
from deploy.demo.counterparty import counterparty
from deploy.demo.courses import courses
from deploy.demo.lives import BRANCH, Life, application
from deploy.demo.mailbox import SpoolPhones
from deploy.demo.month_checks import MONTH_CHECKS
from deploy.demo.months import Calendar, Months, last_date
from deploy.demo.office import Line, Office, open_office
from deploy.demo.plans import CASES, IN_SERVICE, PAPER, cast
from deploy.demo.serving import Serving
from deploy.demo.stack import running_stack
from deploy.values import DataDir
from models.database.engine import Database, open_database
from models.domain.states import TaskType
from models.queries.daily import business_date_row
from models.tables.tenants import Tenant

SEED: Final = 20_261_121
_BOOK_SIZE: Final = 600
_AT_ONCE: Final = 20  # whoever signs reads for ten seconds
_SEALED_WITHIN_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What the demo did and what its checks saw."""

    cases: int
    seconds: float
    ends: dict[str, int]
    decisions: int
    months: dict[str, Any]
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
    with running_stack(data, sandbox=True) as stack:
        console.print(f"The embedded stack serves {stack.address}")
        async with httpx.AsyncClient(base_url=stack.address, timeout=30) as http:
            office = open_office(Line(http), stack.login_file)
            await office.log_in()
            await office.hire_senior()
            began = time.monotonic()
            lives = _lives(office, list(read_book(book)), data.with_name(f"{data.name}.exchange"))
            await _mistakes(office, lives[0])
            await _play_all(lives, console)
            seconds = time.monotonic() - began
            console.print(f"{len(lives)} cases in {seconds:.0f} s; now thirteen months")
            months = await _live_on(office, lives, data, console)
            await asyncio.sleep(_SEALED_WITHIN_SECONDS)  # the sealer's promise is a second
            evidence = Evidence(office=office, lives=lives, data=data, book=book, months=months)
            checks = [await check(evidence) for check in (*CHECKS, *MONTH_CHECKS)]
    return Report(
        cases=len(lives),
        seconds=round(seconds, 1),
        ends=dict(Counter(str(life.outcome) for life in lives)),
        decisions=sum(len(life.decisions) for life in lives),
        months=months.as_json(),
        checks=checks,
    )


def _lives(office: Office, book: list[BookRow], exchange: Path) -> list[Life]:
    """Whom the demo follows; those whose case ends in service get a course for the time after."""
    roles, phones = cast(book), SpoolPhones(exchange / "spool")
    lives = [Life(office, plan, row, phones, by_senior=number % 2 == 0) for number, (plan, row) in enumerate(roles)]
    serviced = [life for life in lives if life.plan.end == IN_SERVICE]
    on_paper = [PAPER in life.plan.answers[TaskType.SIGNING] for life in serviced]
    for life, course in zip(serviced, courses(on_paper), strict=True):
        life.course = course
    return lives


async def _live_on(office: Office, lives: list[Life], data: Path, console: Console) -> Months:
    """Thirteen months of daily runs over every agreement that has come into force."""
    database = open_database(f"sqlite:///{DataDir(data).database}")
    try:
        tenant, today, account = _books(database)
        servings = [await Serving.of(life) for life in lives if life.outcome == IN_SERVICE]
        months = Months(first=today, last=last_date(today), servings=servings)
        served = [serving.life for serving in servings]
        exchange = data.with_name(f"{data.name}.exchange")
        with counterparty(exchange, served, tenant=tenant, today=today, account=account) as bank:
            calendar = Calendar(office, bank, database, tenant, servings, months)
            await calendar.pass_months(console)
    finally:
        database.dispose()
    return months


def _books(database: Database) -> tuple[str, date, str]:
    """The institution, its open business date, and the account that collects."""
    with database.read() as session:
        tenant = session.exec(select(Tenant)).one()
        row = business_date_row(session, tenant=tenant.code)
    assert row is not None
    assert tenant.collection_account is not None
    return tenant.code, row.today, tenant.collection_account


def show(report: Report, lives_title: str, console: Console) -> None:
    """Tables for people."""
    ends = Table(title=lives_title)
    ends.add_column("end")
    ends.add_column("cases", justify="right")
    for end, count in sorted(report.ends.items()):
        ends.add_row(end, str(count))
    console.print(ends)
    months = report.months
    lived = Table(
        title=f"{months['dates']} business dates in {months['seconds']:.0f} s: {months['first']} to {months['last']}"
    )
    for column in ("course", "came to"):
        lived.add_column(column)
    for name, came_to in months["lives"].items():
        lived.add_row(name, ", ".join(f"{outcome} {count}" for outcome, count in came_to.items()))
    console.print(lived)
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
