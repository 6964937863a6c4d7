"""What every table shares: one metadata with named constraints, so that migrations can name what they change."""

from typing import Any, Final

from sqlalchemy import JSON, Column, LargeBinary, MetaData
from sqlmodel import SQLModel

from models.database.types import UtcDateTime

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class DataTable(SQLModel):
    """Base of all tables of the data store. The key store has a base of its own: nothing spans both."""

    metadata = MetaData(naming_convention=NAMING)


def instant(*, nullable: bool = False, index: bool = False) -> Any:
    """A column for an instant, in UTC."""
    return Column(UtcDateTime(), nullable=nullable, index=index)


def sealed(*, nullable: bool = True) -> Any:
    """A column for an AEAD cell (`compliance.vault.cells`); never searched, never compared.

    Each one stands in `compliance.vault.sealed_places`, from which cells are counted and sealed again.
    """
    return Column(LargeBinary, nullable=nullable, info={"sealed": True})


def document(*, nullable: bool = False) -> Any:
    """A column for small JSON made of codes, amounts, dates and identifiers; never personal data."""
    # None is SQL's NULL, not JSON's `null`: otherwise `IS NULL` finds no row.
    return Column(JSON(none_as_null=True), nullable=nullable)
