"""The `casework` command: where every subcommand is joined, and where an end becomes an exit code."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import typer

from deploy.commands import (
    audit,
    batch,
    batch_plan,
    batch_simulate,
    book,
    calendars,
    customers,
    day,
    demo,
    keys,
    privacy,
    quote,
    reconcile,
    rollout,
    rule_desk,
    rules,
    run,
    staff,
    stores,
    suites,
    tenants,
    transfer,
    transfer_backup,
    transfer_drill,
)
from deploy.exits import CommandFailed, ExitCode
from deploy.settings import SettingsRefused
from models.errors import (
    CannotOpen,
    CaseworkError,
    DatabaseBusy,
    KeysUnavailable,
    NotFound,
    SchemaNewer,
    UnsafeSetting,
    WorkflowUnavailable,
)

_INTERRUPTED: Final = 130
_CODES: Final[tuple[tuple[type[CaseworkError], ExitCode], ...]] = (
    (UnsafeSetting, ExitCode.CONFIG),
    (SchemaNewer, ExitCode.SOFTWARE),
    (DatabaseBusy, ExitCode.UNAVAILABLE),
    (WorkflowUnavailable, ExitCode.UNAVAILABLE),
    (KeysUnavailable, ExitCode.CONFIG),
    (CannotOpen, ExitCode.DATA),
    (NotFound, ExitCode.DATA),
)

app = typer.Typer(
    name="casework",
    help="Casework 办件: a durable back office for financial institutions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, which may hold personal data
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.register(app)
stores.register(app)
app.add_typer(keys.app, name="keys")
app.add_typer(suites.app, name="suites")
app.add_typer(audit.app, name="audit")
app.add_typer(privacy.app, name="privacy")
app.add_typer(rollout.app, name="rollout")
app.add_typer(tenants.app, name="tenant")
staff.register(app)
app.add_typer(day.app, name="day")
reconcile.register(app)
demo.register(app)
app.add_typer(book.app, name="book")
app.add_typer(customers.app, name="customers")
transfer_backup.register(transfer.app)
transfer_drill.register(transfer.app)
app.add_typer(transfer.app, name="transfer")
rule_desk.register(rules.app)
app.add_typer(rules.app, name="rules")
app.add_typer(calendars.app, name="calendars")
batch_simulate.register(batch.app)
batch_plan.register(batch.app)
app.add_typer(batch.app, name="batch")
quote.register(app)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and say how it ended; errors are printed to stderr, one line each where they were anticipated."""
    try:
        app(list(arguments), prog_name="casework")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except CommandFailed as failed:
        return _say(failed.code, str(failed))
    except SettingsRefused as refused:
        return _say(ExitCode.CONFIG, *(problem.detail for problem in refused.problems))
    except CaseworkError as error:
        return _say(_code_of(error), str(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence
        from compliance.telemetry.failures import error_fields  # noqa: PLC0415

        # Type and place only: the message of an exception that nobody anticipated may hold anything.
        return _say(ExitCode.FAILED, " ".join(f"{name}={value}" for name, value in error_fields(error).items()))
    return ExitCode.OK


def main() -> NoReturn:
    """Entry of the console script.

    Leaves by `os._exit`: the SDK's native threads abort an ordinary interpreter exit now and then (134 instead of 0).
    """
    gc.set_threshold(100_000, 50, 100)  # imports make a million objects that stay; looking through them takes a second
    code = run_command(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # whoever read our output has gone
            code = code or ExitCode.FAILED
    os._exit(code)


def _say(code: ExitCode, *lines: str) -> ExitCode:
    for line in lines:
        sys.stderr.write(f"casework: {line}\n")
    return code


def _code_of(error: CaseworkError) -> ExitCode:
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)
