"""The bank that the duties work in."""

from collections.abc import AsyncIterator

import pytest_asyncio

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.casework import CaseWorld, case_world
from tests.support.clock import FakeClock
from tests.support.temporal import TemporalServer


@pytest_asyncio.fixture
async def world(
    sqlite_database: Database, vault: Vault, clock: FakeClock, temporal_server: TemporalServer
) -> AsyncIterator[CaseWorld]:
    """A bank on SQLite."""
    async with case_world(sqlite_database, vault, clock, temporal_server) as made:
        yield made
