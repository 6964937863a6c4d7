"""An office over each test's own database, on both kinds, with compliance officers in it."""

from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.api import Office, open_office
from tests.support.clock import FakeClock


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    """The app over an empty database."""
    return open_office(database, vault, clock, tmp_path)


@pytest.fixture
def sqlite_office(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    """The app over an empty SQLite database: for what has nothing to do with SQL."""
    return open_office(sqlite_database, vault, clock, tmp_path)
