"""`casework calendars`: the bank days of each year (银行工作日历), over HTTP with a token like anyone."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.rule_desk import decide, show_draft
from deploy.commands.rules import date_of, read_object, refused
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.exits import CommandFailed, ExitCode

_PATH: Final = "/v1/calendars"

app = typer.Typer(help="Bank days of each year (银行工作日历); a year takes two persons.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Bank days of each year (银行工作日历)."""


@app.command("list")
def list_calendars(
    data: DataOption = None, url: UrlOption = None, token_file: TokenOption = None, *, as_json: JsonOption = False
) -> None:
    """Where each year's bank days come from, and the newest drafts."""
    with client_of(data, url, token_file) as client:
        told = client.call("GET", _PATH)
    if as_json:
        print_json(told)
        return
    for each in told["years"]:
        mark = "  provisional" if each["provisional"] else ""
        say(f"{each['year']}  {each['source']}  {each['version'] or ''}{mark}")
    for each in told["items"]:
        say(f"  {each['id']}  {each['year']}  {each['version']}  {each['openDays']} open  {each['state'].lower()}")


@app.command("upload")
def upload(
    source: Annotated[Path, typer.Argument(help="CSV (date,state,reason) or JSON ({days: [{date, state, reason}]}).")],
    year: Annotated[int, typer.Option("--year", help="The whole year that the file holds.")],
    version: Annotated[str, typer.Option("--version", help="Name of the version; used once.")],
    *,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    provisional: Annotated[bool, typer.Option("--provisional", help="The announcement is still to come.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Upload a whole year: every day once, open or closed. Another person approves it."""
    with refused():
        days = _days(source)
    body = {"year": year, "version": version, "provisional": provisional, "days": days}
    with client_of(data, url, token_file) as client:
        told = client.call("POST", _PATH, body=body)
    show_draft(told, as_json=as_json)


@app.command("fill")
def fill(
    year: Annotated[int, typer.Option("--year", help="A year that the built-in table knows.")],
    version: Annotated[str, typer.Option("--version", help="Name of the version; used once.")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a year of the bank's own from the built-in table (`chinese-calendar`), to be changed by uploads after it."""
    with client_of(data, url, token_file) as client:
        told = client.call("POST", _PATH, body={"year": year, "version": version, "days": _built_in(year)})
    show_draft(told, as_json=as_json)


@app.command("days")
def days(
    draft_id: Annotated[str, typer.Argument(help="rdr_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
) -> None:
    """Print every day of a version as CSV, as it can be uploaded again."""
    with client_of(data, url, token_file) as client:
        told = client.call("GET", f"{_PATH}/{draft_id}/days")
    say("date,state,reason")
    for each in told["items"]:
        say(f"{each['date']},{each['state']},{each['reason']}")


@app.command("day")
def day(
    on: Annotated[str, typer.Argument(help="YYYY-MM-DD")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Whether banks work on a day, and to which day a debit of it is moved."""
    with client_of(data, url, token_file) as client:
        told = client.call("GET", f"/v1/bank-days?on={date_of(on, 'DATE')}")
    if as_json:
        print_json(told)
        return
    mark = "; provisional" if told["provisional"] else ""
    taken = told["movedTo"] or "the day itself, unmoved"
    say(f"{told['date']} {told['state']}; a debit of it is taken on {taken}{mark}")


@app.command("diff")
def diff(
    draft_id: Annotated[str, typer.Argument(help="rdr_…")],
    to: Annotated[str | None, typer.Option("--to", help="Another version; what holds now if left out.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """The days that a version tells differently."""
    with client_of(data, url, token_file) as client:
        told = client.call("GET", f"{_PATH}/{draft_id}/differences" + (f"?to={to}" if to else ""))
    if as_json:
        print_json(told)
        return
    for each in told["items"]:
        say(f"{each['date']}  {each['before'] or 'unknown'} -> {each['after']}  {each['reason']}")
    say(f"{len(told['items'])} days differ between {told['before'] or 'no calendar'} and {told['after']}")


@app.command("approve")
def approve(
    draft_id: Annotated[str, typer.Argument(help="rdr_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Approve an uploaded year as the second person; needs a log-in of the last five minutes."""
    with client_of(data, url, token_file) as client:
        decide(client, _PATH, draft_id, act="approval", yes=yes, as_json=as_json)


@app.command("reject")
def reject(
    draft_id: Annotated[str, typer.Argument(help="rdr_…")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Reject an uploaded year as the second person."""
    with client_of(data, url, token_file) as client:
        decide(client, _PATH, draft_id, act="rejection", yes=yes, as_json=as_json)


def _days(source: Path) -> list[dict[str, Any]]:
    from models.domain.bank_calendar import rows_of_csv  # noqa: PLC0415

    if source.suffix.lower() == ".json":
        found = read_object(source).get("days")
        if not isinstance(found, list):
            raise CommandFailed(ExitCode.COMMAND_LINE, f"{source}: a list `days` is expected")
        return found
    try:
        return list(rows_of_csv(source.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{source} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"{source} is not UTF-8: save it as UTF-8") from None


def _built_in(year: int) -> list[dict[str, str]]:
    from deploy.bank import built_in_days  # noqa: PLC0415

    try:
        return built_in_days(year)
    except LookupError:
        told = f"the built-in table does not know {year}: upload it once it is announced"
        raise CommandFailed(ExitCode.COMMAND_LINE, told) from None
