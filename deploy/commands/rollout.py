"""`casework rollout`: which build of the workers an external Temporal sends work to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands.options import JsonOption, print_json, private_process, say, settings_from
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from temporalio.client import Client

    from deploy.rollout import Rollout

app = typer.Typer(help="Builds of the workers, and the one that gets the work (production).", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Builds of the workers, and the one that gets the work (production)."""


@app.command("status")
def status(*, as_json: JsonOption = False) -> None:
    """Say which builds workers have announced, and which of them is current."""
    from deploy.rollout import look  # noqa: PLC0415

    _show(_asked(look), as_json=as_json)


@app.command("promote")
def promote(
    build: Annotated[str | None, typer.Argument(help="The build; this installation's own if left out.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Send the work to a build whose workers are running; cases under way go over to it at their next step."""
    from deploy import rollout  # noqa: PLC0415

    chosen = build or rollout.build_of(settings_from()) or ""
    _show(_asked(lambda client: rollout.promote(client, chosen)), as_json=as_json)


def _asked(ask: "Callable[[Client], Awaitable[Rollout]]") -> "Rollout":
    from temporalio.service import RPCError  # noqa: PLC0415

    from deploy.assemble import reach_temporal  # noqa: PLC0415
    from deploy.clock import wall_clock  # noqa: PLC0415
    from deploy.observe import telemetry  # noqa: PLC0415
    from deploy.stores import build_vault, open_stores  # noqa: PLC0415

    private_process()
    settings = settings_from()
    if not settings.is_production:
        raise CommandFailed(ExitCode.USAGE, "the embedded stack has one build; CASEWORK_MODE=production has several")

    async def answer() -> "Rollout":
        with telemetry(settings, component="rollout") as reports, open_stores(settings) as stores:
            client = await reach_temporal(settings, build_vault(settings, stores, wall_clock), reports)
            if client is None:
                raise CommandFailed(ExitCode.UNAVAILABLE, f"Temporal at {settings.temporal.address} does not answer")
            try:
                return await ask(client)
            except RPCError as error:
                raise CommandFailed(ExitCode.UNAVAILABLE, f"Temporal: {error.status.name.lower()}") from None

    return asyncio.run(answer())


def _show(rollout: "Rollout", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(rollout))
        return
    for build in rollout.builds:
        say(f"{build}  (current)" if build == rollout.current else build)
    if rollout.current is None:
        say("no build is current: start a worker")
