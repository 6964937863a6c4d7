"""The desk whose workflows are asked through a dispatcher of the test; and one whose job has told its customers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.receivers import HookReceiver, MailReceiver
from tests.support.api import Office
from tests.support.office_fixtures import dispatcher, office, sqlite_office
from tests.support.telling import Telling

__all__ = ("dispatcher", "office", "sqlite_office")


@pytest.fixture
def telling(office: Office, tmp_path: Path) -> Iterator[Telling]:
    """On both databases; `open` makes the job."""
    with HookReceiver(token="t0ken") as hooks, MailReceiver() as mail:
        yield Telling(office.deps.database, office.deps.vault, office.clock, tmp_path, hooks, mail)
