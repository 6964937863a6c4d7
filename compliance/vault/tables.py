"""The tables of the key store (`keys.db`, on PostgreSQL a database of its own). Nothing spans it and the data store.

Who holds this store without the KEK can read nothing; who holds the data without this store can read nothing either.
Its schema is created whole and carries a version of its own.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, Column, LargeBinary, MetaData
from sqlmodel import Field, SQLModel

from models.tables.base import NAMING, instant

KEY_SCHEMA_VERSION: Final = 1


class KeyState(StrEnum):
    """Only the newest ACTIVE version seals; every version that is here opens."""

    ACTIVE = "active"
    DECRYPT_ONLY = "decrypt-only"


class KeyTable(SQLModel):
    """Base of the tables of the key store."""

    metadata = MetaData(naming_convention=NAMING)


class KeyStoreHead(KeyTable, table=True):
    """One row: the schema's version, and a known constant wrapped by the KEK, by which a wrong KEK is recognised."""

    __tablename__ = "key_store"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: int = Field(default=1, primary_key=True)
    schema_version: int
    kek_id: str = Field(max_length=80)
    check_value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=instant())


class BranchKey(KeyTable, table=True):
    """A key of one tenant for one purpose, wrapped by the KEK. Tenant `_` is the installation itself."""

    __tablename__ = "branch_keys"
    tenant: str = Field(primary_key=True, max_length=16)
    purpose: str = Field(primary_key=True, max_length=64)
    version: int = Field(primary_key=True)
    suite: int
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str = Field(max_length=16)
    created_at: datetime = Field(sa_column=instant())


class SubjectKey(KeyTable, table=True):
    """A person's own key, wrapped by the tenant's `subject-wrap` branch key. Deleting it shreds the person's data."""

    __tablename__ = "subject_keys"
    tenant: str = Field(primary_key=True, max_length=16)
    subject_id: str = Field(primary_key=True, max_length=40)
    version: int = Field(primary_key=True)
    suite: int
    branch_version: int
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    commitment: bytes = Field(sa_column=Column(LargeBinary(16), nullable=False))
    state: str = Field(max_length=16)
    created_at: datetime = Field(sa_column=instant())


class Tombstone(KeyTable, table=True):
    """A person whose keys were destroyed; their id never gets a key again."""

    __tablename__ = "tombstones"
    tenant: str = Field(primary_key=True, max_length=16)
    subject_id: str = Field(primary_key=True, max_length=40)
    created_at: datetime = Field(sa_column=instant())


class SealKey(KeyTable, table=True):
    """A tenant's keys for sealing documents (电子签章), wrapped by its branch key `seal-wrap`, and their certificates.

    The authority (CA) is the tenant's own and signs only the seal's certificate; both certificates are public, in DER.
    """

    __tablename__ = "seal_keys"
    tenant: str = Field(primary_key=True, max_length=16)
    version: int = Field(primary_key=True)
    branch_version: int
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    certificate: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    authority_wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    authority: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str = Field(max_length=16)
    created_at: datetime = Field(sa_column=instant())
