"""How the reports of a transfer job are listed."""

from datetime import datetime
from typing import Self

from api.bodies import Answer
from models.tables.transfer_reports import TransferReport


class ReportAnswer(Answer):
    """One report: its verdict (`passed`, `reserved`, `failed`), the seed of its sample, the hash of its facts."""

    job: str
    number: int
    verdict: str
    seed: str
    digest: str
    written_at: datetime

    @classmethod
    def of(cls, row: TransferReport) -> Self:
        """A finished report."""
        if row.written_at is None:
            raise ValueError("a report that is not written is not told")
        return cls(
            job=row.job,
            number=row.number,
            verdict=row.verdict or "",
            seed=row.seed,
            digest=row.digest or "",
            written_at=row.written_at,
        )


class ReportList(Answer):
    """The reports of a job, the newest first."""

    items: list[ReportAnswer]
