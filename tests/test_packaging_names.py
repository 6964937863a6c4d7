"""Our packages have plain names; if somebody else in the environment ships one too, an uninstall takes ours along."""

import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("activities", "api", "compliance", "deploy", "models", "workflows")


def others_that_ship(name: str) -> set[str]:
    """Distributions other than ours with a top-level package of this name."""
    return set(packages_distributions().get(name, ())) - {"casework"}


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_ships_our_package(name: str) -> None:
    assert others_that_ship(name) == set()


def test_a_second_owner_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    info = tmp_path / "intruder-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: intruder\nVersion: 1.0\n")
    (info / "RECORD").write_text("models/__init__.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert others_that_ship("models") == {"intruder"}


def test_the_distribution_and_its_command_are_called_casework() -> None:
    installed = distribution("casework")
    assert installed.metadata["Name"] == "casework"
    commands = {point.name: point.value for point in installed.entry_points if point.group == "console_scripts"}
    assert commands == {"casework": "deploy.commands.cli:main"}


def test_exactly_our_packages_are_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert project["tool"]["hatch"]["build"]["dev-mode-exact"] is True
    for name in PACKAGES:
        assert (ROOT / name / "__init__.py").exists()
        assert (ROOT / name / "py.typed").exists()
