"""A transfer job with real receivers on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from deploy.demo.receivers import HookReceiver, MailReceiver
from models.database.engine import Database
from tests.support.clock import FakeClock
from tests.support.telling import Telling


@pytest.fixture
def telling(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[Telling]:
    """On both databases; `open` makes the job."""
    with HookReceiver(token="t0ken") as hooks, MailReceiver() as mail:
        yield Telling(database, vault, clock, tmp_path, hooks, mail)
