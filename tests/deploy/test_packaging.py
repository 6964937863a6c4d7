"""The wheel is complete, runs outside the checkout, and shares its package names with nobody."""

import json
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib import resources
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("activities", "api", "compliance", "deploy", "models", "workflows")


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_ships_our_package(name: str) -> None:
    assert set(packages_distributions().get(name, ())) <= {"casework"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without network."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=REPOSITORY, check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_what_is_needed_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {*PACKAGES, next(top for top in tops if top.endswith(".dist-info"))}
    for needed in (
        *(f"{package}/py.typed" for package in PACKAGES),
        "models/migrations/env.py",
        "models/migrations/script.py.mako",
        "api/identity/common-passwords.txt",
        "activities/documents/templates/house.typ",
        "activities/documents/templates/agreement.zh-CN.typ",
    ):
        assert needed in names
    for store in ("data", "keys"):
        scripts = {path.name for path in (REPOSITORY / "models" / "migrations" / store).glob("*.py")}
        assert scripts == {name.rpartition("/")[2] for name in names if name.startswith(f"models/migrations/{store}/")}
    texts = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "models" / "texts").rglob("*.*")}
    assert {name for name in texts if "__pycache__" not in name} <= set(names)
    assert not [name for name in names if "deploy/assets" in name or "__pycache__" in name]


@pytest.mark.timeout(200)
def test_the_command_runs_from_the_wheel_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own that sees our dependencies, but neither the checkout nor its editable install."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    (site,) = (home / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    dependencies = Path(sys.executable).parent.parent
    (theirs,) = (dependencies / "lib").glob("python*/site-packages")
    # A .pth file there would bring the checkout back: their folder is added as a plain path.
    (site / "dependencies.pth").write_text(f"{theirs}\n")
    code = "import sys; from deploy.commands.cli import main; sys.argv[0] = 'casework'; main()"
    environment = {"PATH": "/usr/bin:/bin", "CASEWORK_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), "-P", "-c", code, *arguments],
            cwd="/", env=environment, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    where = subprocess.run(
        [str(python), "-P", "-c", "import deploy.settings; print(deploy.settings.__file__)"],
        cwd="/", env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(site))
    helped = run("--help")
    assert helped.returncode == 0, helped.stderr
    assert "Casework" in helped.stdout
    made = run("keys", "init")
    assert made.returncode == 0, made.stderr
    migrated = run("migrate", "--json")
    assert migrated.returncode == 0, migrated.stderr
    assert {done["store"] for done in json.loads(migrated.stdout)} == {"data", "keys"}


def test_migration_scripts_are_found_as_resources() -> None:
    folder = resources.files("models.migrations")
    assert folder.joinpath("script.py.mako").is_file()
    assert [path.name for path in folder.joinpath("data").iterdir() if path.name.startswith("0001_")]


def test_the_console_script_names_an_entry_that_exists() -> None:
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["casework"].partition(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))


def test_no_address_of_a_package_index_is_pinned() -> None:
    lock = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--index" not in lock
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#")):
            assert "==" in line, line
            assert line.endswith("\\"), line
