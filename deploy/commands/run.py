"""`casework up`, and the processes of production: `api` and `worker`."""

import asyncio
import gc
import sys
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from deploy import datadir, supervise
from deploy.commands.options import DataOption, JsonOption, print_json, settings_from
from deploy.exits import CommandFailed, ExitCode
from deploy.values import Settings

PortOption = Annotated[int | None, typer.Option("--port", help="Port of the API; 0 takes a free one (CASEWORK_PORT).")]


class Queue(StrEnum):
    """Task queues a worker can serve."""

    CASES = "cases"
    GATEWAYS = "gateways"
    BULK = "bulk"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("up")(up)
    app.command("app", hidden=True)(app_child)
    app.command("api")(api)
    app.command("worker")(worker)


def up(data: DataOption = None, port: PortOption = None, *, as_json: JsonOption = False) -> None:
    """Run everything on this machine: Temporal, API, workers and duties. Ctrl-C stops it; nothing is lost."""
    settings = settings_from(data, port=port)
    login_file = settings.data.beside(".dev-login.json")
    is_new = not login_file.exists()

    def announce(facts: dict[str, Any]) -> None:
        login = datadir.read_json(login_file)
        if as_json:
            print_json({"ready": True, **facts, "dev_login_file": str(login_file) if login else None})
        else:
            _panel(facts, login if isinstance(login, dict) else None, login_file, is_new=is_new)

    raise typer.Exit(supervise.run_up(settings, announce=announce))


def app_child(ready_fd: Annotated[int | None, typer.Option("--ready-fd")] = None) -> None:
    """API, workers and duties in one process: the child of `casework up`, which holds the data directory."""
    settings = settings_from()
    if ready_fd is None:
        raise CommandFailed(ExitCode.USAGE, "`casework app` is started by `casework up`")
    serve = _loaded()  # only now: the supervisor, `--help` and a refusal of settings stay small

    datadir.make_private()
    asyncio.run(serve.run_app(settings, ready=lambda facts: supervise.report_ready(ready_fd, facts)))


def api(port: PortOption = None) -> None:
    """Serve the HTTP API of an installation on PostgreSQL and an external Temporal."""
    settings = settings_from(port=port)
    _refuse_sqlite(settings)
    serve = _loaded()

    datadir.make_private()
    asyncio.run(serve.run_api(settings))


def worker(
    queue: Annotated[list[Queue] | None, typer.Option("--queue", help="May be repeated; all if left out.")] = None,
) -> None:
    """Serve task queues, and take part in the duties, of an installation on PostgreSQL and an external Temporal."""
    settings = settings_from()
    _refuse_sqlite(settings)
    serve = _loaded()

    datadir.make_private()
    queues = tuple(dict.fromkeys(chosen.value for chosen in queue or list(Queue)))
    asyncio.run(serve.run_worker(settings, queues=queues))


def _loaded() -> ModuleType:
    """What serves. While it is loaded, a collection of garbage finds nothing and costs half a second in all."""
    gc.disable()
    try:
        from deploy import serve  # noqa: PLC0415
    finally:
        gc.enable()
    return serve


def _refuse_sqlite(settings: Settings) -> None:
    """Several processes may not write one SQLite file: the writer lock is the process's own."""
    if settings.database_url.startswith("sqlite"):
        raise CommandFailed(
            ExitCode.CONFIG, "CASEWORK_DATABASE_URL: is SQLite; `casework up` serves SQLite, this needs PostgreSQL"
        )


def _panel(facts: dict[str, Any], login: dict[str, Any] | None, login_file: Path, *, is_new: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.panel import Panel  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_row("API", facts["address"])
    table.add_row("Temporal", f"{facts['temporal']} (namespace {facts['namespace']})")
    table.add_row("Data", facts["data"])
    if login is not None:
        table.add_row("Tenant", str(login["tenant"]))
        for account in login["accounts"]:
            table.add_row("Log-in", f"{account['login']}  ({', '.join(account['roles'])})")
        table.add_row("Password", str(login["password"]) if is_new else f"in {login_file}")
    Console(file=sys.stdout, highlight=False).print(Panel(table, title="Casework 办件 is running", expand=False))
    sys.stdout.flush()
