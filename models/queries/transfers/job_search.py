"""The search for transfer jobs: what the institution receives or gives, filtered, by keyset page, with exact facets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, case, cast, func, not_, or_, tuple_
from sqlmodel import Session, col, select

from models.domain.filter_language import Op
from models.domain.transfers.job_filter import JobField, JobState, JobTest
from models.domain.transfers.states import JobStage, LegalClass, Side
from models.queries.filtering import condition
from models.queries.snapshots import one_snapshot
from models.tables.transfers import TransferJob

MAX_PAGE: Final = 200
_CLASSES: Final = cast(col(TransferJob.classes), String)
_STATE: Final = case(
    (col(TransferJob.stage) == JobStage.ENDED.value, col(TransferJob.outcome)),
    (col(TransferJob.paused_at).is_not(None), JobState.PAUSED.value),
    else_=JobState.RUNNING.value,
)
_COLUMNS: Final[dict[JobField, Any]] = {
    JobField.STAGE: col(TransferJob.stage),
    JobField.STATE: _STATE,
    JobField.SOURCE: col(TransferJob.source_tenant),
    JobField.TARGET: col(TransferJob.tenant),
    JobField.CREATED: col(TransferJob.created_at),
    JobField.UPDATED: col(TransferJob.updated_at),
    JobField.ENDED: col(TransferJob.ended_at),
}


class JobSort(StrEnum):
    """The orders that can be asked for; a leading minus turns one round. The token breaks every tie."""

    CREATED = "created"
    CREATED_DESC = "-created"
    UPDATED = "updated"
    UPDATED_DESC = "-updated"

    @property
    def descends(self) -> bool:
        """Newest first."""
        return self.value.startswith("-")

    def of(self, job: TransferJob) -> datetime:
        """What a job is ordered by."""
        return job.created_at if self.value.endswith("created") else job.updated_at


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFacets:
    """Exact counts over everything the filter lets through, not over the page. A job of two classes counts in both."""

    stage: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    state: dict[str, int] = field(default_factory=dict)
    side: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobsFound:
    """One page. `more`: there are jobs behind it; `total` counts all pages, and is None where facets are left out."""

    items: tuple[TransferJob, ...]
    more: bool
    facets: JobFacets | None
    total: int | None


def search_jobs(
    session: Session,
    *,
    tenant: str,
    tests: Sequence[JobTest],
    sort: JobSort,
    after: tuple[datetime, str] | None,
    limit: int,
    with_facets: bool,
) -> JobsFound:
    """Find jobs that a tenant receives or gives; the page and its facets come from one snapshot.

    Args:
        session: for reading; nothing was read in it yet.
        tenant: whose.
        tests: all of which must hold.
        sort: the order.
        after: what the last job of the page before is ordered by, and its token.
        limit: of the page, at most `MAX_PAGE`.
        with_facets: whether all is counted.
    """
    one_snapshot(session)
    found = and_(
        or_(col(TransferJob.tenant) == tenant, col(TransferJob.source_tenant) == tenant),
        *(_condition(test, tenant=tenant) for test in tests),
    )
    size = min(max(limit, 1), MAX_PAGE)
    rows = _page(session, found, sort, after, limit=size)
    facets, total = _facets(session, found, tenant=tenant) if with_facets else (None, None)
    for row in rows:
        session.expunge(row)  # a list to be read: the end of the session must not empty it
    return JobsFound(items=tuple(rows[:size]), more=len(rows) > size, facets=facets, total=total)


def _page(
    session: Session, found: ColumnElement[bool], sort: JobSort, after: tuple[datetime, str] | None, *, limit: int
) -> list[TransferJob]:
    moment = col(TransferJob.created_at) if sort.value.endswith("created") else col(TransferJob.updated_at)
    columns = (moment, col(TransferJob.token))
    query = select(TransferJob).where(found)
    if after is not None:
        row, bound = tuple_(*columns), tuple_(*after)
        query = query.where(row < bound if sort.descends else row > bound)
    ordered = query.order_by(*(column.desc() if sort.descends else column.asc() for column in columns))
    return list(session.exec(ordered.limit(limit + 1)).all())


def _condition(test: JobTest, *, tenant: str) -> ColumnElement[bool]:
    if test.field is JobField.CLASS:
        of_class = or_(*(_CLASSES.like(f'%"{LegalClass(str(value)).value}"%') for value in test.values))
        return of_class if test.op is Op.IN else not_(of_class)
    if test.field is JobField.SIDE:
        return condition(_side(tenant), test)
    return condition(_COLUMNS[test.field], test)


def _side(tenant: str) -> Any:
    return case((col(TransferJob.tenant) == tenant, Side.TARGET.value), else_=Side.SOURCE.value)


def _facets(session: Session, found: ColumnElement[bool], *, tenant: str) -> tuple[JobFacets, int]:
    """All counts from one grouped pass."""
    # Grouped by the names of what is selected: two spellings with parameters of their own are two for PostgreSQL.
    names = ("job_stage", "job_classes", "job_state", "job_side")
    columns = (col(TransferJob.stage), _CLASSES, _STATE, _side(tenant))
    parts = [column.label(name) for column, name in zip(columns, names, strict=True)]
    grouped = select(*parts, func.count()).where(found).group_by(*names)  # type: ignore[call-overload]
    stages, classes, states, sides = (Counter[str]() for _ in names)
    for stage, named, state, side, count in session.exec(grouped).all():
        stages[stage] += count
        states[state] += count
        sides[side] += count
        for each in LegalClass:
            if f'"{each.value}"' in named:
                classes[each.value] += count
    facets = JobFacets(stage=dict(stages), classes=dict(classes), state=dict(states), side=dict(sides))
    return facets, sum(stages.values())
