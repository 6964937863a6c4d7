"""`casework book generate`: a file, an answer for programs, and no file overwritten by mistake."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.commands.book import app
from deploy.demo.book import read_book
from deploy.exits import CommandFailed, ExitCode

_RUN = CliRunner()


def test_a_book_is_written_and_described(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    result = _RUN.invoke(app, ["generate", "--size", "30", "--seed", "5", "--out", str(path), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["rows"], answer["seed"], len(answer["sha256"])) == (30, 5, 64)
    assert len(list(read_book(path))) == 30


def test_a_file_that_exists_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(CommandFailed) as caught:
        _RUN.invoke(app, ["generate", "--size", "1", "--out", str(path)], catch_exceptions=False)
    assert caught.value.code is ExitCode.CANNOT_CREATE
    assert path.read_text(encoding="utf-8") == "mine"
    assert _RUN.invoke(app, ["generate", "--size", "1", "--out", str(path), "--force"]).exit_code == 0
    assert len(list(read_book(path))) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be written") as caught:
        _RUN.invoke(app, ["generate", "--out", str(tmp_path / "no" / "book.csv")], catch_exceptions=False)
    assert caught.value.code is ExitCode.CANNOT_CREATE


def test_a_negative_size_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert _RUN.invoke(app, ["generate", "--size", "-1", "--out", str(tmp_path / "b.csv")]).exit_code == 2
