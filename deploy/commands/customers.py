"""`casework customers`: a book of customers put on record in bulk. Records are read and revealed over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import datadir
from deploy.commands.options import (
    DataOption,
    JsonOption,
    need_installation,
    print_json,
    private_process,
    say,
    settings_from,
)
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.customers import Loaded
    from deploy.values import Settings

app = typer.Typer(help="Customers of an institution's book (客户信息).", no_args_is_help=True)
_SHOWN = 20


@app.callback()
def group() -> None:
    """Customers of an institution's book (客户信息)."""


@app.command("load")
def load(
    file: Annotated[
        Path, typer.Argument(help="CSV; its header names fields of a record.", exists=True, dir_okay=False)
    ],
    tenant: Annotated[str, typer.Option("--tenant", help="Whose book.")] = "main",
    *,
    encoding: Annotated[str, typer.Option("--encoding", help="Of the file: utf-8 or gb18030.")] = "utf-8",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the customers of a file on an institution's book; exit 65 if lines were refused.

    Repeatable: a customer number that the book knows stays as it is. Lines that break a rule are left out and told by
    line, field and rule.
    """
    from deploy.customers import BookInvalid  # noqa: PLC0415

    private_process()
    settings = settings_from(data)
    need_installation(settings)
    if encoding not in {"utf-8", "gb18030"}:
        raise CommandFailed(ExitCode.DATA, "--encoding: utf-8 or gb18030")
    try:
        loaded = _load(settings, file, tenant, "utf-8-sig" if encoding == "utf-8" else encoding)
    except BookInvalid as error:
        raise CommandFailed(ExitCode.DATA, f"{file}: {error}") from None
    if as_json:
        print_json(loaded.as_json())
    else:
        say(f"{loaded.read} lines: {loaded.added} added, {loaded.known} known, {loaded.refused} refused")
        for line, field, rule in loaded.faults[:_SHOWN]:
            say(f"  line {line}, {field}: {rule}")
    raise typer.Exit(ExitCode.DATA if loaded.refused else ExitCode.OK)


def _load(settings: "Settings", file: Path, tenant: str, encoding: str) -> "Loaded":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.customers import load_customers  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415
    from models.queries.parties import tenant_exists  # noqa: PLC0415

    console = Console(stderr=True)  # for a person who watches: standard output belongs to the answer
    with datadir.exclusive(settings, purpose="customers load"), open_stores(settings) as stores:
        with stores.data.read() as session:
            if not tenant_exists(session, tenant):
                raise CommandFailed(ExitCode.DATA, f"--tenant {tenant}: no such institution; `casework tenant create`")
        with file.open("rb") as lines:
            total = max(sum(piece.count(b"\n") for piece in iter(lambda: lines.read(1 << 20), b"")) - 1, 0)
        vault = build_vault(settings, stores, wall_clock)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("customers", total=total)
            return load_customers(
                stores.data,
                vault,
                file,
                tenant=tenant,
                clock=wall_clock,
                encoding=encoding,
                progress=lambda read: bar.update(task, completed=read),
            )
