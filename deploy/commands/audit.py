"""`casework audit`: prove the audit log, beside a running installation too."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.options import DataOption, JsonOption, need_installation, print_json, say, settings_from
from deploy.exits import CommandFailed, ExitCode

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The audit log."""


@app.command("verify")
def verify(
    anchor: Annotated[
        Path | None,
        typer.Option("--anchor", help="Checkpoints kept outside; `<data>.anchor` if left out.", dir_okay=False),
    ] = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check every event, leaf and checkpoint; exit 1 names the first altered, dropped, inserted or reordered event."""
    from compliance.audit.seal import seal_keys  # noqa: PLC0415
    from compliance.audit.verify import verify_database  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415

    settings = settings_from(data)
    need_installation(settings)
    chosen = anchor or settings.anchor
    if anchor is not None and not anchor.is_file():
        raise CommandFailed(ExitCode.DATA, f"{anchor} does not exist")
    with open_stores(settings) as stores:
        keys = seal_keys(build_vault(settings, stores, wall_clock))
        report = verify_database(
            stores.data, mac_key=keys.mac_key, public_key=keys.public_key, anchor=chosen if chosen.exists() else None
        )
    if as_json:
        print_json({"ok": report.ok, **asdict(report)})
    else:
        say(f"{report.leaves} sealed events, {report.pending} waiting")
        say(f"{report.checkpoints} checkpoints, {report.anchors} of them anchored")
        if report.first is not None:
            fault = report.first
            say(f"first fault: {fault.kind.value} at {fault.index} event {fault.event_id} ({fault.detail})")
        else:
            say(f"the log holds; root {report.root}")
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)
