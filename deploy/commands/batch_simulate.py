"""`casework batch simulate`: the calendar of an order's presentments under a policy; needs no installation."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from deploy.commands.options import JsonOption, print_json, say
from deploy.commands.rules import date_of
from deploy.exits import CommandFailed, ExitCode
from models.errors import FormInvalid

_BANK_CODE: Final = re.compile(r"\A[A-Z0-9]{2,8}\Z")
_MAX_CODES: Final = 50
_LANGUAGES: Final = ("zh-CN", "en")
_EXAMPLE: Final = "casework batch simulate --amount 150000 --due 2026-03-10 --fail AM04,technical --salary-day 15"


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("simulate", epilog=f"Example: {_EXAMPLE}")(simulate_command)


def simulate_command(  # long because each option is an argument; it reads them and prints
    amount: Annotated[int, typer.Option("--amount", min=1, help="What is due, in minor units (fen).")],
    due: Annotated[str, typer.Option("--due", help="Due date, YYYY-MM-DD.")],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="JSON (docs/batch-policy.md); the product's if left out.", show_default=False),
    ] = None,
    fail: Annotated[
        str, typer.Option("--fail", help="What each presentment comes back with, between commas: codes or reasons.")
    ] = "",
    salary_day: Annotated[int | None, typer.Option("--salary-day", min=1, max=31, help="Day of the wage.")] = None,
    *,
    parts: Annotated[bool, typer.Option("--parts", help="The mandate allows a debit of a part.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The mandate's limit of one debit.")] = None,
    valid_to: Annotated[str | None, typer.Option("--valid-to", help="Last day of the mandate.")] = None,
    reply_days: Annotated[int, typer.Option("--reply-days", min=0, max=31, help="Days until the answer.")] = 1,
    at: Annotated[
        str | None, typer.Option("--at", help="When the first one is decided, YYYY-MM-DDTHH:MM in Shanghai.")
    ] = None,
    calendar: Annotated[
        Path | None, typer.Option("--calendar", help="Bank days of whole years as CSV; the built-in table if left out.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="zh-CN or en.")] = "zh-CN",
    as_json: JsonOption = False,
) -> None:
    """Print on which days, for how much and why an order is presented, if its debits come back with these reasons.

    After the last reason money is assumed to come. A policy that makes no sense ends with exit code 65.
    """
    from models.domain.batches.retrying.orders import Mandate, RetryOrder  # noqa: PLC0415
    from models.domain.batches.retrying.policy import DEFAULT_POLICY, RetryPolicy  # noqa: PLC0415
    from models.domain.batches.retrying.simulate import simulate  # noqa: PLC0415
    from models.domain.batches.retrying.telling import told  # noqa: PLC0415

    if language not in _LANGUAGES:
        raise CommandFailed(ExitCode.COMMAND_LINE, f"--language: choose from {', '.join(_LANGUAGES)}")
    try:
        under = DEFAULT_POLICY if policy is None else RetryPolicy.read_json(_bytes(policy))
        days = _calendar(calendar)
    except FormInvalid as invalid:
        raise CommandFailed(ExitCode.DATA, _faults(invalid, language)) from None
    mandate = Mandate(
        limit_minor=limit,
        valid_to=date_of(valid_to, "--valid-to") if valid_to is not None else None,
        parts_allowed=parts,
    )
    order = RetryOrder(amount_minor=amount, due=date_of(due, "--due"), mandate=mandate, salary_day=salary_day)
    done = simulate(under, order, _codes(fail, language), is_bank_day=days, reply_days=reply_days, at=_moment(at))
    answer = told(done)
    if as_json:
        print_json(_with_words(answer))
        return
    for line in _lines(answer, attempts=under.attempts, window=under.window_days, language=language):
        say(line)


def _codes(fail: str, language: str) -> list[str]:
    from models.domain.batches.retrying.reasons import Reason  # noqa: PLC0415
    from models.texts.render import render  # noqa: PLC0415

    codes = [word.strip() for word in fail.split(",") if word.strip()]
    known = {reason.value for reason in Reason}
    if len(codes) > _MAX_CODES or any(code not in known and _BANK_CODE.match(code) is None for code in codes):
        told = render("field.retry-words", {"allowed": ", ".join(sorted(known))}, language)
        raise CommandFailed(ExitCode.COMMAND_LINE, f"--fail: {told}")
    return codes


def _moment(at: str | None) -> datetime | None:
    from models.domain.shanghai import SHANGHAI  # noqa: PLC0415

    if at is None:
        return None
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise CommandFailed(ExitCode.COMMAND_LINE, "--at: write YYYY-MM-DDTHH:MM") from None


def _calendar(source: Path | None) -> Callable[[date], bool]:
    if source is None:
        from deploy.bank import is_bank_day  # noqa: PLC0415

        return is_bank_day
    from models.domain.bank_calendar import days_of_rows, rows_of_csv, year_of_days  # noqa: PLC0415

    try:
        days = days_of_rows(rows_of_csv(_bytes(source).decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise CommandFailed(ExitCode.DATA, f"{source} is not UTF-8: save it as UTF-8") from None
    years = {
        year: year_of_days(year, (each for each in days if each.day.year == year))
        for year in {each.day.year for each in days}
    }
    return lambda day: years[day.year].is_open(day)


def _bytes(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError as error:
        raise CommandFailed(ExitCode.DATA, f"{source} cannot be read: {error.strerror}") from None


def _faults(invalid: FormInvalid, language: str) -> str:
    from models.texts.render import render  # noqa: PLC0415

    return "; ".join(
        f"{fault.pointer or '/'}: {fault.code}: {render(f'field.{fault.code}', fault.params, language)}"
        for fault in invalid.faults
    )


def _with_words(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with each reason's text in both languages beside its key."""
    from models.texts.render import render  # noqa: PLC0415

    def worded(reason: Mapping[str, Any]) -> dict[str, Any]:
        return {**reason, **{each: render(reason["key"], reason["params"], each) for each in _LANGUAGES}}

    attempts = [{**each, "steps": [worded(step) for step in each["steps"]]} for each in answer["attempts"]]
    return {**answer, "attempts": attempts, "end": {**answer["end"], "reason": worded(answer["end"]["reason"])}}


def _lines(answer: dict[str, Any], *, attempts: int, window: int, language: str) -> list[str]:
    from models.texts.render import render  # noqa: PLC0415

    def words(key: str, **params: str | int) -> str:
        return render(key, params, language)

    under, end = answer["policy"], answer["end"]
    lines = [words("retry-calendar.head", version=under["version"], hash=under["hash"], attempts=attempts, days=window)]
    for each in answer["attempts"]:
        code, meaning = each["comesBackWith"], each["meaning"]
        came = words("retry-calendar.taken")
        if code is not None:
            came = words("retry-calendar.comes-back", code=code, reason=meaning)
        weekday = str(date.fromisoformat(each["on"]).isoweekday())
        head = {"number": each["number"], "on": each["on"], "weekday": weekday, "amount": each["amountMinor"]}
        lines.append(words("retry-calendar.line", answer=came, **head))
        lines += [
            "   - " + words("retry-calendar.step", text=words(step["key"], **step["params"]), rule=step["rule"])
            for step in each["steps"]
        ]
    lines.append(
        words(
            "retry-calendar.end",
            end=end["state"] or end["what"],
            text=words(end["reason"]["key"], **end["reason"]["params"]),
            rule=end["rule"],
            taken=end["takenMinor"],
            open=end["openMinor"],
        )
    )
    return lines
