"""`casework quote`: JSON in, JSON out, without any installation; a refusal ends with the exit code for bad data."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.commands.quote import quote_command
from deploy.exits import CommandFailed, ExitCode
from models.domain.schedules.conventions import CONVENTIONS

_APP = typer.Typer()
_APP.command()(quote_command)
_RUN = CliRunner()
BODY = {"start": "2026-01-31", "principalMinor": 1_000_000, "annualRate": "0.12", "rows": 3}


def test_a_quote_from_a_file_and_from_standard_input_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "quote.json"
    path.write_text(json.dumps(BODY), encoding="utf-8")
    from_file = _RUN.invoke(_APP, [str(path)])
    piped = _RUN.invoke(_APP, ["-"], input=json.dumps(BODY))
    assert (from_file.exit_code, piped.exit_code) == (0, 0), from_file.output
    assert from_file.stdout == piped.stdout
    assert [row["totalMinor"] for row in json.loads(piped.stdout)["rows"]] == [340_022, 340_022, 340_023]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (json.dumps(BODY | {"rows": 0}), "/rows: too-small: The least is 1"),
        (json.dumps(BODY | {"convention": "mine"}), "/convention: not-one-of"),
        ("no json", "not-json"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field_and_the_fix(sent: str, said: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        _RUN.invoke(_APP, ["-"], input=sent, catch_exceptions=False)
    assert caught.value.code is ExitCode.DATA
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be read") as caught:
        _RUN.invoke(_APP, [str(tmp_path / "none.json")], catch_exceptions=False)
    assert caught.value.code is ExitCode.DATA


def test_the_conventions_can_be_listed() -> None:
    listed = json.loads(_RUN.invoke(_APP, ["--conventions"]).stdout)
    assert [each["name"] for each in listed] == list(CONVENTIONS)
    assert {"dayCount", "levelRule", "mode"} <= listed[0].keys()
