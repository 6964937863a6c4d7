"""Follow-up calls (回访) in the records: planned by the daily run, opened on their day, closed by what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from models.contracts.platform import Fence
from models.domain.aftercare.follow_ups import (
    SCHEDULE,
    FollowUpKind,
    Occasion,
    follow_up_key,
    next_attempt_on,
    standing_of,
)
from models.domain.ids import follow_up_workflow_id, start_key
from models.domain.states import FollowUpState, OutboxKind, Outcome
from models.domain.tokens import named_token
from models.operations import outbox
from models.tables.aftercare import FollowUp
from models.tables.agreements import Agreement

SITUATION_CHANGED: Final = "situation-changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a call brought.

    Attributes:
        reason_code: the situation, or why nobody was reached.
        next_contact_days: until another call, if the officer named a day.
        contact_id: of the entry in the contact log.
        today: the open business date.
    """

    outcome: Outcome
    reason_code: str | None
    next_contact_days: int | None
    contact_id: str
    today: date


def plan(session: Session, wanted: Sequence[Occasion], *, now: datetime) -> int:
    """Put follow-ups on the calendar, each once however often it is asked for; returns how many are new."""
    agreements = _agreements(session, {each.agreement_id for each in wanted})
    return _add(session, [_row(agreements[each.agreement_id], each, attempt=1, now=now) for each in wanted])


def open_due(session: Session, ids: Sequence[str], *, now: datetime) -> tuple[int, int]:
    """Ask for the planned ones: each gets its workflow, unless its occasion has gone.

    Returns:
        How many were opened, and how many skipped.
    """
    opened = skipped = 0
    rows = session.exec(
        select(FollowUp)
        .where(col(FollowUp.id).in_(ids), col(FollowUp.state) == FollowUpState.PLANNED)
        .order_by(col(FollowUp.id))
        .with_for_update()
    ).all()
    agreements = _agreements(session, {row.agreement_id for row in rows})
    for row in rows:
        agreement = agreements[row.agreement_id]
        standing = standing_of(status=agreement.status, days_past_due=agreement.days_past_due)
        if standing in SCHEDULE.rule(FollowUpKind(row.kind)).fits:
            row.state, opened = FollowUpState.OPEN, opened + 1
            _start(session, row, now=now)
        else:
            row.state, row.reason_code, row.done_at = FollowUpState.SKIPPED, SITUATION_CHANGED, now
            skipped += 1
        row.version, row.updated_at = row.version + 1, now
        session.add(row)
    return opened, skipped


def record(session: Session, follow_up: str, found: Found, *, fence: Fence, now: datetime) -> bool:
    """Close a follow-up with what was found, and plan what comes next: another attempt, or the call agreed on.

    Returns:
        False if it was closed before; then nothing is changed.
    """
    if not _close(
        session,
        follow_up,
        fence=fence,
        now=now,
        state=FollowUpState.DONE,
        outcome=found.outcome.value,
        reason_code=found.reason_code,
        contact_id=found.contact_id,
    ):
        return False
    row = session.get_one(FollowUp, follow_up, populate_existing=True)
    following = _following(row, found)
    if following is not None:
        occasion, attempt = following
        agreement = session.get_one(Agreement, row.agreement_id)
        _add(session, [_row(agreement, occasion, attempt=attempt, now=now)])
    return True


def drop(session: Session, follow_up: str, *, fence: Fence, now: datetime) -> bool:
    """The workflow was cancelled; False if the follow-up was closed before."""
    return _close(session, follow_up, fence=fence, now=now, state=FollowUpState.DROPPED)


def _following(row: FollowUp, found: Found) -> tuple[Occasion, int] | None:
    kind, due_on = FollowUpKind(row.kind), next_attempt_on(found.today, in_days=found.next_contact_days)
    if found.outcome is Outcome.NOT_REACHED:
        if row.attempt >= SCHEDULE.max_attempts:
            return None
        again = Occasion(agreement_id=row.agreement_id, kind=kind, anchor=row.anchor, due_on=due_on)
        return again, row.attempt + 1
    if found.next_contact_days is None:
        return None
    agreed = Occasion(agreement_id=row.agreement_id, kind=FollowUpKind.AGREED, anchor=due_on, due_on=due_on)
    return agreed, 1


def _agreements(session: Session, ids: set[str]) -> dict[str, Agreement]:
    found = session.exec(select(Agreement).where(col(Agreement.id).in_(ids))).all()
    return {agreement.id: agreement for agreement in found}


def _row(agreement: Agreement, wanted: Occasion, *, attempt: int, now: datetime) -> dict[str, Any]:
    key = follow_up_key(agreement.id, wanted.kind, anchor=wanted.anchor, attempt=attempt)
    return {
        "id": named_token("flw", key),
        "tenant": agreement.tenant,
        "agreement_id": agreement.id,
        "case_token": agreement.case_token,
        "business_key": key,
        "kind": wanted.kind.value,
        "anchor": wanted.anchor,
        "attempt": attempt,
        "due_on": wanted.due_on,
        "schedule_version": SCHEDULE.version,
        "state": FollowUpState.PLANNED.value,
        "epoch": 0,
        "seq": 0,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def _add(session: Session, rows: list[dict[str, Any]]) -> int:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(FollowUp).values(rows).on_conflict_do_nothing(index_elements=["business_key"])
    return int(session.exec(statement).rowcount)


def _start(session: Session, row: FollowUp, *, now: datetime) -> None:
    workflow_id = follow_up_workflow_id(row.case_token, row.id)
    outbox.enqueue(
        session,
        tenant=row.tenant,
        kind=OutboxKind.START,
        business_key=start_key(workflow_id),
        workflow_id=workflow_id,
        traceparent=None,
        now=now,
        relay_after=timedelta(0),  # the daily run starts nothing itself
    )


def _close(
    session: Session, follow_up: str, *, fence: Fence, now: datetime, state: FollowUpState, **values: str | None
) -> bool:
    closed = session.exec(
        update(FollowUp)
        .where(
            col(FollowUp.id) == follow_up,
            col(FollowUp.state) == FollowUpState.OPEN,
            tuple_(col(FollowUp.epoch), col(FollowUp.seq)) < tuple_(fence.epoch, fence.seq),
        )
        .values(
            state=state,
            epoch=fence.epoch,
            seq=fence.seq,
            version=FollowUp.version + 1,
            updated_at=now,
            done_at=now,
            **values,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(closed.rowcount)
