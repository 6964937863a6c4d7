"""Offices whose workflows are started and asked through a dispatcher of the test."""

from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.api import Office
from tests.support.applications import FakeDispatcher, open_desk
from tests.support.clock import FakeClock


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    """Nobody answers until the test says otherwise."""
    return FakeDispatcher()


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, dispatcher: FakeDispatcher) -> Office:
    """The app over an empty database, on both kinds."""
    return open_desk(database, vault, clock, tmp_path, dispatcher)


@pytest.fixture
def sqlite_office(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, dispatcher: FakeDispatcher
) -> Office:
    """The app over an empty SQLite database."""
    return open_desk(sqlite_database, vault, clock, tmp_path, dispatcher)
