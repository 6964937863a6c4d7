"""Each import contract is broken by the mistake it was written against, and by nothing else."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("activities", "api", "compliance", "deploy", "models", "workflows")

# name -> (contract that must break, file, import)
SEEDED: Final = {
    "sqlmodel in a workflow": ("workflows-pure", "workflows/installments/seeded.py", "import sqlmodel"),
    "sqlalchemy in workflow support": ("workflows-pure", "workflows/support/seeded.py", "import sqlalchemy"),
    "rules in a workflow": ("workflows-pure", "workflows/installments/seeded.py", "import compliance.rules"),
    "tables in a workflow": ("workflows-pure", "workflows/installments/seeded.py", "import models.tables"),
    "operations in a port": ("workflows-pure", "workflows/ports/seeded.py", "import models.operations"),
    "texts in a workflow": ("workflows-pure", "workflows/installments/seeded.py", "import models.texts"),
    "http client in a workflow": ("workflows-pure", "workflows/installments/seeded.py", "import httpx"),
    "activities in a workflow": ("layers", "workflows/installments/seeded.py", "import activities"),
    "api in activities": ("layers", "activities/support/seeded.py", "import api"),
    "activities in api": ("layers", "api/seeded.py", "import activities"),
    "deploy in api": ("layers", "api/seeded.py", "import deploy"),
    "workflows in compliance": ("layers", "compliance/telemetry/seeded.py", "import workflows"),
    "compliance in models": ("layers", "models/operations/seeded.py", "import compliance"),
    "temporal in the domain": ("pure-half", "models/domain/seeded.py", "import temporalio"),
    "database in the rules": ("pure-half", "compliance/rules/seeded.py", "import sqlalchemy"),
    "cryptography in the domain": ("pure-half", "models/domain/seeded.py", "import cryptography"),
    "tables in the domain": ("inside-models", "models/domain/seeded.py", "import models.operations"),
    "operations in queries": ("inside-models", "models/queries/seeded.py", "import models.operations"),
    "operations in tables": ("inside-models", "models/tables/seeded.py", "import models.operations"),
    "a stray module in models": ("inside-models", "models/stray.py", ""),
    "jose in compliance": ("jose-gate", "compliance/telemetry/seeded.py", "import jose"),
    "jose in deploy": ("jose-gate", "deploy/seeded.py", "import jose"),
    "litestar in activities": ("edges-apart-from-web", "activities/support/seeded.py", "import litestar"),
    "uvicorn in workflows": ("edges-apart-from-web", "workflows/support/seeded.py", "import uvicorn"),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Broken contracts per seeded mistake; one process for all, since starting is the dear part."""
    copy = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    variants = copy / "variants.json"
    variants.write_text(
        json.dumps(
            {name: {"path": path, "source": f'"""Seeded."""\n\n{line}\n'} for name, (_, path, line) in SEEDED.items()}
        )
    )
    script = Path(__file__).with_name("importing.py")
    command = [sys.executable, str(script), str(copy), str(variants)]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_the_source_keeps_every_contract(broken: Mapping[str, list[str]]) -> None:
    assert broken[""] == []


@pytest.mark.parametrize("name", SEEDED)
def test_a_seeded_mistake_breaks_its_contract_alone(broken: Mapping[str, list[str]], name: str) -> None:
    already = set(broken[""])  # the test above tells
    assert set(broken[name]) - already == {SEEDED[name][0]} - already


def test_every_contract_has_a_seeded_mistake() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {contract for contract, _, _ in SEEDED.values()}
