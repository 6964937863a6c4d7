"""`casework book generate`: a file, an answer for programs, and no file overwritten by mistake."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.commands.book import app
from deploy.demo.book import read_book
from deploy.exits import CommandFailed, ExitCode
from tests.support.client_files import client_file

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


def test_a_book_of_delayed_clients_has_their_debts_and_is_the_same_each_time(tmp_path: Path) -> None:
    clients = client_file(tmp_path / "c.csv", [{"BILL_AMT1": 700 + number, "PAY_0": number % 4} for number in range(8)])
    digests = set()
    for name in ("a.csv", "b.csv"):
        result = _RUN.invoke(
            app, ["generate", "--clients", str(clients), "--size", "3", "--out", str(tmp_path / name), "--json"]
        )
        assert result.exit_code == 0, result.output
        digests.add(json.loads(result.stdout)["sha256"])
    rows = list(read_book(tmp_path / "a.csv"))
    assert [(row.row, row.total_due_minor) for row in rows] == [(3, 70_200), (4, 70_300), (7, 70_600)]
    assert len(digests) == 1


def test_fewer_clients_than_asked_for_are_counted_as_they_are(tmp_path: Path) -> None:
    clients = client_file(tmp_path / "c.csv", [{}, {"PAY_0": 0}])
    result = _RUN.invoke(app, ["generate", "--clients", str(clients), "--out", str(tmp_path / "b.csv"), "--json"])
    assert json.loads(result.stdout)["rows"] == 1


def test_a_file_that_is_no_file_of_clients_is_damaged_data(tmp_path: Path) -> None:
    clients = client_file(tmp_path / "c.csv", [{"AGE": "x"}])
    with pytest.raises(CommandFailed, match=r"c\.csv: line 2, column AGE") as caught:
        _RUN.invoke(
            app, ["generate", "--clients", str(clients), "--out", str(tmp_path / "b.csv")], catch_exceptions=False
        )
    assert caught.value.code is ExitCode.DATA
    assert not (tmp_path / "b.csv").exists()
