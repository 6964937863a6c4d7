"""A portfolio out of a file of card clients, played over HTTP on the embedded stack: who gets a plan, who not, why."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.demo.book import write_rows
from deploy.demo.checks import Check, Evidence
from deploy.demo.clients import delayed_clients
from deploy.demo.clients_book import applicants_of
from deploy.demo.mailbox import SpoolPhones
from deploy.demo.office import Line, open_office
from deploy.demo.plans import IN_SERVICE
from deploy.demo.portfolio_case import ClientCase, plan_of
from deploy.demo.portfolio_checks import checked
from deploy.demo.portfolio_staff import hire_approvers
from deploy.demo.stack import running_stack
from models.domain.states import Outcome

SEED: Final = 20_261_122
DELAYED_MONTHS: Final = 2
SIZE: Final = 200
_AT_ONCE: Final = 12  # whoever signs reads for ten seconds
_REQUEST_SECONDS: Final = 60
_SEALED_WITHIN_SECONDS: Final = 2.0
_MINOR: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """What one client came to. Amounts in minor units; `client` is the `ID` of the file."""

    client: int
    case: str
    end: str
    reason: str | None
    rules: list[str]
    citations: list[str]
    family: str | None
    total_due_minor: int
    granted_minor: int
    signed: str | None
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PortfolioReport:
    """What came of the portfolio and what its checks saw. Amounts in minor units.

    Attributes:
        reasons: refusals by end, reason and the rules behind them.
        seconds_per_case: while it was played, ten seconds of reading included.
    """

    clients: int
    seconds: float
    ends: dict[str, int]
    reasons: dict[str, int]
    families: dict[str, int]
    signed: dict[str, int]
    by_senior: int
    decisions: int
    owed_minor: int
    restructured_minor: int
    seconds_per_case: dict[str, float]
    checks: list[Check]
    cases: list[End]

    @property
    def checks_failed(self) -> int:
        """How many checks do not hold."""
        return sum(not check.holds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """One object, for programs."""
        return asdict(self) | {"checks_failed": self.checks_failed}


async def play_portfolio(
    folder: Path, console: Console, *, clients: Path, months: int = DELAYED_MONTHS, size: int = SIZE
) -> PortfolioReport:
    """Play the first `size` clients of a file whose latest payment was `months` late, in `folder`, which must be empty.

    Raises:
        ClientsInvalid: the file cannot be used.
        OSError: it cannot be read.
        RuntimeError: the stack did not start.
        Unexpected: staff could not get to work.
    """
    applicants = applicants_of(delayed_clients(clients, months=months, size=size), seed=SEED)
    book, data = folder / "book.csv", folder / "data"
    write_rows(book, (applicant.row for applicant in applicants))
    console.print(f"{len(applicants)} clients with PAY_0 >= {months}, with identities that are made up: {book}")
    with running_stack(data) as stack:
        console.print(f"The embedded stack serves {stack.address}")
        limits = httpx.Limits(max_connections=2 * _AT_ONCE)
        async with httpx.AsyncClient(base_url=stack.address, timeout=_REQUEST_SECONDS, limits=limits) as http:
            office = open_office(Line(http), stack.login_file)
            await office.log_in()
            approvers = await hire_approvers(office)
            phones = SpoolPhones(data.with_name(f"{data.name}.exchange") / "spool")
            cases = [
                ClientCase(office, plan_of(applicant), applicant.row, phones, applicant=applicant, approvers=approvers)
                for applicant in applicants
            ]
            began = time.monotonic()
            await _play_all(cases, console)
            seconds = time.monotonic() - began
            await asyncio.sleep(_SEALED_WITHIN_SECONDS)  # the sealer's promise is a second
            console.print(f"Played in {seconds:.0f} s; now the checks")
            checks = await checked(Evidence(office=office, lives=list(cases), data=data, book=book))
    return report_of(cases, checks=checks, seconds=seconds)


def report_of(cases: list[ClientCase], *, checks: list[Check], seconds: float) -> PortfolioReport:
    """Count what came of them."""
    ends = [_end(case) for case in cases]
    active = [end for end in ends if end.end == IN_SERVICE]
    times = [end.seconds for end in ends]
    return PortfolioReport(
        clients=len(ends),
        seconds=round(seconds, 1),
        ends=_counted(end.end for end in ends),
        reasons=_counted(_reason(end) for end in ends if end.end != IN_SERVICE),
        families=_counted(end.family for end in active),
        signed=_counted(end.signed for end in active),
        by_senior=sum(case.approved_by_senior for case in cases),
        decisions=sum(len(case.decisions) for case in cases),
        owed_minor=sum(max(end.total_due_minor, 0) for end in ends),
        restructured_minor=sum(end.granted_minor for end in ends),
        seconds_per_case={
            "median": round(median(times), 1),
            "p95": round(quantiles(times, n=20, method="inclusive")[-1], 1) if len(times) > 1 else times[0],
            "max": round(max(times), 1),
        },
        checks=checks,
        cases=ends,
    )


def show_portfolio(report: PortfolioReport, console: Console) -> None:
    """Tables for people."""
    ends = Table(title=f"{report.clients} clients in {report.seconds} s, {report.decisions} decisions")
    ends.add_column("end and reason")
    ends.add_column("clients", justify="right")
    ends.add_row("in service", str(report.ends.get(IN_SERVICE, 0)))
    for name, count in report.reasons.items():
        ends.add_row(name, str(count))
    console.print(ends)
    plans = Table(title=f"{_money(report.restructured_minor)} of {_money(report.owed_minor)} owed is in plans")
    plans.add_column("plan family, way of signing, time of a case")
    plans.add_column("", justify="right")
    for name, count in (report.families | {f"signed: {way}": count for way, count in report.signed.items()}).items():
        plans.add_row(name, str(count))
    plans.add_row("approved by the senior", str(report.by_senior))
    for name, figure in report.seconds_per_case.items():
        plans.add_row(f"seconds a case, {name}", str(figure))
    console.print(plans)
    checks = Table(title="What was checked")
    for column in ("", "check", "seen"):
        checks.add_column(column)
    for check in report.checks:
        checks.add_row("[green]ok[/]" if check.holds else "[red]FAILED[/]", check.name, check.seen)
    console.print(checks)


async def _play_all(cases: list[ClientCase], console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("clients", total=len(cases))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(case: ClientCase) -> None:
            async with gate:
                await case.play()
                progress.advance(bar)

        await asyncio.gather(*(one(case) for case in cases))


def _end(case: ClientCase) -> End:
    signed = None
    if case.outcome == IN_SERVICE:
        signed = Outcome.PAPER.value if case.applicant.on_paper else "link"
    return End(
        client=case.row.row,
        case=case.token,
        end=str(case.outcome),
        reason=case.reason,
        rules=[f"{refusal.rule}: {refusal.reason}" for refusal in case.refusals],
        citations=[refusal.citation for refusal in case.refusals if refusal.citation],
        family=case.family if case.outcome == IN_SERVICE else None,
        total_due_minor=case.row.total_due_minor,
        granted_minor=case.granted_minor,
        signed=signed,
        seconds=round(case.seconds, 1),
    )


def _reason(end: End) -> str:
    rules = f" ({', '.join(end.rules)})" if end.rules else ""
    return f"{end.end}: {end.reason}{rules}"


def _counted(names: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(str(name) for name in names).most_common())


def _money(minor: int) -> str:
    return f"¥{minor // _MINOR:,}"
