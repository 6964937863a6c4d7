"""The bank that the tests of after-care work in."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from temporalio.worker import Interceptor

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.casework import CaseWorld, case_world
from tests.support.clock import FakeClock
from tests.support.temporal import TemporalServer

Bank = Callable[..., AbstractAsyncContextManager[CaseWorld]]


@pytest.fixture
def bank(sqlite_database: Database, vault: Vault, clock: FakeClock, temporal_server: TemporalServer) -> Bank:
    """A bank on SQLite, its workers with the interceptors of the test."""

    def make(*interceptors: Interceptor) -> AbstractAsyncContextManager[CaseWorld]:
        return case_world(sqlite_database, vault, clock, temporal_server, interceptors=interceptors)

    return make
