"""Internal audit reports (内部审计报告) of transfer jobs: the recorded seed, what was found, the sealed papers."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, instant, sealed


class TransferReport(DataTable, table=True):
    """One report. Its seed is recorded before a row is looked at; the body is written once.

    Attributes:
        id: also the subject under whose key its papers are sealed: a report is about no customer.
        seed: of the sample, from the operating system.
        body: the facts in their one spelling (`models.domain.transfers.report`); no personal data.
        fingerprint: of the facts without the time at which they were gathered: equal facts need no second report.
    """

    __tablename__ = "transfer_reports"
    __table_args__ = (UniqueConstraint("job", "number"),)
    id: str = Field(primary_key=True, max_length=40)  # trp_…, named by job and number
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    number: int
    seed: str = Field(max_length=64)
    seeded_at: datetime = Field(sa_column=instant())
    body: str | None = None
    digest: str | None = Field(default=None, max_length=64)  # SHA-256 of the body
    fingerprint: str | None = Field(default=None, max_length=64)
    verdict: str | None = Field(default=None, max_length=12)  # models.domain.transfers.report.Verdict
    written_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TransferPaper(DataTable, table=True):
    """A report or page in one language, as HTML or as a PDF under the institution's seal (用印); sealed."""

    __tablename__ = "transfer_papers"
    __table_args__ = (UniqueConstraint("report", "kind", "locale", "form"),)
    id: str = Field(primary_key=True, max_length=40)  # tpa_…, named by report, kind, locale and form
    tenant: str = Field(foreign_key="tenants.code")
    report: str = Field(foreign_key="transfer_reports.id")
    kind: str = Field(max_length=16)  # report | transparency
    locale: str = Field(max_length=8)
    form: str = Field(max_length=4)  # html | pdf
    content_cell: bytes = Field(sa_column=sealed(nullable=False))
    size_bytes: int
    digest: str = Field(max_length=64)  # SHA-256 of the content
    created_at: datetime = Field(sa_column=instant())
