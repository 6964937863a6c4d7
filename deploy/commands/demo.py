"""`casework demo`: the systems end to end on the embedded stack, with checks of their own."""

import asyncio
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from deploy.commands.options import JsonOption, print_json
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.demo.batches.play import BatchReport
    from deploy.demo.run import Report


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("demo")(demo)


def demo(
    *,
    clients: Annotated[
        Path | None,
        typer.Option("--clients", help="Play card clients of this CSV file instead.", exists=True, dir_okay=False),
    ] = None,
    delayed_months: Annotated[
        int, typer.Option("--delayed-months", min=-2, max=9, help="With --clients: whose PAY_0 is at least this.")
    ] = 2,
    size: Annotated[int, typer.Option("--size", min=1, max=5_000, help="With --clients: the first so many.")] = 200,
    transfer_clients: Annotated[
        Path | None,
        typer.Option(
            "--transfer-clients", help="Transfer every client of this CSV file instead.", exists=True, dir_okay=False
        ),
    ] = None,
    batch_orders: Annotated[
        int, typer.Option("--batch-orders", min=10, max=20_000, help="Debits of the auto-debit batch.")
    ] = 5_000,
    payroll_rows: Annotated[
        int, typer.Option("--payroll-rows", min=20, max=10_000, help="Rows of the payroll batch's file.")
    ] = 1_000,
    only_batches: Annotated[bool, typer.Option("--only-batches", help="Play the two batches alone.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's folder and say where it is.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sixty installment cases, thirteen months of daily runs, two batches, a transfer of 2,000 customers, over HTTP.

    Exit 0 only if every check holds. With --clients the cases are card clients of a file (docs/book.md), and the end
    says who got a plan and why not; with --transfer-clients every client of a file is transferred. Either plays alone.
    """
    from deploy.demo.clients import ClientsInvalid  # noqa: PLC0415 - `--help` stays small
    from deploy.demo.office import Unexpected  # noqa: PLC0415

    console = Console(stderr=as_json)
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="casework-demo-"))
    try:
        if transfer_clients is not None:
            played = _play_transfer_of(transfer_clients, folder, console)
        elif clients is not None:
            played = _play_clients(clients, delayed_months, size, folder, console)
        elif only_batches:
            played = _play_batches(folder, console, batch_orders, payroll_rows)
        else:
            played = _play_all(folder, console, batch_orders, payroll_rows)
    except ClientsInvalid as error:
        raise CommandFailed(ExitCode.DATA, f"{transfer_clients or clients}: {error}") from None
    except (Unexpected, RuntimeError) as error:
        raise CommandFailed(ExitCode.FAILED, str(error)) from None
    finally:
        if keep:
            console.print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json(played)
    raise typer.Exit(ExitCode.OK if played["checks_failed"] == 0 else ExitCode.FAILED)


def _play_all(folder: Path, console: Console, orders: int, rows: int) -> dict[str, Any]:
    """Every system: the batches beside the cases and their months, which wait for people most of the time."""
    from deploy.demo.batches.play import show_batches  # noqa: PLC0415
    from deploy.demo.run import show  # noqa: PLC0415
    from deploy.demo.transfers.play import play_transfer, show_transfer, standard_book  # noqa: PLC0415

    report, batches = asyncio.run(_side_by_side(folder, console, orders, rows))
    show(report, f"{report.cases} cases in {report.seconds} s, {report.decisions} decisions", console)
    show_batches(batches, console)
    transferred = asyncio.run(play_transfer(folder / "transfer", console, standard_book()))
    show_transfer(transferred, console)
    failed = report.checks_failed + batches.checks_failed + transferred.checks_failed
    return report.as_json() | {
        "batches": batches.as_json(),
        "transfer": transferred.as_json(),
        "checks_failed": failed,
    }


async def _side_by_side(folder: Path, console: Console, orders: int, rows: int) -> "tuple[Report, BatchReport]":
    from deploy.demo.batches.play import play_batches  # noqa: PLC0415
    from deploy.demo.run import play  # noqa: PLC0415

    # One bar at a time: the batches say nothing until they are over.
    batches = asyncio.create_task(
        play_batches(folder / "batches", Console(quiet=True), orders=orders, rows=rows), name="batches"
    )
    try:
        report = await play(folder, console)
        if not batches.done():
            console.print("The batches are still on their way")
        return report, await batches
    finally:
        batches.cancel()


def _play_batches(folder: Path, console: Console, orders: int, rows: int) -> dict[str, Any]:
    from deploy.demo.batches.play import play_batches, show_batches  # noqa: PLC0415

    report = asyncio.run(play_batches(folder, console, orders=orders, rows=rows))
    show_batches(report, console)
    return report.as_json()


def _play_clients(clients: Path, months: int, size: int, folder: Path, console: Console) -> dict[str, Any]:
    from deploy.demo.portfolio import play_portfolio, show_portfolio  # noqa: PLC0415

    report = asyncio.run(play_portfolio(folder, console, clients=clients, months=months, size=size))
    show_portfolio(report, console)
    return report.as_json()


def _play_transfer_of(clients: Path, folder: Path, console: Console) -> dict[str, Any]:
    from deploy.demo.transfers.play import book_of_clients, play_transfer, show_transfer  # noqa: PLC0415

    report = asyncio.run(play_transfer(folder, console, book_of_clients(clients)))
    show_transfer(report, console)
    return report.as_json()


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Whoever ends the demo ends its stack with it, as with Ctrl-C."""
    raise KeyboardInterrupt
