"""Step 4, its other half: whom the schedule of follow-ups says to call gets a task in the inbox (回访)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Final

from sqlmodel import Session

from activities.daily.chunks import DayWork
from activities.support.contact_gate import against, verdicts_on_call
from compliance.audit.unit import Unchanged, Unit
from models.domain.aftercare.follow_ups import Occasion
from models.domain.shanghai import SHANGHAI
from models.operations import follow_ups
from models.queries.aftercare import PlannedCall, occasions, planned_for
from models.tables.installments import InstallmentCase

# The hour about which the rules of contact are asked beforehand: whoever calls chooses one of the working day.
_NOON: Final = time(12)


def call_after(work: DayWork) -> None:
    """Plan the follow-ups of the date's occasions, and ask for those whose day has come; repeatable at any point.

    A call that a rule of contact forbids today stays planned, and is looked at again by the next run.
    """
    day = work.day
    with work.database.read() as session:
        wanted = occasions(session, tenant=day.tenant, on=day.on)
    work.in_chunks(wanted, _plan, name=lambda each: each.agreement_id)
    with work.database.read() as session:
        due = _allowed(session, planned_for(session, tenant=day.tenant, on=day.on), day.on)
    work.in_chunks(due, _open, name=str)


def _allowed(session: Session, calls: Sequence[PlannedCall], on: date) -> list[str]:
    """Those that no rule of contact forbids. Customers of whom nothing is on record are alike: one is asked about."""
    unknown: bool | None = None
    allowed = []
    for call in calls:
        if call.is_known:
            may = _may_call(session, call.case_token, on)
        else:
            unknown = may = _may_call(session, call.case_token, on) if unknown is None else unknown
        if may:
            allowed.append(call.follow_up)
    return allowed


def _may_call(session: Session, case_token: str, on: date) -> bool:
    case = session.get_one(InstallmentCase, case_token)
    return not against(verdicts_on_call(session, case, at=datetime.combine(on, _NOON, SHANGHAI)))


def _plan(unit: Unit, wanted: Sequence[Occasion], now: datetime) -> Mapping[str, int]:
    count = follow_ups.plan(unit.session, wanted, now=now)
    if not count:
        raise Unchanged
    return {"followUpsPlanned": count}


def _open(unit: Unit, ids: Sequence[str], now: datetime) -> Mapping[str, int]:
    opened, skipped = follow_ups.open_due(unit.session, ids, now=now)
    if not opened + skipped:
        raise Unchanged
    return {"followUps": opened, "followUpsSkipped": skipped}
