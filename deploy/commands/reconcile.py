"""`casework reconcile`: books against bank, and books against the memory of the cases, over HTTP."""

from datetime import date, timedelta
from typing import Annotated, Any, Final

import typer

from deploy.commands.options import DataOption, JsonOption, print_json, say
from deploy.commands.staff import TokenOption, UrlOption, client_of
from deploy.exits import CommandFailed, ExitCode

_DAYS: Final = 31
_HEAD: Final = ("kind", "about", "agreementId", "orderId", "eventId", "lineId")
_FIGURES: Final = ("expectedMinor", "foundMinor", "expectedOn", "foundOn")


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("reconcile")(reconcile)


def reconcile(
    first: Annotated[
        str | None, typer.Option("--from", help="First date, YYYY-MM-DD; a month back if left out.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--until", help="Last date, YYYY-MM-DD; the one before the open one if left out.")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenOption = None,
    *,
    files: Annotated[bool, typer.Option("--files", help="Read the bank's files again, not the records alone.")] = False,
    cases: Annotated[bool, typer.Option("--cases", help="Books against the cases' workflows instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold the books against the bank (对账); name every difference, change nothing. Exit code 1 if there is one."""
    with client_of(data, url, token_file) as client:
        if cases:
            told = client.call("GET", "/v1/reconciliations/cases")
        else:
            today = client.call("GET", "/v1/business-dates")["today"]
            if today is None:
                raise CommandFailed(ExitCode.DATA, "the books of this institution are not open: nothing to compare")
            until = _date(last, "--until") if last else date.fromisoformat(today) - timedelta(days=1)
            since = _date(first, "--from") if first else until - timedelta(days=_DAYS - 1)
            source = "files" if files else "records"
            told = client.call("GET", f"/v1/reconciliations?from={since}&until={until}&source={source}")
    found = told["gaps"] if cases else told["differences"]
    if as_json:
        print_json(told)
    else:
        _show(told, found, cases=cases)
    if found:
        raise CommandFailed(ExitCode.FAILED, f"{len(found)} {'gaps' if cases else 'differences'}")


def _show(told: dict[str, Any], found: list[dict[str, Any]], *, cases: bool) -> None:
    if cases:
        say(f"{told['cases']} runs of cases asked")
        for gap in found:
            say(f"  {gap['kind']:10}  {gap['caseToken']}  {gap['name']}")
        return
    say(
        f"{told['first']} to {told['last']}, as of {told['asOf']}: "
        f"{told['orders']} orders, {told['lines']} bank lines, "
        f"{told['agreeing']} agree, {told['pending']} pending"
    )
    for each in found:
        where = "  ".join(str(each[name]) for name in _HEAD if each[name] is not None)
        what = ", ".join(f"{name} {each[name]}" for name in _FIGURES if each[name] is not None)
        say(f"  {where}  {what}")


def _date(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandFailed(ExitCode.USAGE, f"{option} is a date, YYYY-MM-DD") from None
