"""The desk whose workflows are asked through a dispatcher of the test."""

from tests.support.office_fixtures import dispatcher, office, sqlite_office

__all__ = ("dispatcher", "office", "sqlite_office")
