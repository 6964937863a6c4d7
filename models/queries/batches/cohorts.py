"""Reads about cohorts: members in their order, figures, who should not be in, and a preview that writes nothing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import case
from sqlmodel import Session, col, func, select

from models.domain.batches.classes import amount_class
from models.domain.batches.cohort_filter import read_criteria
from models.domain.batches.cohorts import Figures, cohort_id
from models.domain.batches.exclusions import DISPUTED, PAID, REVOKED, RULE_OF, Exclusion
from models.domain.batches.kinds import KindName, MemberSource
from models.domain.batches.states import MemberState
from models.queries.batches.candidates import book_query
from models.queries.batches.screening import any_of, screens, screens_of_members
from models.queries.snapshots import one_snapshot
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_runs import BatchRun

SAMPLE: Final = 10
_PAGE: Final = 2_000
_MEMBERS: Final = BatchMember.__table__  # type: ignore[attr-defined]
# What a cohort's hash covers, of each member in order.
_HASHED: Final = (
    "number",
    "claim_key",
    "subject_id",
    "mandate_id",
    "agreement_id",
    "row_no",
    "import_line",
    "amount_minor",
    "currency",
    "type_class",
    "amount_class",
    "cycle_class",
    "state",
    "exclusion",
    "rule_id",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassFigures:
    """Rows of one class."""

    type_class: str
    amount_class: str
    cycle_class: str
    rows: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRow:
    """One row as a preview shows it: no person, no account, of the claim its end alone (掩码)."""

    claim_end: str
    amount_minor: int
    type_class: str
    amount_class: str
    cycle_class: str
    exclusion: str | None
    rule_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a cohort would be (预览). `exclusions`: rows by reason."""

    figures: Figures
    classes: tuple[ClassFigures, ...] = ()
    exclusions: dict[str, int] = field(default_factory=dict)
    sample: tuple[SampleRow, ...] = ()


def cohort_of(session: Session, run: BatchRun) -> BatchCohort | None:
    """The cohort of the run's present revision, once something was chosen."""
    return session.get(BatchCohort, cohort_id(run.token, run.revision))


def last_member(session: Session, cohort: str) -> BatchMember | None:
    """The member with the highest number: behind it choosing goes on."""
    query = select(BatchMember).where(col(BatchMember.cohort) == cohort)
    return session.exec(query.order_by(col(BatchMember.number).desc()).limit(1)).first()


def figures_of(session: Session, cohort: str) -> Figures:
    """Counted from the members."""
    query = select(BatchMember.state, func.count(), func.sum(BatchMember.amount_minor))
    found = {
        state: (int(count), int(total or 0))
        for state, count, total in session.exec(
            query.where(col(BatchMember.cohort) == cohort).group_by(col(BatchMember.state))
        )
    }
    members, amount = found.get(MemberState.INCLUDED.value, (0, 0))
    return Figures(members=members, excluded=found.get(MemberState.EXCLUDED.value, (0, 0))[0], amount_minor=amount)


def hash_of(session: Session, cohort: str, *, page: int = _PAGE) -> str:
    """SHA-256, in hex, over every member in order, one line of JSON each: however large the pages, the same.

    Args:
        session: for reading.
        cohort: its id.
        page: rows in memory at once.
    """
    digest = hashlib.sha256()
    for row in _rows(session, cohort, page=page):
        digest.update(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def _rows(session: Session, cohort: str, *, page: int) -> Iterator[list[Any]]:
    columns = [_MEMBERS.c[name] for name in _HASHED]
    last = 0
    while True:
        query = (
            _MEMBERS.select()
            .with_only_columns(*columns)
            .where(_MEMBERS.c.cohort == cohort, _MEMBERS.c.number > last)
            .order_by(_MEMBERS.c.number)
            .limit(page)
        )
        rows = session.connection().execute(query).all()
        yield from (list(row) for row in rows)
        if len(rows) < page:
            return
        last = int(rows[-1][0])


def not_to_be_in(session: Session, cohort: BatchCohort, *, on: date) -> dict[str, int]:
    """Who is in by the record and should not be, as the gate of the cohort counts them (BATCH-EXCLUDE)."""
    found = screens_of_members(tenant=cohort.tenant, kind=KindName(cohort.kind), on=on)
    groups = {"cohort_disputed": DISPUTED, "cohort_paid": PAID, "cohort_revoked": REVOKED}
    counted = [
        func.coalesce(func.sum(case((any_of(found, reasons), 1), else_=0)), 0).label(name)
        for name, reasons in groups.items()
    ]
    row = (
        session.connection()
        .execute(
            _MEMBERS.select()
            .with_only_columns(*counted)
            .where(_MEMBERS.c.cohort == cohort.id, _MEMBERS.c.state == MemberState.INCLUDED.value)
        )
        .one()
    )
    return {name: int(row._mapping[name]) for name in groups}  # noqa: SLF001 - SQLAlchemy's public spelling


def preview(session: Session, *, tenant: str, kind: KindName, criteria: dict[str, Any], on: date) -> Preview:
    """What the criteria would choose of the book now: counts, sums and a sample. Nothing is written.

    Args:
        session: for reading; nothing was read in it yet.
        tenant: whose book.
        kind: of batch.
        criteria: as a run would keep them (`models.domain.batches.cohort_filter`).
        on: business date.

    Raises:
        FormInvalid: the criteria break a rule, or rows of this kind come from files alone.
    """
    wanted = read_criteria(criteria, kind=kind, source=MemberSource.BOOK, on=on)
    one_snapshot(session)
    found = book_query(tenant, wanted, on=on).subquery("candidates")
    screened = screens(found.c, tenant=tenant, kind=kind, on=on)
    reason = case(*((holds, each.value) for each, holds in screened.items()), else_=None)
    band = case(
        *((found.c.amount_minor <= end, amount_class(end, wanted.bands)) for end in wanted.bands),
        else_=amount_class(wanted.bands[-1] + 1, wanted.bands),
    )
    names = ("type_class", "band", "cycle_class", "reason")
    seen = select(found, band.label("band"), reason.label("reason")).subquery("screened")  # type: ignore[call-overload]
    grouped = select(  # type: ignore[call-overload]
        *(seen.c[name] for name in names), func.count(), func.sum(seen.c.amount_minor)
    ).group_by(*(seen.c[name] for name in names))
    sampled = select(seen).order_by(seen.c.claim_key).limit(SAMPLE)
    return _preview(session.execute(grouped).all(), session.execute(sampled).mappings().all())


def _preview(groups: Any, sample: Any) -> Preview:
    classes: dict[tuple[str, str, str], tuple[int, int]] = {}
    exclusions: dict[str, int] = {}
    for type_class, band, cycle, reason, count, total in groups:
        if reason is not None:
            exclusions[reason] = exclusions.get(reason, 0) + int(count)
        else:
            classes[type_class, band, cycle] = (int(count), int(total or 0))
    return Preview(
        figures=Figures(
            members=sum(rows for rows, _ in classes.values()),
            excluded=sum(exclusions.values()),
            amount_minor=sum(total for _, total in classes.values()),
        ),
        classes=tuple(
            ClassFigures(type_class=key[0], amount_class=key[1], cycle_class=key[2], rows=rows, amount_minor=total)
            for key, (rows, total) in sorted(classes.items())
        ),
        exclusions=dict(sorted(exclusions.items())),
        sample=tuple(
            SampleRow(
                claim_end=str(row["claim_key"])[-8:],
                amount_minor=int(row["amount_minor"]),
                type_class=row["type_class"],
                amount_class=row["band"],
                cycle_class=row["cycle_class"],
                exclusion=row["reason"],
                rule_id=RULE_OF[Exclusion(row["reason"])] if row["reason"] is not None else None,
            )
            for row in sample
        ),
    )
