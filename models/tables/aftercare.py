"""After-care (贷后关怀): follow-up calls. Tickets stand in `models.tables.daily`: the daily run heeds them."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field

from models.tables.base import DataTable, instant


class FollowUp(DataTable, table=True):
    """One attempt to ask a customer how they are doing (回访), once per business key; what was said is a contact."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        Index("ix_follow_ups_planned", "tenant", "state", "due_on"),
        Index("ix_follow_ups_agreement", "agreement_id", "kind", "anchor"),
    )
    id: str = Field(primary_key=True, max_length=40)  # flw_…
    tenant: str = Field(foreign_key="tenants.code")
    agreement_id: str = Field(foreign_key="agreements.id")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    business_key: str = Field(unique=True, max_length=120)  # models.domain.aftercare.follow_ups.follow_up_key
    kind: str = Field(max_length=16)
    anchor: date  # business date of the occasion
    attempt: int  # from 1
    due_on: date  # business date on which it is asked of a person
    schedule_version: str = Field(max_length=16)
    state: str = Field(max_length=8)  # models.domain.states.FollowUpState
    reason_code: str | None = Field(default=None, max_length=40)  # the situation found, or why nobody was asked
    outcome: str | None = Field(default=None, max_length=16)  # reached | not-reached
    contact_id: str | None = Field(default=None, max_length=40)  # in the contact log
    epoch: int = Field(default=0)
    seq: int = Field(default=0)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
