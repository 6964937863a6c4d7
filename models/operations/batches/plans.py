"""Standing plans (批量排期): proposed by one person, confirmed by another, held, ended, made up for. Over a session."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, update

from models.domain.batches.cohort_filter import read_criteria
from models.domain.batches.kinds import BY_DAILY_RUN, KindName, MemberSource
from models.domain.batches.plans import LONGEST_BACKFILL, STANDING_KINDS, Calendar, PlanState, Rhythm
from models.domain.batches.settings import read_settings
from models.domain.canonical import digest
from models.domain.tokens import new_token
from models.errors import Conflict, FieldFault, FormInvalid, NotFound, WrongState
from models.operations.batches.rule_sets import has_approved
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.tables.batch_plans import BatchBackfill, BatchPlan

_SHOWN: Final = (
    "id", "name", "kind", "branch", "criteria", "settings", "rule_set", "rhythm", "month_day", "hour", "overlap",
    "catch_up_hours",
)  # fmt: skip


def propose_plan(session: Session, plan: BatchPlan, *, on: date, by: By, now: datetime) -> None:
    """Write a plan that waits for its second person; its criteria are tried on the business date `on`.

    Raises:
        FormInvalid: kind, calendar, criteria, settings or rule set break a rule.
        Conflict: a plan of this name waits or is in force.
    """
    _check(session, plan, on=on)
    plan.shown_hash = digest({name: getattr(plan, name) for name in _SHOWN})
    session.add(plan)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=plan.name, params={"field": "name"}) from None
    stand_as_maker(session, **_stand(plan), person_id=by.person_id, now=now)
    session.flush()


def decide_plan(
    session: Session,
    plan: BatchPlan,
    *,
    approve: bool,
    shown: str,
    reason_code: str | None,
    by: By,
    now: datetime,
) -> None:
    """A second person's word on what they were shown.

    Raises:
        ShownChanged: they were shown something else.
        FourEyesViolation: they made it, under whichever account.
        WrongState: it does not wait.
    """
    decided = session.exec(
        update(BatchPlan)
        .where(
            col(BatchPlan.id) == plan.id,
            col(BatchPlan.state) == PlanState.PROPOSED.value,
            col(BatchPlan.shown_hash) == shown,
            ~is_maker(shown_hash=col(BatchPlan.shown_hash), person_id=by.person_id),
        )
        .values(
            state=(PlanState.ACTIVE if approve else PlanState.REFUSED).value,
            decided_by=by.staff_id,
            decided_by_person=by.person_id,
            reason_code=reason_code,
            decided_at=now,
            version=BatchPlan.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(plan)
    if not decided:
        raise why_not(
            session,
            state=plan.state,
            waiting=PlanState.PROPOSED,
            shown_hash=plan.shown_hash,
            person_id=by.person_id,
        )
    stand_as_checker(session, **_stand(plan), person_id=by.person_id, now=now)


def want_plan_paused(session: Session, plan: BatchPlan, *, paused: bool, now: datetime) -> None:
    """Have the clock begin nothing for a plan, or go on. Dates that passed meanwhile are made up by a backfill.

    Raises:
        WrongState: it is not in force, or is paused already, or is not.
    """
    _move(session, plan, col(BatchPlan.paused).is_(not paused), paused=paused, updated_at=now)


def retire_plan(session: Session, plan: BatchPlan, *, now: datetime) -> None:
    """End a plan; runs that it has begun go on.

    Raises:
        WrongState: it is not in force.
    """
    _move(session, plan, state=PlanState.RETIRED.value, updated_at=now)


def ask_backfill(
    session: Session, plan: BatchPlan, *, first: date, last: date, today: date, by: By, now: datetime
) -> BatchBackfill:
    """Have dates made up for (补跑): each that is due gets its run, unless it has one.

    Raises:
        FormInvalid: the last date is before the first or behind the business date, or they lie too far apart.
        WrongState: the plan is not in force.
    """
    latest = min(today, first + timedelta(days=LONGEST_BACKFILL - 1))
    if last > latest:
        fault = FieldFault(pointer="/lastDate", code="date-future", params={"max": latest.isoformat()})
        raise FormInvalid(faults=(fault,))
    if last < first:
        fault = FieldFault(pointer="/lastDate", code="date-past", params={"min": first.isoformat()})
        raise FormInvalid(faults=(fault,))
    if plan.state != PlanState.ACTIVE:
        raise WrongState(detail=plan.id, params={"state": plan.state})
    wish = BatchBackfill(
        id=new_token("bbf"),
        tenant=plan.tenant,
        plan=plan.id,
        first_date=first,
        last_date=last,
        asked_by=by.staff_id,
        asked_at=now,
    )
    session.add(wish)
    session.flush()
    return wish


def backfill_sent(session: Session, backfill: str, *, now: datetime) -> bool:
    """Temporal knows of it. False: it was told before."""
    return bool(
        session.exec(
            update(BatchBackfill)
            .where(col(BatchBackfill.id) == backfill, col(BatchBackfill.sent_at).is_(None))
            .values(sent_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount
    )


def plan_of_tenant(session: Session, plan: str, *, tenant: str) -> BatchPlan:
    """One plan.

    Raises:
        NotFound: there is none of this id in this tenant.
    """
    found = session.get(BatchPlan, plan)
    if found is None or found.tenant != tenant:
        raise NotFound
    return found


def _check(session: Session, plan: BatchPlan, *, on: date) -> None:
    kind, faults = KindName(plan.kind), list[FieldFault]()
    allowed: dict[str, str | int] = {"allowed": ", ".join(STANDING_KINDS)}
    if kind in BY_DAILY_RUN:
        raise FormInvalid(faults=(FieldFault(pointer="/kind", code="agreement-rows-by-daily-run", params=allowed),))
    if kind not in STANDING_KINDS:
        raise FormInvalid(faults=(FieldFault(pointer="/kind", code="not-one-of", params=allowed),))
    # Its runs bind a version of it: without one, each would stop and ask people for what could be asked once, here.
    if plan.rule_set is None:
        faults.append(FieldFault(pointer="/ruleSet", code="missing"))
    elif not has_approved(session, plan.rule_set, tenant=plan.tenant, kind=kind, on=on):
        faults.append(FieldFault(pointer="/ruleSet", code="rule-set-not-approved"))
    try:
        Calendar(rhythm=Rhythm(plan.rhythm), month_day=plan.month_day)
    except ValueError:
        code = "missing" if plan.month_day is None else "unknown-field"
        faults.append(FieldFault(pointer="/monthDay", code=code))
    if "period" in plan.criteria:  # each run has that of its own date
        faults.append(FieldFault(pointer="/criteria/period", code="unknown-field"))
    try:
        read_criteria(plan.criteria, kind=kind, source=MemberSource.BOOK, on=on)
    except FormInvalid as refused:
        faults.extend(refused.faults)
    try:
        read_settings(plan.settings)
    except ValueError:
        faults.append(FieldFault(pointer="/settings", code="pattern"))
    if faults:
        raise FormInvalid(faults=tuple(faults))


def _stand(plan: BatchPlan) -> dict[str, Any]:
    return {"tenant": plan.tenant, "subject": plan.shown_hash, "record_id": plan.id}


def _move(session: Session, plan: BatchPlan, *where: Any, **values: Any) -> None:
    moved = session.exec(
        update(BatchPlan)
        .where(col(BatchPlan.id) == plan.id, col(BatchPlan.state) == PlanState.ACTIVE.value, *where)
        .values(version=BatchPlan.version + 1, **values)
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(plan)
    if not moved:
        state = plan.state if plan.state != PlanState.ACTIVE else ("paused" if plan.paused else "running")
        raise WrongState(detail=plan.id, params={"state": state})
