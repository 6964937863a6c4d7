"""What is written of a cohort (客群): members as they are found, exclusions with rule and reason, the freeze.

Functions over a session; they never commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from models.domain.batches.cohorts import Candidate, Figures, cohort_id
from models.domain.batches.exclusions import RULE_OF, Exclusion
from models.domain.batches.states import MemberState
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_runs import BatchRun

# Each reason with its condition over `batch_members` (`models.queries.batches.screening`), in their order.
Screens = Mapping[Exclusion, ColumnElement[bool]]
_MEMBERS: Final = BatchMember.__table__  # type: ignore[attr-defined]
_COHORTS: Final = BatchCohort.__table__  # type: ignore[attr-defined]


def hold_cohort(session: Session, run: BatchRun, *, now: datetime) -> BatchCohort:
    """The cohort of the run's present revision, made if it is not there, and locked: two runs of a step do not meet."""
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {
        "id": cohort_id(run.token, run.revision),
        "tenant": run.tenant,
        "run": run.token,
        "revision": run.revision,
        "kind": run.kind,
        "criteria": run.criteria,
        "members": 0,
        "excluded": 0,
        "amount_minor": 0,
        "created_at": now,
    }
    session.connection().execute(make(_COHORTS).values(values).on_conflict_do_nothing())
    return session.exec(select(BatchCohort).where(col(BatchCohort.id) == values["id"]).with_for_update()).one()


def add_members(
    session: Session, cohort: BatchCohort, found: Sequence[Candidate], *, after: int, screened: Screens
) -> int:
    """Write candidates as the next members, then exclude those whom a rule keeps out.

    Args:
        session: of the unit; the cohort is locked in it.
        cohort: not frozen.
        found: in their order.
        after: the highest number so far.
        screened: who is kept out.

    Returns:
        How many of them are excluded.
    """
    taken = set(
        session.exec(
            select(BatchMember.claim_key).where(
                col(BatchMember.cohort) == cohort.id,
                col(BatchMember.claim_key).in_([each.claim_key for each in found]),
            )
        ).all()
    )
    rows = []
    for number, each in enumerate(found, start=after + 1):
        row = asdict(each) | {"cohort": cohort.id, "number": number, "tenant": cohort.tenant}
        twice = each.claim_key in taken
        taken.add(each.claim_key)
        rows.append(row | (_twice(number, each) if twice else _INCLUDED))
    session.connection().execute(_MEMBERS.insert(), rows)
    last = after + len(rows)
    exclude(session, cohort, screened, first=after + 1, last=last)
    out = select(BatchMember.number).where(
        col(BatchMember.cohort) == cohort.id,
        col(BatchMember.number) > after,
        col(BatchMember.state) == MemberState.EXCLUDED.value,
    )
    return len(session.exec(out).all())


_INCLUDED: Final[dict[str, Any]] = {"state": MemberState.INCLUDED.value, "exclusion": None, "rule_id": None}


def _twice(number: int, each: Candidate) -> dict[str, Any]:
    """A claim stands once in a cohort; the second row keeps its place under a claim of its own, and is out."""
    return {
        "claim_key": f"{each.claim_key[:100]}#{number}",
        "state": MemberState.EXCLUDED.value,
        "exclusion": Exclusion.CLAIMED_TWICE.value,
        "rule_id": RULE_OF[Exclusion.CLAIMED_TWICE],
    }


def exclude(
    session: Session, cohort: BatchCohort, screened: Screens, *, first: int = 1, last: int | None = None
) -> int:
    """Exclude those members whom a rule keeps out by now, each with the first reason that holds, in one statement.

    Returns:
        How many there were.
    """
    columns = {
        "exclusion": case(*((holds, reason.value) for reason, holds in screened.items())),
        "rule_id": case(*((holds, RULE_OF[reason]) for reason, holds in screened.items())),
    }
    statement = (
        update(_MEMBERS)
        .where(
            _MEMBERS.c.cohort == cohort.id,
            _MEMBERS.c.state == MemberState.INCLUDED.value,
            _MEMBERS.c.number >= first,
            *([_MEMBERS.c.number <= last] if last is not None else []),
            or_(*screened.values()),
        )
        .values(state=MemberState.EXCLUDED.value, **columns)
    )
    return int(session.connection().execute(statement).rowcount)


def screen_again(session: Session, run: BatchRun, screened: Screens) -> int:
    """A gate is asked again: who should be out by now is taken out first, unless the cohort is frozen.

    Returns:
        How many were taken out.
    """
    cohort = session.exec(
        select(BatchCohort).where(col(BatchCohort.id) == cohort_id(run.token, run.revision)).with_for_update()
    ).one_or_none()
    if cohort is None or cohort.frozen_at is not None:
        return 0
    return exclude(session, cohort, screened)


def freeze(session: Session, cohort: BatchCohort, figures: Figures, *, cohort_hash: str, now: datetime) -> Figures:
    """Nothing of the cohort changes from now on (a trigger keeps that); a frozen one stays as it was frozen."""
    if cohort.frozen_at is None:
        cohort.members, cohort.excluded = figures.members, figures.excluded
        cohort.amount_minor = figures.amount_minor
        cohort.cohort_hash, cohort.frozen_at = cohort_hash, now
        session.add(cohort)
        session.flush()
    return Figures(members=cohort.members, excluded=cohort.excluded, amount_minor=cohort.amount_minor)
