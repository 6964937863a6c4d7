"""Changes of suite (密码算法切换) by two persons: asked for, then confirmed and carried out, or rejected.

Functions over a session. Four-eyes (双人复核) holds as for reversals: the API asks before, the compare-and-set asks who
made the proposal, and `four_eyes` is unique over subject and person.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.domain.suite_changes import OPEN_CHANGES, ChangeKind, ChangePhase, ChangeState
from models.errors import Conflict, NotFound, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.tables.suite_changes import SuiteChange

MOST_NAMED: Final = 50  # places that a change names; how many there are stands beside them


def shown(change: SuiteChange) -> dict[str, object]:
    """What both persons see; its hash is what the second one is bound to."""
    return {
        "change": change.id,
        "kind": change.kind,
        "suite": change.suite,
        "subject": change.subject_id,
        "oldVersion": change.old_version,
        "reasonCode": change.reason_code,
    }


def propose(session: Session, change: SuiteChange, *, by: By, now: datetime) -> None:
    """Write a proposal that waits for its second person."""
    session.add(change)
    session.flush()
    stand_as_maker(session, **_stand(change), person_id=by.person_id, now=now)
    session.flush()


def decide(
    session: Session, change: SuiteChange, *, shown_hash: str, confirm: bool, by: By, now: datetime
) -> SuiteChange:
    """Confirm or reject as the second person.

    Raises:
        FourEyesViolation: the person asked for it.
        WrongState: it was decided before.
        ShownChanged: the caller was shown something else.
        Conflict: another change of this tenant is under way.
    """
    state = ChangeState.RUNNING if confirm else ChangeState.REJECTED
    try:
        decided = session.exec(
            update(SuiteChange)
            .where(
                col(SuiteChange.id) == change.id,
                col(SuiteChange.state) == ChangeState.PROPOSED,
                col(SuiteChange.shown_hash) == shown_hash,
                ~is_maker(shown_hash=col(SuiteChange.shown_hash), person_id=by.person_id),
            )
            .values(state=state, decided_by=by.staff_id, decided_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount
    except IntegrityError:
        raise Conflict(detail=change.id) from None
    after = session.get_one(SuiteChange, change.id, populate_existing=True)
    if not decided:
        raise why_not(
            session,
            state=after.state,
            waiting=ChangeState.PROPOSED,
            shown_hash=after.shown_hash,
            person_id=by.person_id,
        )
    stand_as_checker(session, **_stand(after), person_id=by.person_id, now=now)
    return after


def want(session: Session, change_id: str, *, state: ChangeState, among: Collection[ChangeState]) -> None:
    """What a person wants of a change under way: the workflow does it at its next step.

    Raises:
        WrongState: the change is in none of the states `among`.
    """
    changed = session.exec(
        update(SuiteChange)
        .where(col(SuiteChange.id) == change_id, col(SuiteChange.state).in_(among))
        .values(state=state)
        .execution_options(synchronize_session=False)
    ).rowcount
    if not changed:
        now = session.get_one(SuiteChange, change_id, populate_existing=True)
        raise WrongState(params={"state": now.state})


def of_tenant(session: Session, *, tenant: str, change_id: str) -> SuiteChange:
    """One change.

    Raises:
        NotFound: there is none of this id in this tenant.
    """
    change = session.get(SuiteChange, change_id)
    if change is None or change.tenant != tenant:
        raise NotFound
    return change


def latest(session: Session, *, tenant: str, limit: int) -> list[SuiteChange]:
    """The newest changes of a tenant."""
    return list(
        session.exec(
            select(SuiteChange)
            .where(col(SuiteChange.tenant) == tenant)
            .order_by(col(SuiteChange.proposed_at).desc(), col(SuiteChange.id))
            .limit(limit)
        ).all()
    )


# What the workflow's steps write --------------------------------------------------------------------------------------


def under_way(session: Session, change_id: str) -> SuiteChange | None:
    """The change, locked, if it is still under way."""
    change = session.get_one(SuiteChange, change_id, with_for_update=True, populate_existing=True)
    return change if change.state in OPEN_CHANGES else None


def count_in(session: Session, change_id: str, figures: Mapping[str, int]) -> None:
    """Add to the figures of a change, in the transaction of what they count."""
    change = session.get_one(SuiteChange, change_id, with_for_update=True, populate_existing=True)
    before = change.figures
    change.figures = {**before, **{name: before.get(name, 0) + count for name, count in figures.items()}}
    session.add(change)


def note_reached(
    session: Session, change_id: str, *, number: int, after: str, unopened: list[dict[str, Any]], first: bool
) -> None:
    """How far a pass has come, and what could not be opened in it; the first step of a pass forgets the one before."""
    change = session.get_one(SuiteChange, change_id, with_for_update=True, populate_existing=True)
    named = [] if first else list(change.unopened)
    for place in unopened:
        if place not in named and len(named) < MOST_NAMED:
            named.append(place)
    change.unopened = named
    change.passes, change.reached, change.phase = number, after, ChangePhase.SEALING
    session.add(change)


def is_whole_tenant(change: SuiteChange) -> bool:
    """Whether everything of the tenant is sealed anew, and not one person's."""
    return change.kind == ChangeKind.SUITE


def _stand(change: SuiteChange) -> dict[str, str]:
    return {"tenant": change.tenant, "subject": change.shown_hash, "record_id": change.id}
