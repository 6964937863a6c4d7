"""`casework demo`: the systems end to end on the embedded stack, with checks of their own."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.commands.options import JsonOption, print_json
from deploy.exits import CommandFailed, ExitCode


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("demo")(demo)


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's folder and say where it is.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sixty installment cases over HTTP on the embedded stack; exit 0 only if every check holds."""
    from deploy.demo.office import Unexpected  # noqa: PLC0415
    from deploy.demo.run import play, show  # noqa: PLC0415 - `--help` stays small

    console = Console(stderr=as_json)
    folder = Path(tempfile.mkdtemp(prefix="casework-demo-"))
    try:
        report = asyncio.run(play(folder, console))
        show(report, f"{report.cases} cases in {report.seconds} s, {report.decisions} decisions", console)
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
