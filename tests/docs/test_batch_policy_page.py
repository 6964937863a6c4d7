"""The example of docs/batch-policy.md is what the command prints."""

import re
import shlex
from pathlib import Path

import typer
from typer.testing import CliRunner

from deploy.commands import batch_simulate

_PAGE = Path(__file__).parents[2] / "docs" / "batch-policy.md"


def test_the_calendar_of_the_page_is_what_the_command_prints(tmp_path: Path) -> None:
    page = _PAGE.read_text(encoding="utf-8")
    policy, command, printed = (
        re.search(pattern, page, re.DOTALL).group(1)
        for pattern in (r"```json\n(.*?)```", r"```\ncasework batch (.*?)```", r"```text\n(.*?)```")
    )
    (tmp_path / "policy.json").write_text(policy, encoding="utf-8")
    app = typer.Typer()
    app.callback()(lambda: None)
    batch_simulate.register(app)
    arguments = shlex.split(command.replace("policy.json", str(tmp_path / "policy.json")))
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.stdout == printed
