"""A tenant's customers (客户信息): one record each, everything identifying sealed under the person's own key."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field

from models.tables.base import DataTable, instant, sealed


class CustomerRecord(DataTable, table=True):
    """One record of a tenant's book. A book may hold one person twice; finding that out is what matching is for.

    The row is the record's own subject: its key is in the key store under `subject_id`, and shredding that key shreds
    the record. A person who also has a case has another subject there; `person_link` says that the two are one.
    """

    __tablename__ = "customer_records"
    __table_args__ = (
        Index("ix_customer_records_id_index", "tenant", "id_index"),
        Index("ix_customer_records_mobile_index", "tenant", "mobile_index"),
        Index("ix_customer_records_account_index", "tenant", "account_index"),
        Index("uq_customer_records_customer_no", "tenant", "customer_no_index", unique=True),
        Index("ix_customer_records_walk", "tenant", "id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # cus_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(max_length=40, index=True)  # sub_…: whose key seals this row
    customer_no_cell: bytes = Field(sa_column=sealed(nullable=False))  # 客户号
    customer_no_index: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    name_cell: bytes = Field(sa_column=sealed(nullable=False))
    id_type: str = Field(max_length=24)  # models.domain.identifiers.IdType
    id_number_cell: bytes = Field(sa_column=sealed(nullable=False))
    id_index: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    mobile_cell: bytes | None = Field(default=None, sa_column=sealed())
    mobile_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    email_cell: bytes | None = Field(default=None, sa_column=sealed())
    account_cell: bytes | None = Field(default=None, sa_column=sealed())
    account_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    packed_cell: bytes | None = Field(default=None, sa_column=sealed())  # models.domain.customers.record.PACKED_FIELDS
    language: str = Field(default="zh-CN", max_length=8)
    state: str = Field(default="active", max_length=16)  # active | locked (only stored, 只存储) | moved-out
    person_link: str | None = Field(default=None, max_length=40)  # psn_…: records of one person share it
    version: int = Field(default=1)
    origin: str | None = Field(default=None, max_length=64)  # the job that brought it; None: of the tenant's own
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    erased_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
