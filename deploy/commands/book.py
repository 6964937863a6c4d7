"""`casework book`: customers to try things out with; needs no installation and no network."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import transfer_books
from deploy.commands.options import JsonOption, print_json, say
from deploy.exits import CommandFailed, ExitCode

_MAX_SIZE = 5_000_000

app = typer.Typer(help="Books of customers who do not exist.", no_args_is_help=True)


transfer_books.register(app)


@app.callback()
def group() -> None:
    """Books of customers who do not exist."""


@app.command("generate")
def generate(
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.", dir_okay=False)],
    size: Annotated[int, typer.Option("--size", min=0, max=_MAX_SIZE, help="Number of customers.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="Same size and seed, same file.")] = 1,
    *,
    clients: Annotated[
        Path | None,
        typer.Option("--clients", help="Take figures, sex and age of this CSV file.", exists=True, dir_okay=False),
    ] = None,
    delayed_months: Annotated[
        int, typer.Option("--delayed-months", min=-2, max=9, help="With --clients: whose PAY_0 is at least this.")
    ] = 2,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write realistic card customers with valid numbers, addresses and debts as CSV; docs/book.md lists the columns.

    With --clients the debts are those of a file's card clients; who they are is made up all the same.
    """
    if out.exists() and not force:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{out} exists; choose another name or give --force")
    rows = size
    try:
        if clients is None:
            digest = _with_progress(out, size=size, seed=seed)
        else:
            rows, digest = _of_clients(clients, out, months=delayed_months, size=size, seed=seed)
    except OSError as error:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{out} cannot be written: {error.strerror}") from None
    if as_json:
        print_json({"rows": rows, "seed": seed, "path": out, "sha256": digest})
    else:
        say(f"{rows} customers in {out}, SHA-256 {digest}")


def _of_clients(clients: Path, out: Path, *, months: int, size: int, seed: int) -> tuple[int, str]:
    """The first `size` clients of a file whose latest payment was `months` late, under names that are made up."""
    from deploy.demo.book import write_rows  # noqa: PLC0415
    from deploy.demo.clients import ClientsInvalid, delayed_clients  # noqa: PLC0415
    from deploy.demo.clients_book import applicants_of  # noqa: PLC0415

    try:
        chosen = delayed_clients(clients, months=months, size=size)
    except ClientsInvalid as error:
        raise CommandFailed(ExitCode.DATA, f"{clients}: {error}") from None
    rows = [applicant.row for applicant in applicants_of(chosen, seed=seed)]
    return len(rows), write_rows(out, rows)


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
