"""The desk whose workflows are asked through a dispatcher of the test, with an agreement in service."""

import pytest

from tests.support.api import Office
from tests.support.office_fixtures import dispatcher, office, sqlite_office
from tests.support.servicing import Served, serve

__all__ = ("dispatcher", "office", "sqlite_office")


@pytest.fixture
async def served(office: Office) -> Served:
    """An agreement in service, on both kinds of database."""
    return await serve(office)


@pytest.fixture
async def sqlite_served(sqlite_office: Office) -> Served:
    """The same on SQLite: for what has nothing to do with SQL."""
    return await serve(sqlite_office)
