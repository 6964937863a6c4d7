"""Security incidents (安全事件): the record, its clocks, and every correction of what they depend on."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class SecurityIncident(DataTable, table=True):
    """One incident. Kinds and counts in clear; the words are sealed under a key of the record's own."""

    __tablename__ = "security_incidents"
    __table_args__ = (
        Index("ix_security_incidents_listed", "tenant", "created_at", "id"),
        Index(
            "ix_security_incidents_open",
            "tenant",
            "id",
            sqlite_where=text("state = 'OPEN'"),
            postgresql_where=text("state = 'OPEN'"),
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # sin_…
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=12)  # models.domain.incident_clocks.IncidentKind
    grade: str = Field(max_length=12)
    discovered_at: datetime = Field(sa_column=instant())  # as corrected last; every value stands in the corrections
    data_classes: list[str] = Field(sa_column=document())
    persons: int = Field(sa_type=BigInteger)
    cii: bool
    public_interest: bool
    summary_cell: bytes = Field(sa_column=sealed(nullable=False))
    state: str = Field(max_length=8)  # OPEN | CLOSED
    clocks_version: str = Field(max_length=16)
    opened_by: str = Field(max_length=40)
    closed_by: str | None = Field(default=None, max_length=40)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class IncidentReport(DataTable, table=True):
    """One duty to report, its clock, and how it was met; once per incident and clock. A late one stays late."""

    __tablename__ = "incident_reports"
    __table_args__ = (
        UniqueConstraint("incident_id", "clock"),
        Index(
            "ix_incident_reports_waiting",
            "due_at",
            sqlite_where=text("state = 'OPEN'"),
            postgresql_where=text("state = 'OPEN'"),
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # irp_…
    tenant: str = Field(foreign_key="tenants.code")
    incident_id: str = Field(foreign_key="security_incidents.id", max_length=40)
    clock: str = Field(max_length=24)  # models.domain.incident_clocks.IncidentClock.code
    authority: str = Field(max_length=12)
    limit_seconds: int
    source: str = Field(max_length=200)
    verified: str = Field(max_length=8)
    due_at: datetime = Field(sa_column=instant())
    first_due_at: datetime = Field(sa_column=instant())  # by the discovery as it was recorded first
    state: str = Field(max_length=12)  # OPEN | REPORTED | NOT_NEEDED
    reported_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    recorded_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # when that was entered here
    reference: str | None = Field(default=None, max_length=120)  # number under which the authority took it
    evidence_ref: str | None = Field(default=None, max_length=120)
    recorded_by: str | None = Field(default=None, max_length=40)
    escalated_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # its time had run out
    reason_code: str | None = Field(default=None, max_length=24)  # why no report is needed
    reason_cell: bytes | None = Field(default=None, sa_column=sealed())
    shown_hash: str | None = Field(default=None, max_length=64)  # of the proposal that none is needed
    proposed_by: str | None = Field(default=None, max_length=40)
    confirmed_by: str | None = Field(default=None, max_length=40)
    version: int = Field(default=1)
    updated_at: datetime = Field(sa_column=instant())


class IncidentCorrection(DataTable, table=True):
    """What was known of an incident when, the first record too; append-only, so that no value ever disappears."""

    __tablename__ = "incident_corrections"
    __table_args__ = (UniqueConstraint("incident_id", "no"),)
    id: str = Field(primary_key=True, max_length=40)  # ico_…
    tenant: str = Field(foreign_key="tenants.code")
    incident_id: str = Field(foreign_key="security_incidents.id", max_length=40)
    no: int  # from 1, which is the first record
    discovered_at: datetime = Field(sa_column=instant())
    facts: dict[str, Any] = Field(sa_column=document())  # grade, data classes, persons, cii, public interest
    reason_code: str = Field(max_length=24)
    made_by: str = Field(max_length=40)
    made_at: datetime = Field(sa_column=instant())
