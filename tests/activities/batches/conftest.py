"""The bank that batches run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.batch_books import BatchBooks
from tests.support.clock import FakeClock
from tests.support.daybook import daybook


@pytest.fixture
def books(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBooks]:
    """Open books on either database, without a bank at the other end."""
    with daybook(database, vault, clock, tmp_path, with_bank=False) as book:
        yield BatchBooks(book)
