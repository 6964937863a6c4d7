"""`casework quote`: a repayment schedule worked out from JSON; needs no installation, no database and no network."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.commands.options import print_json
from deploy.exits import CommandFailed, ExitCode
from models.errors import FormInvalid

_EXAMPLE: Final = (
    '{"convention": "cn-level", "start": "2026-01-05", "principalMinor": 1000000, "annualRate": "0.12", "rows": 12}'
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("quote", epilog=f"Example: echo '{_EXAMPLE}' | casework quote -")(quote_command)


def quote_command(
    source: Annotated[
        Path | None,
        typer.Argument(help="JSON file with the request; `-`, or nothing: standard input.", show_default=False),
    ] = None,
    *,
    conventions: Annotated[
        bool, typer.Option("--conventions", help="List the named conventions instead, as JSON.")
    ] = False,
) -> None:
    """Work out a repayment schedule and its yearly rates: JSON in, JSON out; docs/conventions.md describes both.

    Amounts are whole minor units (fen), rates are fractions per year as strings ("0.12" is 12 %), dates are YYYY-MM-DD.
    A request that makes no sense ends with exit code 65 and names each field, the rule and the fix.
    """
    from models.domain.schedules.quote_form import QuoteForm, described_conventions, quote  # noqa: PLC0415

    if conventions:
        print_json(described_conventions())
        return
    try:
        print_json(quote(QuoteForm.read_json(_read(source))))
    except FormInvalid as invalid:
        raise CommandFailed(ExitCode.DATA, _told(invalid)) from None


def _read(source: Path | None) -> bytes:
    if source is None or str(source) == "-":
        return sys.stdin.buffer.read()
    try:
        return source.read_bytes()
    except OSError as error:
        raise CommandFailed(ExitCode.DATA, f"{source} cannot be read: {error.strerror}") from None


def _told(invalid: FormInvalid) -> str:
    from models.texts.render import render  # noqa: PLC0415

    return "; ".join(
        f"{fault.pointer or '/'}: {fault.code}: {render(f'field.{fault.code}', fault.params, 'en')}"
        for fault in invalid.faults
    )
