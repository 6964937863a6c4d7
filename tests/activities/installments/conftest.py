"""A signing desk with a real printer, over each of the two databases."""

from pathlib import Path

import pytest

from activities.documents.render import Renderer
from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.clock import FakeClock
from tests.support.signing import SigningBench, signing_bench


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """One set of fonts for all tests."""
    return Renderer()


@pytest.fixture
def bench(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, renderer: Renderer) -> SigningBench:
    """The desk of a bank that is open for signing."""
    return signing_bench(database, vault, clock, tmp_path / "files", renderer=renderer)


@pytest.fixture
def sqlite_bench(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, renderer: Renderer
) -> SigningBench:
    """As `bench`, for what has nothing to do with SQL."""
    return signing_bench(sqlite_database, vault, clock, tmp_path / "files", renderer=renderer)
