"""Tenants (机构): the legal entities that hold the customer relation, and what each has set as its own."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class Tenant(DataTable, table=True):
    """One legal entity. Every other row belongs to exactly one."""

    __tablename__ = "tenants"
    code: str = Field(primary_key=True, max_length=16)
    name: str = Field(max_length=200)
    # What contracts and letters print of the institution; where nothing is set they say where to find it.
    address: str | None = Field(default=None, max_length=300)  # 住所
    hotline: str | None = Field(default=None, max_length=100)  # 客服电话
    complaints: str | None = Field(default=None, max_length=200)  # 投诉渠道
    # Where what is debited goes; without it nothing can be collected by debit.
    collection_account: str | None = Field(default=None, max_length=34)  # 收款账号
    collection_bank: str | None = Field(default=None, max_length=12)  # 联行号
    sandbox: bool = Field(default=False)  # only a sandbox tenant may date business ahead of the wall clock
    created_at: datetime = Field(sa_column=instant())


class Product(DataTable, table=True):
    """One version of what a tenant has set (产品要素、催收制度): frozen once written; the newest of a kind counts.

    What was made under a version names it, so that a contract is always explained by its own.
    """

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("tenant", "kind", "version"),)
    id: str = Field(primary_key=True, max_length=40)  # prd_…
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=24)  # models.domain.product.TermsKind
    version: str = Field(max_length=40)
    definition: dict[str, Any] = Field(sa_column=document())  # as_record of models.domain.product, collection_policy
    created_by: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())
