"""`casework batch plan`: standing plans (批量排期), by which runs begin by themselves, over HTTP with a token."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from deploy import batch_routes as routes
from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.rules import date_of, read_object
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.exits import CommandFailed, ExitCode

app = typer.Typer(
    help="Standing plans (批量排期): on which dates runs of a kind begin by themselves.", no_args_is_help=True
)
Plan = Annotated[str, typer.Argument(help="The plan, bpl_….", metavar="PLAN")]
_REASONS: Final = ("rules-unsuitable", "figures-unclear", "outside-policy")
_SHOWN: Final = ("branch", "criteria", "settings", "ruleSet", "overlap", "catchUpHours")


def register(batch: typer.Typer) -> None:
    """Add these commands to `casework batch`."""
    batch.add_typer(app, name="plan")


@app.callback()
def group() -> None:
    """Standing plans (批量排期): on which dates runs of a kind begin by themselves."""


@app.command("list")
def list_all(
    data: DataOption = None, url: UrlOption = None, token_file: TokenOption = None, *, as_json: JsonOption = False
) -> None:
    """Every plan of the institution, newest first."""
    with client_of(data, url, token_file) as client:
        found = client.call("GET", routes.PLANS)["items"]
    if as_json:
        print_json(found)
        return
    for each in found:
        _tell(each)


@app.command("propose")
def propose(
    plan: Annotated[
        Path, typer.Argument(help="JSON with name, kind, ruleSet, rhythm, criteria …; `-`: standard input.")
    ],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Lay a plan before a second person; nothing begins by it until they have confirmed it."""
    body = read_object(plan)
    with client_of(data, url, token_file) as client:
        _show(client.call("POST", routes.PLANS, body=body), as_json=as_json)


@app.command("confirm")
def confirm(
    plan: Plan,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    refuse: Annotated[
        str | None, typer.Option("--refuse", help=f"Refuse it, for this reason: {', '.join(_REASONS)}.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Confirm a plan as the second person, or refuse it; needs a log-in of the last five minutes."""
    if refuse is not None and refuse not in _REASONS:
        raise CommandFailed(ExitCode.DATA, f"--refuse: one of {', '.join(_REASONS)}")
    with client_of(data, url, token_file) as client:
        told = client.call("GET", routes.plan(plan))
        if not as_json:
            _tell(told, whole=True)
        if not yes:
            typer.confirm("Confirm?" if refuse is None else "Refuse?", abort=True)
        word = {"outcome": "confirm" if refuse is None else "refuse", "shownHash": told["shownHash"]}
        if refuse is not None:
            word["reasonCode"] = refuse
        _show(client.call("POST", routes.plan(plan, "decision"), body=word), as_json=as_json)


@app.command("pause")
def pause(
    plan: Plan,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have nothing begin by the clock; runs under way go on, and dates can still be made up for."""
    with client_of(data, url, token_file) as client:
        _show(client.call("POST", routes.plan(plan, "pause")), as_json=as_json)


@app.command("resume")
def resume(
    plan: Plan,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have the clock go on; dates that passed meanwhile are made up for by `backfill` alone."""
    with client_of(data, url, token_file) as client:
        _show(client.call("POST", routes.plan(plan, "resumption")), as_json=as_json)


@app.command("backfill")
def backfill(
    plan: Plan,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    first: Annotated[str, typer.Option("--from", help="First date, YYYY-MM-DD.")],
    last: Annotated[str | None, typer.Option("--to", help="Last date; the first if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Have dates made up for (补跑), one after the other; a date that has its run gets no other. At most 92 days."""
    begins = str(date_of(first, "--from"))
    body = {"firstDate": begins, "lastDate": str(date_of(last, "--to")) if last else begins}
    with client_of(data, url, token_file) as client:
        told = client.call("POST", routes.plan(plan, "backfills"), body=body)
    if as_json:
        print_json(told)
    else:
        say(f"{told['backfill']}  {told['plan']}  {told['firstDate']} to {told['lastDate']}")


@app.command("retire")
def retire(
    plan: Plan,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """End a plan; runs that it has begun go on, and its name is free for another."""
    if not yes:
        typer.confirm(f"End {plan}?", abort=True)
    with client_of(data, url, token_file) as client:
        _show(client.call("POST", routes.plan(plan, "retirement")), as_json=as_json)


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        _tell(told)


def _tell(told: dict[str, Any], *, whole: bool = False) -> None:
    days = told["rhythm"] if told["monthDay"] is None else f"{told['rhythm']} {told['monthDay']}"
    state = "paused" if told["state"] == "active" and told["paused"] else told["state"]
    say(f"{told['plan']}  {told['name']:<20}{told['kind']:<16}{days}, {told['hour']:02}:00  {state}")
    if whole:
        for name in _SHOWN:
            say(f"  {name} = {told[name]}")
