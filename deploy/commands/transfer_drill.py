"""`casework transfer drill`: one fault into a scratch copy of a job, and how long it took to go on (应急演练)."""

from typing import Annotated

import typer

from deploy.commands.options import (
    DataOption,
    JsonOption,
    need_installation,
    print_json,
    private_process,
    say,
    settings_from,
)
from deploy.exits import ExitCode

FAULTS = ("worker-killed", "backup-corrupted", "keys-lost", "poison-file", "gateway-down")


def register(app: typer.Typer) -> None:
    """Add the command to `casework transfer`."""
    app.command("drill")(drill)


def drill(
    job: Annotated[str, typer.Argument(help="The job, <tenant>.<26 characters>.")],
    fault: Annotated[str, typer.Option("--fault", help=f"One of {', '.join(FAULTS)}.")] = "worker-killed",
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Inject one fault into a scratch copy of the job and measure recovery; exit 1 if it did not recover.

    Works beside a running `up`: the live stores are only read, but for the event that says how it went.
    """
    from activities.transfers.drill_bench import DrillFault  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.drill_transfers import drill_transfer  # noqa: PLC0415
    from deploy.stores import open_stores  # noqa: PLC0415

    if fault not in FAULTS:
        raise typer.BadParameter(f"one of {', '.join(FAULTS)}", param_hint="--fault")
    private_process()
    settings = settings_from(data)
    need_installation(settings)
    with open_stores(settings) as stores:
        drilled = drill_transfer(settings, stores, job=job, fault=DrillFault(fault), clock=wall_clock)
    if as_json:
        print_json({"ok": drilled.recovered, "job": job, **drilled.facts()})
    else:
        say(f"{fault}: {'recovered' if drilled.recovered else 'NOT RECOVERED'}, seen as {drilled.detected}")
        say(f"  work went on after {drilled.rto_ms} ms; {drilled.rpo_records} records lost")
        for name, holds in drilled.checks.items():
            say(f"  {name}: {'yes' if holds else 'NO'}")
    raise typer.Exit(ExitCode.OK if drilled.recovered else ExitCode.FAILED)
