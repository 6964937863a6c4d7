"""Reversals (冲正): asked for by one person, confirmed by another; the event itself is booked at the confirmation."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from models.tables.base import DataTable, instant


class Reversal(DataTable, table=True):
    """A reversal that waits for its second person, or has had it. What is taken back stands in the books unchanged."""

    __tablename__ = "reversals"
    id: str = Field(primary_key=True, max_length=40)  # rev_…
    tenant: str = Field(foreign_key="tenants.code")
    agreement_id: str = Field(foreign_key="agreements.id", index=True)
    event_id: str = Field(foreign_key="agreement_events.id", index=True)  # what shall be taken back
    kind: str = Field(max_length=24)
    amount_minor: int = Field(sa_type=BigInteger)
    value_date: date
    reason_code: str = Field(max_length=40)
    shown_hash: str = Field(max_length=64)  # what the confirmer is bound to
    state: str = Field(max_length=16)  # PROPOSED | CONFIRMED | REJECTED
    proposed_by: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    booked_event_id: str | None = Field(default=None, max_length=40)  # the reversal in the books
    proposed_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
