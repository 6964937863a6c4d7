"""Corporate clients of payroll (代发委托单位), their users, funding accounts, and what a run holds of the funding."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, instant, sealed


class BatchClient(DataTable, table=True):
    """A company that has its wages paid by us.

    Attributes:
        id: also the subject under whose key its cells are sealed.
        agreed_day: of the month on which wages are paid; a holiday moves it to the nearest earlier bank day (WAGE-P7).
    """

    __tablename__ = "batch_clients"
    __table_args__ = (UniqueConstraint("tenant", "code"),)
    id: str = Field(primary_key=True, max_length=40)  # bcl_…
    tenant: str = Field(foreign_key="tenants.code")
    code: str = Field(max_length=40)
    name_cell: bytes = Field(sa_column=sealed(nullable=False))
    migrant_workers: bool = Field(default=False)  # 农民工
    wage_project: bool = Field(default=False)  # 总包代发: from the special account alone
    agreed_day: int | None = None
    agreement_from: date
    agreement_to: date | None = None
    state: str = Field(max_length=12)  # active | ended
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())


class BatchClientUser(DataTable, table=True):
    """Who may order and who may confirm for a client; never one person both."""

    __tablename__ = "batch_client_users"
    client: str = Field(primary_key=True, foreign_key="batch_clients.id", max_length=40)
    staff_id: str = Field(primary_key=True, foreign_key="staff.id", max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    part: str = Field(max_length=8)  # maker | checker
    added_at: datetime = Field(sa_column=instant())
    removed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class FundingAccount(DataTable, table=True):
    """The account out of which a client's wages are paid. Minor units; what is held is no more than what is there."""

    __tablename__ = "funding_accounts"
    __table_args__ = (
        UniqueConstraint("client", "number"),
        CheckConstraint("held_minor >= 0 AND held_minor <= balance_minor", name="covered"),
    )
    id: str = Field(primary_key=True, max_length=40)  # fac_…
    tenant: str = Field(foreign_key="tenants.code")
    client: str = Field(foreign_key="batch_clients.id", index=True)
    account_cell: bytes = Field(sa_column=sealed(nullable=False))  # under the client's key
    number: int = Field(default=1)  # of the client's accounts
    account_kind: str = Field(max_length=16)  # models.domain.rule_words.AccountKind: settlement | wage-special
    currency: str = Field(default="CNY", max_length=3)
    balance_minor: int = Field(default=0, sa_type=BigInteger)
    held_minor: int = Field(default=0, sa_type=BigInteger)
    version: int = Field(default=1)
    updated_at: datetime = Field(sa_column=instant())


class FundingHold(DataTable, table=True):
    """What one run holds of a funding account (冻结): one for each run, by its control total."""

    __tablename__ = "funding_holds"
    run: str = Field(primary_key=True, foreign_key="batch_runs.token", max_length=64)
    tenant: str = Field(foreign_key="tenants.code")
    account: str = Field(foreign_key="funding_accounts.id", index=True)
    amount_minor: int = Field(sa_type=BigInteger)
    used_minor: int = Field(default=0, sa_type=BigInteger)
    state: str = Field(max_length=12)  # held | released
    held_at: datetime = Field(sa_column=instant())
    released_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
