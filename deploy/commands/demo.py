"""`casework demo`: the systems end to end on the embedded stack, with checks of their own."""

import asyncio
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from deploy.commands.options import JsonOption, print_json
from deploy.exits import CommandFailed, ExitCode


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
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's folder and say where it is.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sixty installment cases and thirteen months of daily runs over HTTP; exit 0 only if every check holds.

    With --clients those cases are card clients of a file (docs/book.md), and the end says who got a plan and why not.
    """
    from deploy.demo.clients import ClientsInvalid  # noqa: PLC0415
    from deploy.demo.office import Unexpected  # noqa: PLC0415
    from deploy.demo.portfolio import PortfolioReport, play_portfolio, show_portfolio  # noqa: PLC0415
    from deploy.demo.run import Report, play, show  # noqa: PLC0415 - `--help` stays small

    console = Console(stderr=as_json)
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="casework-demo-"))
    report: Report | PortfolioReport
    try:
        if clients is not None:
            report = asyncio.run(play_portfolio(folder, console, clients=clients, months=delayed_months, size=size))
            show_portfolio(report, console)
        else:
            report = asyncio.run(play(folder, console))
            show(report, f"{report.cases} cases in {report.seconds} s, {report.decisions} decisions", console)
    except ClientsInvalid as error:
        raise CommandFailed(ExitCode.DATA, f"{clients}: {error}") from None
    except (Unexpected, RuntimeError) as error:
        raise CommandFailed(ExitCode.FAILED, str(error)) from None
    finally:
        if keep:
            console.print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        print_json(report.as_json())
    raise typer.Exit(ExitCode.OK if report.checks_failed == 0 else ExitCode.FAILED)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Whoever ends the demo ends its stack with it, as with Ctrl-C."""
    raise KeyboardInterrupt
