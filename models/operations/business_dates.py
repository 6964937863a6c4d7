"""The business date and its runs: dates strictly in order, one run of a tenant at a time, figures, exceptions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select, update

from models.domain.daily import REOPENED, WAITING_EXCEPTIONS, ExceptionState, RunState
from models.domain.tokens import new_token
from models.errors import WrongState
from models.tables.agreements import LedgerEntry
from models.tables.daily import BusinessDate, DailyException, DailyRun
from models.tables.tenants import Tenant

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One business date of one tenant."""

    tenant: str
    on: date


def begin_run(session: Session, day: Day, *, wall_today: date, now: datetime) -> bool:
    """Open the run of a date, or find it open. Repeatable.

    Args:
        session: of a unit of work.
        day: which date.
        wall_today: the calendar date in Shanghai.
        now: for the record.

    Returns:
        False if this date was closed before: there is nothing to run.

    Raises:
        WrongState: the books are not open (`no-business-date`), an earlier date is still open (`earlier-date-open`), or
            the date lies ahead of the wall clock and the tenant is no sandbox (`ahead-of-clock`).
    """
    open_date = session.exec(
        select(BusinessDate).where(col(BusinessDate.tenant) == day.tenant).with_for_update()
    ).one_or_none()
    if open_date is None:
        raise WrongState(detail=day.tenant, params={"state": "no-business-date"})
    if open_date.today > day.on:
        return False
    if open_date.today < day.on:
        raise WrongState(detail=f"{day.tenant} {open_date.today}", params={"state": "earlier-date-open"})
    refuse_ahead(session, day, wall_today=wall_today)
    if session.get(DailyRun, (day.tenant, day.on)) is None:
        session.add(DailyRun(tenant=day.tenant, business_date=day.on, state=RunState.RUNNING, started_at=now))
        session.flush()
    return True


def refuse_ahead(session: Session, day: Day, *, wall_today: date) -> None:
    """Refuse a date after the wall clock's, unless the tenant is a sandbox.

    Raises:
        WrongState: `ahead-of-clock`.
    """
    if day.on > wall_today and not session.get_one(Tenant, day.tenant).sandbox:
        raise WrongState(detail=f"{day.tenant} {day.on}", params={"state": "ahead-of-clock"})


def open_books(session: Session, day: Day, *, wall_today: date, now: datetime) -> None:
    """Open the books of a tenant that has none yet (开账).

    Args:
        session: of a unit of work.
        day: the first business date.
        wall_today: the calendar date in Shanghai.
        now: for the record.

    Raises:
        WrongState: they are open (`books-open`), the date lies ahead of the wall clock and the tenant is no sandbox
            (`ahead-of-clock`), or before what was booked by the calendar meanwhile (`booked-later`).
    """
    if session.get(BusinessDate, day.tenant) is not None:
        raise WrongState(detail=day.tenant, params={"state": "books-open"})
    refuse_ahead(session, day, wall_today=wall_today)
    latest = session.exec(select(func.max(LedgerEntry.booked_on)).where(col(LedgerEntry.tenant) == day.tenant)).one()
    if latest is not None and latest > day.on:
        raise WrongState(detail=f"{day.tenant} {latest}", params={"state": "booked-later"})
    session.add(BusinessDate(tenant=day.tenant, today=day.on, updated_at=now))
    session.flush()


def open_dates(session: Session, *, tenant: str, until: date) -> tuple[date | None, int]:
    """The open business date and how many dates there are from it up to `until`; none if the books stand beyond it."""
    row = session.get(BusinessDate, tenant)
    if row is None or row.today > until:
        return None, 0
    return row.today, (until - row.today).days + 1


def count_in(session: Session, day: Day, *, step: str, figures: Mapping[str, int], finished: bool = False) -> None:
    """Add to the figures of a step, in the transaction of what they count."""
    run = session.get_one(DailyRun, (day.tenant, day.on))
    sums = dict(run.figures.get(step, {}))
    for name, value in figures.items():
        sums[name] = sums.get(name, 0) + value
    ended = list(run.figures.get("finished", []))
    if finished and step not in ended:
        ended.append(step)
    run.figures = {**run.figures, step: sums, "finished": ended}
    session.add(run)


def is_finished(session: Session, day: Day, *, step: str) -> bool:
    """Whether the step's end is on record."""
    return step in session.get_one(DailyRun, (day.tenant, day.on)).figures.get("finished", [])


def roll(session: Session, day: Day, *, now: datetime) -> bool:
    """Close the date and open the next one. False if that has been done before."""
    moved = session.exec(
        update(BusinessDate)
        .where(col(BusinessDate.tenant) == day.tenant, col(BusinessDate.today) == day.on)
        .values(today=day.on + _ONE_DAY, version=BusinessDate.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    if not moved:
        return False
    run = session.get_one(DailyRun, (day.tenant, day.on))
    run.state, run.ended_at = RunState.DONE, now
    session.add(run)
    return True


def note_exception(
    session: Session,
    day: Day,
    *,
    step: str,
    target: str,
    code: str,
    now: datetime,
    rule_id: str | None = None,
    gate_key: str | None = None,
) -> None:
    """Put something that could not be done into the exception queue (例外队列).

    What waits there already, since this date or an earlier one, stays one item and counts one more try.

    Args:
        session: of a unit of work.
        day: the date that is run.
        step: of the run.
        target: an identifier.
        code: why.
        now: for the record.
        rule_id: the rule that stands against it, if one does.
        gate_key: under which its verdicts are kept.
    """
    again = {
        "tries": DailyException.tries + 1,
        "code": code,
        "state": ExceptionState.OPEN.value,
        "rule_id": rule_id,
        "gate_key": gate_key,
        "close_code": None,
        "done_at": None,
    }
    since_earlier = session.exec(
        update(DailyException)
        .where(*_waits(day.tenant, step, [target]), col(DailyException.business_date) < day.on)
        .values(**again)
        .execution_options(synchronize_session=False)
    ).rowcount
    if since_earlier:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(DailyException).values(
        id=new_token("dex"),
        tenant=day.tenant,
        business_date=day.on,
        step=step,
        target=target,
        code=code,
        state=ExceptionState.OPEN.value,
        tries=1,
        rule_id=rule_id,
        gate_key=gate_key,
        created_at=now,
    )
    session.exec(
        statement.on_conflict_do_update(index_elements=["tenant", "business_date", "step", "target"], set_=again)
    )


def settle_exceptions(session: Session, *, tenant: str, step: str, targets: Collection[str], now: datetime) -> int:
    """What could not be done at first is done: how many items that ends. Follow-ups (`reopened`) are for people."""
    if not targets:
        return 0
    return session.exec(
        update(DailyException)
        .where(*_waits(tenant, step, targets), col(DailyException.code) != REOPENED)
        .values(state=ExceptionState.DONE.value, done_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount


def _waits(tenant: str, step: str, targets: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        col(DailyException.tenant) == tenant,
        col(DailyException.step) == step,
        col(DailyException.target).in_(targets),
        col(DailyException.state).in_(WAITING_EXCEPTIONS),
    )
