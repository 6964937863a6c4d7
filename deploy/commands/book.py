"""`casework book`: customers to try things out with; needs no installation and no network."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.options import JsonOption, print_json, say
from deploy.exits import CommandFailed, ExitCode

_MAX_SIZE = 5_000_000

app = typer.Typer(help="Books of customers who do not exist.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Books of customers who do not exist."""


@app.command("generate")
def generate(
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.", dir_okay=False)],
    size: Annotated[int, typer.Option("--size", min=0, max=_MAX_SIZE, help="Number of customers.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="Same size and seed, same file.")] = 1,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write realistic card customers with valid numbers, addresses and debts as CSV; docs/book.md lists the columns."""
    if out.exists() and not force:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{out} exists; choose another name or give --force")
    try:
        digest = _with_progress(out, size=size, seed=seed)
    except OSError as error:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{out} cannot be written: {error.strerror}") from None
    if as_json:
        print_json({"rows": size, "seed": seed, "path": out, "sha256": digest})
    else:
        say(f"{size} customers in {out}, SHA-256 {digest}")


def _with_progress(out: Path, *, size: int, seed: int) -> str:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from deploy.demo.book import write_book  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # On standard error, and only for a person who watches: standard output belongs to the answer.
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("customers", total=size)
        return write_book(out, size=size, seed=seed, progress=lambda done: bar.update(task, completed=done))
