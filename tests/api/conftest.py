"""An office over each test's own database."""

import os
from pathlib import Path
from typing import Final

import pytest

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.api import Office, open_office
from tests.support.clock import FakeClock


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    """The app over an empty database, on both kinds."""
    return open_office(database, vault, clock, tmp_path)


@pytest.fixture
def sqlite_office(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    """The app over an empty SQLite database: for what has nothing to do with SQL."""
    return open_office(sqlite_database, vault, clock, tmp_path)


# What stands between HTTP and SQL is the same on both databases. Where requests compete or pages are turned, the
# database takes part; the rest runs on PostgreSQL too, but in the long run only.
_BOTH: Final = ("batches", "tasks", "transfers", "test_idempotency", "test_sessions", "test_staff")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL only what the database takes part in; `make chaos` runs all."""
    here = Path(__file__).parent
    for item in items:
        if not str(item.path).startswith(f"{here}{os.sep}"):
            continue
        if item.path.relative_to(here).with_suffix("").parts[0] in _BOTH:
            continue
        if "postgres" in item.name.partition("[")[2].rstrip("]").split("-"):
            item.add_marker(pytest.mark.long)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-openapi", action="store_true", help="write docs/openapi.json anew")
