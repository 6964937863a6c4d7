"""`casework suites`, client commands: move the institution's data to another cipher suite, or renew one key."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.staff import TokenOption, UrlOption, client_of
from models.domain.suite_changes import ChangeReason, SuiteName

app = typer.Typer(
    help="The cipher suite of sealed data, and one person's key; a change takes two persons.", no_args_is_help=True
)
ChangeId = Annotated[str, typer.Argument(help="sch_…", metavar="CHANGE")]


@app.command("reseal")
def reseal(
    suite: Annotated[SuiteName, typer.Option("--suite", help="Under which everything shall lie.")],
    *,
    reason: Annotated[ChangeReason, typer.Option("--reason")] = ChangeReason.COMMERCIAL_CRYPTOGRAPHY,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask to seal everything of the institution under another suite; a second person confirms."""
    _propose({"suite": suite.value, "reasonCode": reason.value}, data, url, token_file, as_json=as_json)


@app.command("rotate-subject")
def rotate_subject(
    subject_id: Annotated[str, typer.Argument(help="sub_…", metavar="SUBJECT")],
    *,
    reason: Annotated[ChangeReason, typer.Option("--reason")] = ChangeReason.COMPROMISE,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a new key of one person, and for what is theirs to be sealed under it; a second person confirms."""
    _propose({"subjectId": subject_id, "reasonCode": reason.value}, data, url, token_file, as_json=as_json)


@app.command("confirm")
def confirm(
    change_id: ChangeId,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Confirm a change as the second person; needs a log-in of the last five minutes."""
    with client_of(data, url, token_file) as client:
        change = client.call("GET", f"/v1/suite-changes/{change_id}")
        if not as_json:
            say(f"{change['subjectId'] or 'everything'}: {change['suite']}, {change['reasonCode']}")
            say(f"proposed by {change['proposedBy']}")
        if not yes:
            typer.confirm("Reject?" if reject else "Confirm?", abort=True)
        act = "rejection" if reject else "confirmation"
        decided = client.call("POST", f"/v1/suite-changes/{change_id}/{act}", body={"shownHash": change["shownHash"]})
    _tell(decided, as_json=as_json)


@app.command("show")
def show(
    change_id: Annotated[str | None, typer.Argument(help="sch_…; without it the newest ones.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """How far a change is, what could not be opened, and what the last scan found."""
    with client_of(data, url, token_file) as client:
        if change_id is not None:
            _tell(client.call("GET", f"/v1/suite-changes/{change_id}"), as_json=as_json)
            return
        found = client.call("GET", "/v1/suite-changes")["items"]
    if as_json:
        print_json(found)
        return
    for change in found:
        say(f"{change['id']}  {change['state']:<11}{change['suite']:<13}{change['subjectId'] or 'everything'}")


@app.command("pause")
def pause(
    change_id: ChangeId,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Stop a change after its present step; everything stays readable."""
    _act(change_id, "pause", data, url, token_file, as_json=as_json)


@app.command("resume")
def resume(
    change_id: ChangeId,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have a change go on that was paused, or that stopped at something that has been mended."""
    _act(change_id, "resumption", data, url, token_file, as_json=as_json)


@app.command("cancel")
def cancel(
    change_id: ChangeId,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """End a change where it stands; what was moved stays moved."""
    _act(change_id, "cancellation", data, url, token_file, as_json=as_json)


def _propose(
    body: dict[str, Any], data: Path | None, url: str | None, token_file: Path | None, *, as_json: bool
) -> None:
    with client_of(data, url, token_file) as client:
        change = client.call("POST", "/v1/suite-changes", body=body)
    if as_json:
        print_json(change)
    else:
        say(f"proposed: casework suites confirm {change['id']}   (by another person)")


def _act(
    change_id: str, act: str, data: Path | None, url: str | None, token_file: Path | None, *, as_json: bool
) -> None:
    with client_of(data, url, token_file) as client:
        _tell(client.call("POST", f"/v1/suite-changes/{change_id}/{act}"), as_json=as_json)


def _tell(change: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(change)
        return
    say(f"{change['id']}  {change['state']}  {change['suite']}  {change['subjectId'] or 'everything'}")
    say(f"keys of people: {change['keys']['moved']} moved, {change['keys']['left']} left; pass {change['passes']}")
    for name, count in sorted(change["figures"].items()):
        say(f"  {name:<16}{count:>12}")
    for place in change["unopened"]:
        say(f"  cannot be opened: {place['table']}.{place['column']} of {place['row']}")
    if change["scan"] is not None:
        say(f"scan: {change['scan']['old']} under another suite or key, root {change['scan']['root']}")
