"""Impact assessments (个人信息保护影响评估); their words are sealed under a key of the record's own."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class ImpactAssessment(DataTable, table=True):
    """One assessment, from draft to approval. Nothing of an approved one is changed; no operation deletes one."""

    __tablename__ = "impact_assessments"
    __table_args__ = (
        Index("ix_impact_assessments_activity", "tenant", "activity", "state"),
        Index("ix_impact_assessments_listed", "tenant", "created_at", "id"),
        # A comparison with NULL is no refusal, hence the second IS NOT NULL.
        CheckConstraint(
            "state <> 'APPROVED' OR (approved_at IS NOT NULL AND kept_until IS NOT NULL AND kept_until > valid_until)",
            name="kept",
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # pia_…
    tenant: str = Field(foreign_key="tenants.code")
    activity: str = Field(max_length=40)  # the processing that is assessed, e.g. affordability-model
    triggers: list[str] = Field(sa_column=document())  # models.domain.assessments.AssessmentTrigger
    necessity_cell: bytes | None = Field(default=None, sa_column=sealed())  # 合法、正当、必要; None: on paper
    risk_cell: bytes | None = Field(default=None, sa_column=sealed())  # 对个人权益的影响及安全风险
    measures_cell: bytes | None = Field(default=None, sa_column=sealed())  # 保护措施
    conclusion: str = Field(max_length=24)  # models.domain.assessments.Conclusion
    content_hash: str = Field(max_length=64)  # over everything that is approved, words included
    valid_until: date  # the last day on which it is good
    state: str = Field(max_length=16)  # models.domain.assessments.AssessmentState
    made_by: list[str] = Field(sa_column=document())  # persons who wrote on it; none of them may approve it
    drafted_by: str = Field(max_length=40)
    shown_hash: str | None = Field(default=None, max_length=64)
    decided_by: str | None = Field(default=None, max_length=40)
    return_reason: str | None = Field(default=None, max_length=40)
    approved_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    kept_until: date | None = None  # no earlier than this may it be destroyed
    revision: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
