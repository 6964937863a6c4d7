"""What stands beside a transfer job: versions of its plan, approvals, evidence, facts, requests for a rollback.

Nothing of a customer stands here. Evidence is a sealed file, or the reference and hash of one that is kept elsewhere.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class TransferPlanVersion(DataTable, table=True):
    """One version of a job's plan (方案), and who wrote it: none of them may approve it."""

    __tablename__ = "transfer_plan_versions"
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    number: int = Field(primary_key=True)
    tenant: str = Field(foreign_key="tenants.code")
    plan: dict[str, Any] = Field(sa_column=document())
    plan_hash: str = Field(max_length=64)
    made_by: str = Field(max_length=40)
    made_by_person: str = Field(max_length=40)
    made_at: datetime = Field(sa_column=instant())


class TransferApproval(DataTable, table=True):
    """One company's approval of a plan, by its hash (双方审批)."""

    __tablename__ = "transfer_approvals"
    __table_args__ = (UniqueConstraint("job", "side", "plan_hash"), UniqueConstraint("job", "plan_hash", "person_id"))
    decision_id: str = Field(primary_key=True, max_length=40)
    tenant: str = Field(foreign_key="tenants.code")  # who approved: the source's company, or the target's
    job: str = Field(foreign_key="transfer_jobs.token")
    side: str = Field(max_length=8)  # models.domain.transfers.states.Side
    plan_hash: str = Field(max_length=64)
    staff_id: str = Field(max_length=40)
    person_id: str = Field(max_length=40)
    at: datetime = Field(sa_column=instant())


class TransferEvidence(DataTable, table=True):
    """Evidence of a job (证明材料): an uploaded file, sealed, or a reference with its hash."""

    __tablename__ = "transfer_evidence"
    __table_args__ = (Index("ix_transfer_evidence_job", "job", "kind"),)
    id: str = Field(primary_key=True, max_length=40)  # tev_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    kind: str = Field(max_length=40)  # models.domain.transfers.evidence.EVIDENCE_KINDS
    digest: str = Field(max_length=64)  # SHA-256 of the document
    reference: str | None = Field(default=None, max_length=120)  # where it is kept; None: uploaded
    file_name: str | None = Field(default=None, max_length=200)  # of the sealed file: its id, never the sender's name
    media_type: str | None = Field(default=None, max_length=40)
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    added_by: str = Field(max_length=40)
    added_by_person: str = Field(max_length=40)
    added_at: datetime = Field(sa_column=instant())


class TransferFact(DataTable, table=True):
    """A fact for the rules that no record can tell (a date, a yes or no), with the evidence it rests on."""

    __tablename__ = "transfer_facts"
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    name: str = Field(primary_key=True, max_length=60)
    tenant: str = Field(foreign_key="tenants.code")
    value: dict[str, Any] = Field(sa_column=document())  # {"value": …}: as `compliance.rules.facts` spells it
    evidence: str | None = Field(default=None, max_length=40)
    stated_by: str = Field(max_length=40)
    stated_at: datetime = Field(sa_column=instant())


class TransferRollback(DataTable, table=True):
    """A request to put back a wave or the whole job (回退): asked for by one person, confirmed by another."""

    __tablename__ = "transfer_rollbacks"
    __table_args__ = (Index("ix_transfer_rollbacks_open", "job", "state"),)
    id: str = Field(primary_key=True, max_length=40)  # trb_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    wave: int | None = None  # None: the whole job
    state: str = Field(max_length=12)  # models.domain.transfers.rollbacks.RollbackState
    reason_code: str = Field(max_length=40)
    asked_by: str = Field(max_length=40)
    asked_by_person: str = Field(max_length=40)
    asked_at: datetime = Field(sa_column=instant())
    decided_by: str | None = Field(default=None, max_length=40)
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
