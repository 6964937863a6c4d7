"""The commands of the README run as printed, in one session against a fresh `casework up`, and print what it says."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.stack import Stack, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

REPOSITORY = Path(__file__).parents[2]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "# runs as printed\n"
_END = "<<end of block>>"
# What differs from run to run: identifiers, hashes, paths of a moment, figures of time; and what the page leaves out.
_VARYING = re.compile(
    r"(?:main\.|tsk_)\w+…|…|[0-9a-f]{8}-[0-9a-f-]{27}|\b[a-z]{3}_[0-9a-z]{26}\b"
    r"|/\S*/tmp\.\w+|\d\d:\d\d:\d\d|\(case ending \w+\)|（编号尾号 \w+）"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of commands, and the output printed after it, if any."""

    commands: str
    output: str | None


def blocks_of(page: Path) -> list[Block]:
    """The marked blocks of a page, in order."""
    fences = [(found[1], found[2]) for found in _FENCED.finditer(page.read_text(encoding="utf-8"))]
    following = [*fences[1:], ("", "")]
    return [
        Block(text.removeprefix(_MARK), after if language == "" and after else None)
        for (kind, text), (language, after) in zip(fences, following, strict=True)
        if kind == "bash" and text.startswith(_MARK)
    ]


@pytest.fixture(scope="module", params=["README.md", pytest.param("README.zh-CN.md", marks=pytest.mark.long)])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stack(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on an empty directory, for each page."""
    with running_stack(tmp_path_factory.mktemp(name) / "casework-data") as running:
        yield running


def test_the_readme_works_as_printed(name: str, stack: Stack, tmp_path: Path) -> None:
    blocks = blocks_of(REPOSITORY / name)
    assert blocks, f"{name} has no block that begins with {_MARK.strip()!r}"
    printed = run(blocks, stack, tmp_path)
    for block, lines in zip(blocks, printed, strict=True):
        missing = [line for line in (block.output or "").splitlines() if not any(shown(line, seen) for seen in lines)]
        assert not missing, (missing, lines)


def run(blocks: list[Block], stack: Stack, folder: Path) -> list[list[str]]:
    """The lines each block printed. Any command that fails, and any answer of 400 or more, ends the session."""
    # A reader sees what went wrong; a test must be told: this makes curl exit with 22, and `set -e` stops at it.
    (folder / ".curlrc").write_text("fail-with-body\n")
    script = "".join(f"{block.commands}\necho '{_END}'\n" for block in blocks)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=REPOSITORY,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            "CASEWORK_URL": stack.address,
            "CASEWORK_LOGIN_FILE": str(stack.login_file),
        },
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    printed = done.stdout.split(f"{_END}\n")
    assert printed.pop() == ""
    return [text.splitlines() for text in printed]


def shown(line: str, seen: str) -> bool:
    """Whether a line of the page is this line of the output, but for what differs from run to run."""
    fixed = _VARYING.split(line)
    return re.fullmatch(".*".join(re.escape(part) for part in fixed), seen) is not None


def test_teeth(stack: Stack, tmp_path: Path) -> None:
    """A wrong command, a refused request and a false output are noticed."""
    for commands in ("false", 'curl -sS "$CASEWORK_URL/v1/me"', "no-such-command"):
        with pytest.raises(AssertionError):
            run([Block(commands, None)], stack, tmp_path)
    assert shown("approved", "approved")
    assert not shown("approved", "rejected")
    assert shown(
        '{"decisionId":"01a200b8-61a2-713c-bf68-e7d236114406",…,"stage":"ended"}',
        '{"decisionId":"01a2","x":1,"stage":"ended"}',
    )
