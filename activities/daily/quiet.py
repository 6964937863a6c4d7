"""A quiet date (无业务日): no step after the replies would find anything; they are put on record as done at once.

The questions are those that the steps ask themselves, or wider ones. Whoever has one agreement under way today has no
quiet date; most dates of a small institution are.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from sqlmodel import Session

from activities.daily.chunks import DayWork
from compliance.audit.unit import Unchanged, unit_of_work
from models.domain.daily import REMIND_DAYS, DayStep, FileState
from models.operations.business_dates import Day, count_in, is_finished
from models.queries.aftercare import occasions, planned_for
from models.queries.daily import (
    any_new_reply,
    files_out,
    queued_orders,
    retries_due,
    rows_due,
    rows_to_remind,
    touched_agreements,
    unanswered_orders,
)
from models.queries.daily_exceptions import any_retry

SKIPPED: Final = (DayStep.POST, DayStep.ARREARS, DayStep.REMINDERS, DayStep.ORDERS, DayStep.FILE)
Question = Callable[[Session, Day], Any]

# Whatever is found makes the date busy; what a busy institution has most of comes first.
QUESTIONS: Final[dict[str, Question]] = {
    "new-replies": lambda session, day: any_new_reply(session, tenant=day.tenant),
    "rows-due": lambda session, day: rows_due(session, tenant=day.tenant, on=day.on),
    "touched": lambda session, day: touched_agreements(session, tenant=day.tenant, on=day.on),
    "to-remind": lambda session, day: rows_to_remind(
        session, tenant=day.tenant, on=day.on, until=day.on + timedelta(days=REMIND_DAYS)
    ),
    "occasions": lambda session, day: occasions(session, tenant=day.tenant, on=day.on),
    "calls": lambda session, day: planned_for(session, tenant=day.tenant, on=day.on),
    "retries-due": lambda session, day: retries_due(session, tenant=day.tenant, on=day.on),
    "asked-again": lambda session, day: any_retry(session, tenant=day.tenant),
    "queued": lambda session, day: queued_orders(session, tenant=day.tenant),
    "unanswered": lambda session, day: unanswered_orders(session, tenant=day.tenant, on=day.on),
    "unsent": lambda session, day: [
        file for file in files_out(session, tenant=day.tenant, on=day.on) if file.state != FileState.SENT
    ],
}


def finish_if_quiet(work: DayWork) -> bool:
    """Put the steps between replies and roll on record as done, if none of them has anything to do; repeatable.

    Args:
        work: the step that takes the replies, which has been done.
    """
    with work.database.read() as session:
        if any(question(session, work.day) for question in QUESTIONS.values()):
            return False
    now = work.clock()
    with unit_of_work(work.database, work.deed(now, action="daily.quiet")) as unit:
        if is_finished(unit.session, work.day, step=DayStep.FILE):
            raise Unchanged
        for step in SKIPPED:
            count_in(unit.session, work.day, step=step, figures={}, finished=True)
    return True
