"""Offices whose workflows are started and asked through a dispatcher of the test."""

from tests.support.office_fixtures import dispatcher, office, sqlite_office

__all__ = ("dispatcher", "office", "sqlite_office")
