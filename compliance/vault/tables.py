"""The tables of the key store (`keys.db`, on PostgreSQL a database of its own). Nothing spans it and the data store.

Who holds this store without the KEK can read nothing; who holds the data without this store can read nothing either.
Its schema is created whole and carries a version of its own.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, text
from sqlmodel import Field, SQLModel

from compliance.vault.states import KeyState
from models.tables.base import NAMING, instant

KEY_SCHEMA_VERSION: Final = 1
_Serial: Final = BigInteger().with_variant(Integer, "sqlite")
_ACTIVE: Final = text(f"state = '{KeyState.ACTIVE.value}'")
_PUBLISHED: Final = text(f"state = '{KeyState.PUBLISHED.value}'")


class KeyTable(SQLModel):
    """Base of the tables of the key store."""

    metadata = MetaData(naming_convention=NAMING)


class KeyStoreHead(KeyTable, table=True):
    """One row: the schema's version, and a known constant wrapped by the KEK, by which a wrong KEK is recognised.

    Attributes:
        kek_id: which KEK wraps every branch key here; all change hands in one transaction.
        generation: grows with every change of a branch key's state, so that processes notice.
    """

    __tablename__ = "key_store"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: int = Field(default=1, primary_key=True)
    schema_version: int
    kek_id: str = Field(max_length=80)
    check_value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    generation: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    created_at: datetime = Field(sa_column=instant())


class BranchKey(KeyTable, table=True):
    """A key of one tenant for one purpose, wrapped by the KEK. Tenant `_` is the installation itself.

    A destroyed version keeps its row; `wrapped` is empty then.
    """

    __tablename__ = "branch_keys"
    __table_args__ = (
        Index(
            "uq_branch_keys_active", "tenant", "purpose", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
        ),
        Index(
            "uq_branch_keys_published", "tenant", "purpose", unique=True,
            sqlite_where=_PUBLISHED, postgresql_where=_PUBLISHED,
        ),
    )  # fmt: skip
    tenant: str = Field(primary_key=True, max_length=16)
    purpose: str = Field(primary_key=True, max_length=64)
    version: int = Field(primary_key=True)
    suite: int
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str = Field(max_length=16)
    created_at: datetime = Field(sa_column=instant())
    changed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # of the state


class SubjectKey(KeyTable, table=True):
    """A person's own key, wrapped by the tenant's `subject-wrap` branch key. Deleting it shreds the person's data."""

    __tablename__ = "subject_keys"
    # In this order a rewrap walks, and whether anybody uses a version is one look.
    __table_args__ = (Index("ix_subject_keys_branch_version", "tenant", "branch_version", "subject_id", "version"),)
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


class KeyHolder(KeyTable, table=True):
    """A living process that holds keys: it says every few seconds that it is there (`compliance.vault.holders`).

    Attributes:
        keks: ids of the key-encryption keys that it can open the store with, one a line.
        generation: of the key store, as far as this process has noticed.
    """

    __tablename__ = "key_holders"
    process: str = Field(primary_key=True, max_length=120)
    component: str = Field(max_length=16)
    keks: str = Field(max_length=1000)
    generation: int
    started_at: datetime = Field(sa_column=instant())
    seen_at: datetime = Field(sa_column=instant())


class KeyAcknowledgement(KeyTable, table=True):
    """A process has a published version of a branch key in its memory, opened with its own KEK."""

    __tablename__ = "key_acknowledgements"
    process: str = Field(primary_key=True, max_length=120)
    tenant: str = Field(primary_key=True, max_length=16)
    purpose: str = Field(primary_key=True, max_length=64)
    version: int = Field(primary_key=True)
    at: datetime = Field(sa_column=instant())


class KeyJournal(KeyTable, table=True):
    """A change of keys, written with the change itself; from here it comes into the audit log, which is elsewhere.

    Attributes:
        id: names the line for ever, also in the audit log; `seq` only says what came first.
        facts: JSON, as `compliance.audit.deeds.Deed` takes it.
        recorded_at: when the audit log had it; None until then.
    """

    __tablename__ = "key_journal"
    __table_args__ = (
        Index(
            "ix_key_journal_open", "seq",
            sqlite_where=text("recorded_at IS NULL"), postgresql_where=text("recorded_at IS NULL"),
        ),
    )  # fmt: skip
    seq: int | None = Field(default=None, sa_column=Column(_Serial, primary_key=True, autoincrement=True))
    id: str = Field(unique=True, max_length=40)  # UUIDv7
    at: datetime = Field(sa_column=instant())
    tenant: str = Field(max_length=16)
    action: str = Field(max_length=60)
    target: str = Field(max_length=120)
    actor: str = Field(max_length=60)
    facts: str
    recorded_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
