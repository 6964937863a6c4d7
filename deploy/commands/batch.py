"""`casework batch`: batches of debits and payments (批量业务), over HTTP with a token."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy import batch_routes as routes
from deploy.commands.batch_watch import STAGES, follow, look
from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.commands.transfer_files import read_text, write_new
from deploy.commands.transfer_watch import Seen
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.client import ApiClient

app = typer.Typer(help="Batches of debits and payments (批量业务).", no_args_is_help=True)
Run = Annotated[str, typer.Argument(help="Token of the run.", metavar="RUN")]
_FORMATS: Final = {"html": "text/html", "pdf": "application/pdf", "json": "application/json"}


@app.callback()
def group() -> None:
    """Batches of debits and payments (批量业务)."""


@app.command("run")
def run(  # long because each option is an argument; it begins a run and follows it
    token: Annotated[
        str | None, typer.Argument(help="Token of a run to follow; without it one is begun.", metavar="[RUN]")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="auto-debit, payroll, loan-deduction …")] = None,
    criteria: Annotated[
        Path | None, typer.Option("--criteria", help="Criteria of the cohort (JSON).", exists=True, dir_okay=False)
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Rows out of this file.", exists=True, dir_okay=False)
    ] = None,
    layout: Annotated[str | None, typer.Option("--layout", help="How the file is read, e.g. payroll-csv.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=0, help="Rows that the file should have.")] = None,
    total: Annotated[int | None, typer.Option("--total", min=0, help="Sum of the file, in minor units.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="Corporate client (bcl_…) of wages.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="The client's account (fac_…).")] = None,
    rule_set: Annotated[str | None, typer.Option("--rule-set", help="Name of the rule set.")] = None,
    on: Annotated[str | None, typer.Option("--on", help="Business date, YYYY-MM-DD; today's if left out.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Stop behind this stage.", metavar="STAGE")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it as far as it goes.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Begin a run, or take up one, and follow it as far as it goes without people.

    Exit 0: it is completed, or behind the wanted stage. 1: it ended otherwise. 75: it is paused, or people are asked.
    """
    if (token is None) == (kind is None):
        raise CommandFailed(ExitCode.COMMAND_LINE, "name a run to follow, or --kind to begin one")
    if (file is None) != (layout is None):
        raise CommandFailed(ExitCode.COMMAND_LINE, "--file and --layout go together")
    if until is not None and until not in STAGES:
        raise CommandFailed(ExitCode.DATA, f"--until: one of {', '.join(STAGES)}")
    wish: dict[str, Any] = {
        "kind": kind,
        "source": "file" if file is not None else "book",
        "businessDate": on,
        "criteria": _criteria(criteria),
        "client": client,
        "fundingAccount": account,
        "ruleSet": rule_set,
    }
    with client_of(data, url, token_file) as api:
        if token is None:
            begun = api.call(
                "POST", routes.BATCHES, body={name: value for name, value in wish.items() if value is not None}
            )
            token = str(begun["run"])
            if not as_json:
                say(f"{token}  {begun['kind']}  {begun['businessDate']}")
        if file is not None and layout is not None:
            _send(api, token, file, layout, count=count, total=total)
        seen = follow(api, token, until=until, quiet=as_json) if wait else look(api, token)
    if as_json:
        print_json({"run": seen.job, "waiting": seen.waiting})
    else:
        _tell_seen(seen)
    raise typer.Exit(_code(seen, until) if wait else ExitCode.OK)


@app.command("status")
def status(
    token: Annotated[
        str | None, typer.Argument(help="Token of the run; without it the newest runs.", metavar="[RUN]")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Where a run stands: its stage, what was expected of its rows, its orders by state, and whom it waits for."""
    with client_of(data, url, token_file) as client:
        if token is None:
            found = client.call("GET", routes.BATCHES)["items"]
            if as_json:
                print_json(found)
                return
            for each in found:
                stood = f"{each['stage']:<14}{each['outcome'] or ''}"
                say(f"{each['run']}  {each['kind']:<16}{each['origin']:<10}{each['businessDate']}  {stood}")
            return
        seen = look(client, token)
    if as_json:
        print_json({"run": seen.job, "progress": seen.progress, "waiting": seen.waiting})
    else:
        _tell_seen(seen)


@app.command("pause")
def pause(
    run: Run,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have a run wait after what is under way; answers of the bank are taken all the same."""
    with client_of(data, url, token_file) as client:
        _show(client.call("POST", routes.pause(run)), as_json=as_json)


@app.command("resume")
def resume(
    run: Run,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have a paused run go on from where it stopped."""
    with client_of(data, url, token_file) as client:
        _show(client.call("POST", routes.resumption(run)), as_json=as_json)


@app.command("cancel")
def cancel(
    run: Run,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="error-rate, rules-unsuitable, cohort-wrong …")] = (
        "batch-called-off"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """End a run; what has left the house is followed to its end."""
    if not yes:
        typer.confirm(f"Cancel {run}?", abort=True)
    with client_of(data, url, token_file) as client:
        told = client.call("POST", routes.cancellation(run), body={"reasonCode": reason})
    _show(told, as_json=as_json)


@app.command("report")
def report(
    run: Run,
    out: Annotated[Path, typer.Option("--out", help="The file to write.", dir_okay=False)],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    language: Annotated[str, typer.Option("--language", help="zh-CN or en.")] = "zh-CN",
    form: Annotated[str | None, typer.Option("--format", help="html, pdf or json; else by the file's name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write the newest report of a run to a file."""
    chosen = form or out.suffix.removeprefix(".")
    if chosen not in _FORMATS:
        raise CommandFailed(ExitCode.DATA, f"--format: one of {', '.join(_FORMATS)}")
    with client_of(data, url, token_file) as client:
        path = routes.report(run, form=chosen, language=language)
        content = client.download(path, accept=_FORMATS[chosen], language=language)
    write_new(out, content, force=force)
    say(f"{len(content)} bytes in {out}")


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        _tell(told)


def _tell(told: dict[str, Any]) -> None:
    say(f"{told['run']}  {told['stage']}" + (f"  {told['outcome']}" if told.get("outcome") else ""))
    if told.get("awaitsFile"):
        say("waits for its file")
    elif told["paused"]:
        say("paused by a person")
    if told.get("cancelAsked"):
        say("its cancellation is asked for")
    if told.get("tripped"):
        say(f"stopped by a breaker: {told['tripped']}")


def _send(api: "ApiClient", run: str, file: Path, layout: str, *, count: int | None, total: int | None) -> None:
    fields = {"layout": layout}
    fields |= {
        name: str(value) for name, value in (("controlCount", count), ("controlMinor", total)) if value is not None
    }
    api.upload(routes.file(run), file, fields=fields, media_type="application/octet-stream")


def _criteria(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        read = json.loads(read_text(path))
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise CommandFailed(ExitCode.DATA, f"{path}: this is no JSON object")
    return read


def _tell_seen(seen: Seen) -> None:
    _tell(seen.job)
    say(f"  {seen.progress['stagesDone']} of {seen.progress['stages']} stages done")
    for name in ("expected", "orders"):
        for state, figure in seen.progress[name].items():
            say(f"  {name + '.' + state:<28}{figure['count']:>9}  {figure['amountMinor']:>16}")
    for line in seen.whom():
        say(f"waits for {line}")


def _code(seen: Seen, until: str | None) -> ExitCode:
    if seen.outcome is not None:
        return ExitCode.OK if seen.outcome == "completed" else ExitCode.FAILED
    if until is not None and STAGES.index(seen.stage) > STAGES.index(until):
        return ExitCode.OK
    return ExitCode.TEMPORARY
