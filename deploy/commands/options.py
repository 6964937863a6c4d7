"""Options that several commands share, and what they do to the settings."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy import datadir
from deploy.exits import CommandFailed, ExitCode
from deploy.settings import load_settings
from deploy.values import Settings

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data directory (CASEWORK_DATA_DIR).", show_default=False, file_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_from(data: Path | None = None, *, without_kek: bool = False, **values: str | int | None) -> Settings:
    """Settings of the environment, with command line options over them (`port=…` stands for `CASEWORK_PORT`)."""
    overrides = {f"CASEWORK_{name.upper()}": str(value) for name, value in values.items() if value is not None}
    if data is not None:
        overrides["CASEWORK_DATA_DIR"] = str(data)
    return load_settings(overrides=overrides, without_kek=without_kek)


def print_json(value: Any) -> None:
    """One line of JSON, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """One line for people."""
    sys.stdout.write(line + "\n")


def need_installation(settings: Settings) -> None:
    """For commands that look at an embedded installation.

    Raises:
        CommandFailed: exit code 65, there is none in this directory.
    """
    if settings.database_url.startswith("sqlite") and not settings.data.keys.exists():
        raise CommandFailed(ExitCode.DATA, f"{settings.data.root} holds no installation; `casework up` makes one")


def private_process() -> None:
    """Whatever this command writes is for its owner alone."""
    datadir.make_private()
