"""`casework book transfer`: three files and an answer, clients of a file, and clear words for what cannot be."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.commands.book import app
from deploy.demo.transfers.truth import read_truth
from deploy.exits import CommandFailed, ExitCode
from tests.support.client_files import client_file

_RUN = CliRunner()


def _run(*arguments: str) -> dict[str, object]:
    result = _RUN.invoke(app, ["transfer", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    told: dict[str, object] = json.loads(result.stdout)
    return told


def test_two_books_and_the_truth_are_written(tmp_path: Path) -> None:
    told = _run("--out", str(tmp_path / "b"), "--source", "50", "--target", "40", "--overlap", "20%", "--seed", "3")
    assert (told["source"], told["target"], told["known"]) == (50, 40, 10)
    truth = list(read_truth(tmp_path / "b" / "truth.csv"))
    assert len({row.target_customer_no for row in truth} - {""}) == 10
    with pytest.raises(CommandFailed) as caught:
        _run("--out", str(tmp_path / "b"))
    assert caught.value.code is ExitCode.CANNOT_CREATE


def test_clients_of_a_file_keep_their_sex_and_age(tmp_path: Path) -> None:
    clients = client_file(tmp_path / "c.csv", [{"SEX": 1 + number % 2, "AGE": 30 + number} for number in range(8)])
    told = _run("--out", str(tmp_path / "b"), "--from-clients", str(clients), "--target", "6", "--recipe", "clean")
    assert told["source"] == 8
    lines = (tmp_path / "b" / "source.csv").read_text(encoding="utf-8").splitlines()[1:]
    born = [line.split(",")[6] for line in lines]
    # On the day of the book, a first of January, only who was born on one has reached the age of the year.
    assert sorted(2025 - int(day[:4]) + day.endswith("0101") for day in born) == [30 + number for number in range(8)]
    assert sorted(line.split(",")[5] for line in lines) == ["1"] * 4 + ["2"] * 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--overlap", "120%"), "--overlap"),
        (("--recipe", "spotless"), "standard"),
        (("--source", "100", "--target", "10", "--overlap", "50%"), "in common"),
        (("--encoding", "big5"), "gb18030"),
    ],
)
def test_what_makes_no_book_is_named(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandFailed, match=says) as caught:
        _run("--out", str(tmp_path / "b"), *arguments)
    assert caught.value.code is ExitCode.DATA
