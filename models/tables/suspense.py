"""Assignments of money in suspense (暂收认领): asked for by one person, confirmed by another, then booked."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from models.tables.base import DataTable, instant

_WAITING: Final = text("state = 'PROPOSED'")


class SuspenseAssignment(DataTable, table=True):
    """The word that an entry of the bank in suspense is a payment on an agreement. Of one entry one waits at a time."""

    __tablename__ = "suspense_assignments"
    __table_args__ = (
        Index(
            "ix_suspense_assignments_waiting", "reply_id", unique=True, sqlite_where=_WAITING, postgresql_where=_WAITING
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # sua_…
    tenant: str = Field(foreign_key="tenants.code")
    reply_id: str = Field(foreign_key="bank_replies.id", index=True)
    agreement_id: str = Field(foreign_key="agreements.id", index=True)
    amount_minor: int = Field(sa_type=BigInteger)
    value_date: date
    bank_reference: str = Field(max_length=64)  # under which the payment is booked once
    reason_code: str = Field(max_length=40)
    shown_hash: str = Field(max_length=64)  # what the confirmer is bound to
    state: str = Field(max_length=16)  # PROPOSED | CONFIRMED | REJECTED | TAKEN_BACK
    proposed_by: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    booked_event_id: str | None = Field(default=None, max_length=40, unique=True)  # the payment in the books
    proposed_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
