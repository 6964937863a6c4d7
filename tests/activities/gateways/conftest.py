"""Real counterparts on loopback, and a bank with customers to tell something."""

from collections.abc import Iterator

import pytest

from compliance.vault.keyring import Vault
from deploy.demo.receivers import HookReceiver, MailReceiver
from models.database.engine import Database
from tests.support.clock import FakeClock
from tests.support.customers import Counter


@pytest.fixture
def hooks() -> Iterator[HookReceiver]:
    """A provider of text messages."""
    with HookReceiver(token="t0ken") as receiver:
        yield receiver


@pytest.fixture
def mail_server() -> Iterator[MailReceiver]:
    """A mail server."""
    with MailReceiver() as receiver:
        yield receiver


@pytest.fixture
def counter(database: Database, vault: Vault, clock: FakeClock) -> Counter:
    """A bank, on each database."""
    made = Counter(database, vault, clock)
    made.open()
    return made
