"""What the card core was asked for a case, and what it said: orders and balances. No card number, masked or not."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from models.tables.base import DataTable, instant


class CoreOrder(DataTable, table=True):
    """One order under its business key, once; `ACKNOWLEDGED` is its end."""

    __tablename__ = "core_orders"
    id: str = Field(primary_key=True, max_length=40)  # cor_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    business_key: str = Field(unique=True, max_length=120)
    kind: str = Field(max_length=24)  # models.domain.core_orders.OrderKind
    state: str = Field(max_length=16)  # SENT | ACKNOWLEDGED | REFUSED
    reason_code: str | None = Field(default=None, max_length=40)  # why it was refused
    core_ref: str | None = Field(default=None, max_length=64)
    agencies_pending: int = Field(default=0)  # of a recall: collection agencies that have not acknowledged it
    acknowledged_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_at: datetime = Field(sa_column=instant())


class CardBalance(DataTable, table=True):
    """What stood on the card at the end of a business date, by kind (欠款结构); negative where the bank owed."""

    __tablename__ = "card_balances"
    id: str = Field(primary_key=True, max_length=40)  # cbl_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    business_key: str = Field(unique=True, max_length=120)  # case and round
    as_of: date
    currency: str = Field(max_length=3)
    purchases_minor: int = Field(sa_type=BigInteger)
    cash_minor: int = Field(sa_type=BigInteger)
    fees_minor: int = Field(sa_type=BigInteger)
    interest_minor: int = Field(sa_type=BigInteger)
    installments_minor: int = Field(sa_type=BigInteger)  # principal of ordinary installments that run
    days_past_due: int | None = None  # 逾期天数; None: the core did not say
    due_diligence: str | None = Field(
        default=None, max_length=16
    )  # models.domain.rule_words.DueDiligence; None: as above
    created_at: datetime = Field(sa_column=instant())
