"""What people do about the exception queue (例外队列): have something tried again by the next run, or close it."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, update

from models.domain.daily import (
    NO_CALENDAR,
    REOPENED,
    UNANSWERED,
    WAITING_EXCEPTIONS,
    CloseReason,
    DayStep,
    ExceptionState,
)
from models.errors import WrongState
from models.tables.daily import DailyException

_STEPS: Final = (DayStep.ARREARS, DayStep.ORDERS, DayStep.FILE)
# An order without an answer may have been taken: to ask again could take the money twice.
_NEVER: Final = (UNANSWERED, REOPENED, NO_CALENDAR)


def can_retry(item: DailyException) -> bool:
    """Whether the next run can try it again because somebody says so.

    What the bank said and reminders are tried again by themselves while there is any use in it; a whole step is
    repeated until it is done.
    """
    about_one = item.target != item.tenant
    return item.state == ExceptionState.OPEN and about_one and item.step in _STEPS and item.code not in _NEVER


def ask_again(session: Session, item: DailyException, *, by: str) -> None:
    """Have the next run try it again.

    Raises:
        WrongState: it is not open, or nothing can be tried again (`not-retryable`).
    """
    if item.state == ExceptionState.OPEN and not can_retry(item):
        raise WrongState(detail=item.id, params={"state": "not-retryable"})
    _change(session, item, (ExceptionState.OPEN,), state=ExceptionState.RETRY.value, handled_by=by)


def close_item(session: Session, item: DailyException, *, reason: CloseReason, by: str, now: datetime) -> None:
    """Close it for a reason; the run leaves it alone.

    Raises:
        WrongState: it is over already.
    """
    values = {"state": ExceptionState.CLOSED.value, "close_code": reason.value, "handled_by": by, "done_at": now}
    _change(session, item, WAITING_EXCEPTIONS, **values)


def _change(
    session: Session, item: DailyException, states: tuple[ExceptionState, ...], **values: str | datetime
) -> None:
    changed = session.exec(
        update(DailyException)
        .where(col(DailyException.id) == item.id, col(DailyException.state).in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(item)
    if not changed:
        raise WrongState(detail=item.id, params={"state": item.state})
