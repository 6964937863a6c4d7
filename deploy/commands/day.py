"""`casework day`: the business date and its daily runs, over HTTP with a token like anyone."""

import time
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

import typer

from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from deploy.client import ApiClient

_PATH: Final = "/v1/business-dates"
_POLL_S: Final = 0.2
_STEPS: Final = 7

app = typer.Typer(help="The business date (会计日期) and its daily runs.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The business date (会计日期) and its daily runs."""


@app.command("show")
def show(
    data: DataOption = None, url: UrlOption = None, token_file: TokenOption = None, *, as_json: JsonOption = False
) -> None:
    """The open date, and what the last runs did."""
    with client_of(data, url, token_file) as client:
        told = client.call("GET", _PATH)
    if as_json:
        print_json(told)
        return
    say(f"business date {told['today'] or 'not opened'}; {told['openExceptions']} in the exception queue")
    for run in told["runs"]:
        say(f"  {run['businessDate']}  {run['state']:8}  {_in_words(run)}")


@app.command("run")
def run(
    until: Annotated[
        str | None, typer.Option("--until", help="Last date to run, YYYY-MM-DD; the open one if left out.")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Run every open date up to a wanted one, the missed ones first, and wait for the end."""
    with client_of(data, url, token_file) as client:
        first = client.call("GET", _PATH)["today"]
        if first is None:
            raise CommandFailed(ExitCode.DATA, "the books of this institution are not open: there is no business date")
        start, last = date.fromisoformat(first), _date(until or first)
        if last >= start:
            client.call("POST", _PATH, body={"until": last.isoformat()})
        told = _follow(client, start, last, quiet=as_json)
    ended = [each for each in reversed(told["runs"]) if start <= date.fromisoformat(each["businessDate"]) <= last]
    if as_json:
        print_json({"today": told["today"], "openExceptions": told["openExceptions"], "runs": ended})
        return
    for each in ended:
        say(f"{each['businessDate']}  {_in_words(each)}")
    say(f"business date {told['today']}; {told['openExceptions']} in the exception queue")


@app.command("open")
def open_books(
    first: Annotated[str, typer.Option("--date", help="The first business date, YYYY-MM-DD.")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Open the books of an institution that was made without; from then on only daily runs move the date."""
    with client_of(data, url, token_file) as client:
        told = client.call("POST", f"{_PATH}/opening", body={"businessDate": _date(first, "--date").isoformat()})
    if as_json:
        print_json(told)
        return
    say(f"the books are open: business date {told['today']}")


@app.command("exceptions")
def exceptions(
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    state: Annotated[str, typer.Option("--state", help="OPEN, RETRY, DONE or CLOSED; `all` for every one.")] = "OPEN",
    step: Annotated[str | None, typer.Option("--step", help="Of one step of the run.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Of one kind, such as blocked-by-rule.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The exception queue (例外队列): what daily runs could not do, the oldest first."""
    wanted = {"state": None if state == "all" else state, "step": step, "code": code}
    with client_of(data, url, token_file) as client:
        _show_items(_pages(client, f"{_PATH}/exceptions", wanted), as_json=as_json)


@app.command("retry")
def retry(
    item: Annotated[str, typer.Argument(help="Id of the item, dex_….")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Have the next run try an item of the exception queue again."""
    with client_of(data, url, token_file) as client:
        _show_items([client.call("POST", f"{_PATH}/exceptions/{item}/retry")], as_json=as_json)


@app.command("close")
def close(
    item: Annotated[str, typer.Argument(help="Id of the item, dex_….")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    reason: Annotated[
        str, typer.Option("--reason", help="done-by-hand, paid-otherwise, with-the-bank, not-needed or mistaken.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Close an item of the exception queue for a reason: nothing more is tried."""
    with client_of(data, url, token_file) as client:
        told = client.call("POST", f"{_PATH}/exceptions/{item}/close", body={"reason": reason})
    _show_items([told], as_json=as_json)


@app.command("suspense")
def suspense(
    data: DataOption = None, url: UrlOption = None, token_file: TokenOption = None, *, as_json: JsonOption = False
) -> None:
    """Money of nobody yet (暂收): what the bank booked and no order explains."""
    with client_of(data, url, token_file) as client:
        told = _pages(client, f"{_PATH}/suspense", {})
    if as_json:
        print_json(told)
        return
    for item in told:
        say(f"{item['id']}  {item['valueDate'] or '-'}  {item['amountMinor']:>14}  {item['reference'] or '-'}")
    if not told:
        say("nothing waits")


@app.command("assign")
def assign(
    entry: Annotated[str, typer.Argument(help="Id of the entry in suspense, bkr_….")],
    agreement: Annotated[str, typer.Option("--agreement", help="Whose money it is, agr_….")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    reason: Annotated[
        str, typer.Option("--reason", help="How that was found: remittance-text, payer-account or customer-confirmed.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Ask to assign money in suspense (认领) to an agreement; another person confirms."""
    with client_of(data, url, token_file) as client:
        body = {"entryId": entry, "reasonCode": reason}
        told = client.call("POST", f"/v1/agreements/{agreement}/suspense-assignments", body=body)
    _show_assignment(told, as_json=as_json)


@app.command("confirm")
def confirm(
    assignment: Annotated[str, typer.Argument(help="Id of the assignment, sua_….")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    reject: Annotated[bool, typer.Option("--reject", help="Reject instead: the money stays in suspense.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Confirm an assignment of money in suspense (复核认领) as the second person; the payment is booked at once."""
    path = f"/v1/suspense-assignments/{assignment}"
    with client_of(data, url, token_file) as client:
        shown = client.call("GET", path)["shownHash"]
        told = client.call("POST", f"{path}/{'rejection' if reject else 'confirmation'}", body={"shownHash": shown})
    _show_assignment(told, as_json=as_json)


def _show_assignment(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    head = f"{told['id']}  {told['state']}  {told['valueDate']}  {told['amountMinor']:>14}"
    say(f"{head}  {told['agreementId']}  {told['reasonText']}")


def _show_items(told: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    for item in told:
        say(_in_one_line(item))
    if not told:
        say("nothing waits")


def _pages(client: "ApiClient", path: str, wanted: dict[str, str | None]) -> list[dict[str, Any]]:
    """Everything of a list, page by page."""
    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        given = {name: value for name, value in {**wanted, "after": after}.items() if value is not None}
        page = client.call("GET", f"{path}?{urlencode(given)}" if given else path)
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


def _in_one_line(item: dict[str, Any]) -> str:
    rule = f"  {item['rule']} {item['citation']}" if item["rule"] is not None else ""
    tries = f", {item['tries']} tries" if item["tries"] > 1 else ""
    head = f"{item['id']}  {item['businessDate']}  {item['state']:6}  {item['step']:12}  {item['target']}"
    return f"{head}  {item['codeText']} ({item['code']}{tries}){rule}"


def _follow(client: "ApiClient", start: date, last: date, *, quiet: bool) -> dict[str, Any]:
    """Poll until the books stand beyond the last date, with a bar of steps."""
    from rich.console import Console  # noqa: PLC0415 - `up` stays small
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        days = (last - start).days + 1
        task = progress.add_task(str(start), total=max(0, days) * _STEPS)
        while True:
            told: dict[str, Any] = client.call("GET", _PATH)
            today = date.fromisoformat(told["today"])
            if today > last:
                progress.update(task, description=str(last), completed=max(0, days) * _STEPS)
                return told
            current = [each for each in told["runs"] if each["businessDate"] == told["today"]]
            done = sum(step["finished"] for each in current for step in each["steps"])
            progress.update(task, description=str(today), completed=(today - start).days * _STEPS + done)
            time.sleep(_POLL_S)


def _in_words(run: dict[str, Any]) -> str:
    """What a run did: the figures that are not zero."""
    return "  ".join(
        f"{step['step']}: " + ", ".join(f"{name} {value}" for name, value in step["figures"].items() if value)
        for step in run["steps"]
        if any(step["figures"].values())
    )


def _date(text: str, option: str = "--until") -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"{option} is a date, YYYY-MM-DD") from None
