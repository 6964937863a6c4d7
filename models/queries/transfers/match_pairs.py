"""Pairs as people see them: lists of a job, one pair, the audit sample and what its checks say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.domain.matching.sampling import SAMPLE_RIGHT, SAMPLE_WRONG, Interval, audit_sample, clopper_pearson
from models.domain.matching.settling import row_number
from models.domain.transfers.states import MatchVerdict
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferJob, TransferPair, TransferRow


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleFigures:
    """The audit sample of a job.

    Attributes:
        autos: automatic merges, those that were taken apart among them.
        precision: bounds of the share that is right, in millionths; None while nothing was checked.
    """

    seed: str
    autos: int
    pairs: tuple[str, ...]
    checked: int
    right: int
    precision: Interval | None


def list_pairs(
    session: Session, job: str, *, verdict: MatchVerdict | None, after: tuple[int, str] | None, limit: int
) -> Sequence[TransferPair]:
    """Pairs of a job by row, then by id."""
    wanted = select(TransferPair).where(col(TransferPair.job) == job)
    if verdict is not None:
        wanted = wanted.where(col(TransferPair.verdict) == verdict.value)
    if after is not None:
        row, pair = after
        wanted = wanted.where(
            (col(TransferPair.row_number) > row)
            | ((col(TransferPair.row_number) == row) & (col(TransferPair.id) > pair))
        )
    return session.exec(wanted.order_by(col(TransferPair.row_number), col(TransferPair.id)).limit(limit)).all()


def count_pairs(session: Session, job: str) -> dict[str, int]:
    """Pairs of a job by verdict."""
    rows: Sequence[Any] = session.execute(
        select(TransferPair.verdict, func.count())
        .where(col(TransferPair.job) == job)
        .group_by(col(TransferPair.verdict))
    ).all()
    return dict(rows)


def pair_of(session: Session, job: str, pair_id: str) -> TransferPair | None:
    """One pair of a job."""
    pair = session.get(TransferPair, pair_id)
    return pair if pair is not None and pair.job == job else None


def sides(session: Session, pair: TransferPair) -> tuple[TransferRow, TransferRow | CustomerRecord | None]:
    """The two records of a pair; the other one may be gone."""
    row = session.get_one(TransferRow, (pair.job, pair.row_number))
    number = row_number(pair.other)
    if number is not None:
        return row, session.get(TransferRow, (pair.job, number))
    record = session.get(CustomerRecord, pair.other)
    return row, record if record is not None and record.erased_at is None else None


def sample_of(session: Session, job: TransferJob) -> SampleFigures:
    """The audit sample of a job, by the seed that was recorded before the first pair was there."""
    seed = str(job.counts.get("matching", {}).get("sampleSeed", ""))
    rows: Sequence[Any] = session.execute(
        select(TransferPair.id, TransferPair.reason_code).where(
            col(TransferPair.job) == job.token,
            (col(TransferPair.verdict) == MatchVerdict.AUTO.value)
            | (
                (col(TransferPair.verdict) == MatchVerdict.UNMERGED.value)
                & (col(TransferPair.reason_code) == SAMPLE_WRONG)
            ),
        )
    ).all()
    checks = dict(rows)
    drawn = audit_sample(checks, seed=seed)
    right = sum(checks[pair] == SAMPLE_RIGHT for pair in drawn)
    checked = sum(checks[pair] in {SAMPLE_RIGHT, SAMPLE_WRONG} for pair in drawn)
    bounds = clopper_pearson(right, checked) if checked else None
    return SampleFigures(seed=seed, autos=len(checks), pairs=drawn, checked=checked, right=right, precision=bounds)
