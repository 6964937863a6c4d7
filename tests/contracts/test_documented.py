"""What pages in docs/ list is what the code has: problem types, task types, exit codes; and links lead somewhere."""

import re
from pathlib import Path
from typing import Final

import pytest

from api.problems import problem_types
from deploy.exits import ExitCode
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import OUTCOMES

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def rows(page: str, *, begin: str) -> dict[str, list[str]]:
    """The rows of the table under a heading of its columns, by their first cell."""
    lines = (ROOT / page).read_text(encoding="utf-8").split(begin, 1)[1].splitlines()[2:]
    found: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        found[first.strip("`")] = others
    return found


def test_every_problem_type_is_described_as_it_is() -> None:
    told = {
        code: (status, helps, acts)
        for code, (status, helps, acts, meaning) in rows("docs/inbox.md", begin="| code | status |").items()
        if meaning
    }
    wanted = {
        code: (str(kind.status), "yes" if kind.retryable else "no", kind.audience.value)
        for code, kind in problem_types().items()
    }
    assert told == wanted


def test_every_task_type_is_described_with_its_outcomes() -> None:
    told = rows("docs/inbox.md", begin="| type | for |")
    assert {kind: cells[1].split(", ") for kind, cells in told.items()} == {
        kind.value: [outcome.value for outcome in outcomes] for kind, outcomes in OUTCOMES.items()
    }
    assert {kind: cells[0].replace(" ", "-") for kind, cells in told.items()} == {
        kind.value: role.value for kind, role in CANDIDATE_ROLE.items()
    }


def test_every_exit_code_is_described() -> None:
    told = {int(code) for code in rows("docs/cli.md", begin="| code | meaning |")}
    assert set(ExitCode) <= told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        if "://" in target or (page.name == "0000-template.md" and "0000" in target):
            continue
        other = (page.parent / path).resolve() if path else page
        if not other.exists() or (heading and heading not in headings(other)):
            broken.append(target)
    assert broken == []


def headings(page: Path) -> set[str]:
    """The anchors a page offers, as the usual hosts make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
