"""`casework rules parameters|draft|approve|reject|reevaluate`: what two persons settle, over HTTP with a token."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.rules import date_of, read_object
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.client import ApiClient

_PARAMETERS: Final = "/v1/rule-parameters"
_PASSES: Final = "/v1/rule-reevaluations"
_POLL_S: Final = 0.5
_PAGE: Final = 200


def register(rules: typer.Typer) -> None:
    """Add the commands of this file to `casework rules`."""
    rules.command("parameters")(parameters)
    rules.command("draft")(draft)
    rules.command("approve")(approve)
    rules.command("reject")(reject)
    rules.command("reevaluate")(reevaluate)


def parameters(
    on: Annotated[str | None, typer.Option("--on", help="On which day, YYYY-MM-DD; today if left out.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """The bank's own figures and switches on a day, each with the limit of the law, and the newest drafts."""
    query = f"?on={date_of(on, '--on')}" if on else ""
    with client_of(data, url, token_file) as client:
        told = client.call("GET", _PARAMETERS + query)
    if as_json:
        print_json(told)
        return
    say(f"on {told['on']}: {told['inForce'] or 'as delivered, no policy'}")
    for each in told["parameters"]:
        value = "-" if each["value"] is None else each["value"]
        limit = "none" if each["limit"] is None else each["limit"]
        say(
            f"  {each['name']:28} {value!s:>12}  law {each['bound']} {limit} {each['unit']}  {', '.join(each['rules'])}"
        )
    for name, severity in (told["switches"] | told["groups"]).items():
        say(f"  {name:28} {severity:>12}")
    for each in told["items"]:
        say(
            f"  {each['id']}  {each['version']}  from {each['validFrom']}  {each['state'].lower()}"
            f"  by {each['draftedBy']}"
        )


def draft(
    policy: Annotated[Path, typer.Argument(help="JSON with `parameters`, `switches`, `groups`; `-`: standard input.")],
    version: Annotated[str, typer.Option("--version", help="Name of the version; used once.")],
    valid_from: Annotated[str, typer.Option("--valid-from", help="First day, YYYY-MM-DD; tomorrow or later.")],
    *,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft the whole policy, not a difference; another person approves it. What is looser than the law is refused."""
    body = {**read_object(policy), "version": version, "validFrom": str(date_of(valid_from, "--valid-from"))}
    with client_of(data, url, token_file) as client:
        told = client.call("POST", _PARAMETERS, body=body)
    show_draft(told, as_json=as_json)


def approve(
    draft_id: Annotated[str, typer.Argument(help="rdr_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Approve a drafted policy as the second person; needs a log-in of the last five minutes."""
    with client_of(data, url, token_file) as client:
        decide(client, _PARAMETERS, draft_id, act="approval", yes=yes, as_json=as_json)


def reject(
    draft_id: Annotated[str, typer.Argument(help="rdr_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Reject a drafted policy as the second person."""
    with client_of(data, url, token_file) as client:
        decide(client, _PARAMETERS, draft_id, act="rejection", yes=yes, as_json=as_json)


def reevaluate(
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="As if the legal fact happened on YYYY-MM-DD; today if left out.")
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", help="Try this drafted policy (rdr_…); no tasks.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    tasks: Annotated[
        bool | None, typer.Option("--tasks/--no-tasks", help="Open a task for the officer of each case concerned.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the open cases again under the rules as they are now, and name what flips; exit code 1 if a case now fails.

    To end the command does not end the pass: it goes on in the workers, also after a crash.
    """
    body = {
        "asOf": str(date_of(as_of, "--as-of")) if as_of else None,
        "policyId": policy,
        "withTasks": tasks,
    }
    with client_of(data, url, token_file) as client:
        begun = client.call("POST", _PASSES, body={name: value for name, value in body.items() if value is not None})
        told = _follow(client, begun["id"], quiet=as_json)
        flips = _flips(client, begun["id"])
    if as_json:
        print_json({**told, "items": flips})
    else:
        for each in flips:
            mark = "blocks now" if each["blocksNow"] else ""
            say(f"{each['caseToken']}  {each['gate']}  {each['rule']}  {each['before']} -> {each['after']}  {mark}")
            say(f"  {each['reasonText']}  ({each['citation']})")
        say(
            f"{told['cases']} cases, {told['verdicts']} answers, {told['flips']} flips, "
            f"{told['nowFailing']} cases would fail now, {told['tasksMade']} new tasks; "
            f"{told['factsChanged']} answers differ because the facts moved on; "
            f"{told['failedCases']} cases could not be read; rules {told['rulesVersion']} as of {told['asOf']}"
        )
    if told["nowFailing"]:
        raise CommandFailed(ExitCode.FAILED, f"{told['nowFailing']} cases would fail now")


def decide(client: "ApiClient", path: str, draft_id: str, *, act: str, yes: bool, as_json: bool) -> None:
    """Show a draft, ask, and say the second person's word."""
    told = client.call("GET", f"{path}/{draft_id}")
    if not as_json:
        show_draft(told, as_json=False)
    if not yes:
        typer.confirm("Approve?" if act == "approval" else "Reject?", abort=True)
    decided = client.call("POST", f"{path}/{draft_id}/{act}", body={"shownHash": told["shownHash"]})
    if as_json:
        print_json(decided)
    else:
        say(decided["state"].lower())


def show_draft(told: dict[str, Any], *, as_json: bool) -> None:
    """A draft for people, or for programs."""
    if as_json:
        print_json(told)
        return
    say(f"{told['id']}  {told['version']}  from {told['validFrom']}  {told['state'].lower()}")
    for section in ("parameters", "switches", "groups"):
        for name, value in told.get(section, {}).items():
            say(f"  {name} = {value}")


def _follow(client: "ApiClient", pass_id: str, *, quiet: bool) -> dict[str, Any]:
    from rich.console import Console  # noqa: PLC0415 - `up` stays small
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task("cases", total=None)
        while True:
            told: dict[str, Any] = client.call("GET", f"{_PASSES}/{pass_id}")
            progress.update(bar, completed=told["cases"], total=max(told["total"], told["cases"]))
            if told["state"] == "DONE":
                return told
            time.sleep(_POLL_S)


def _flips(client: "ApiClient", pass_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = client.call("GET", f"{_PASSES}/{pass_id}/flips?limit={_PAGE}{after}")
        found += page["items"]
        if page["endCursor"] is None:
            return found
        after = f"&after={page['endCursor']}"
