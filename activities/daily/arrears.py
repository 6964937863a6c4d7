"""Step 3: every agreement that the date concerns is brought to it, and its case hears what changes its next step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from activities.daily import customer_news
from activities.daily.chunks import DayWork
from compliance.audit.unit import Unchanged, Unit
from models.domain.daily import TOLD_ENDED
from models.domain.notices import NoticeKind
from models.domain.servicing import missed
from models.domain.servicing.missed import News, news
from models.domain.servicing.snapshot import state_from
from models.domain.servicing.state import ENDED, State, Status
from models.domain.states import NewsKind
from models.operations.booking import book
from models.operations.business_dates import note_exception
from models.operations.news import enqueue_news
from models.queries.daily import touched_agreements, with_fresh_orders
from models.tables.agreements import Agreement

# What a case hears; the other rungs of the ladder are for the customer alone.
_FOR_CASE: Final = {
    missed.FIRST_MISSED: NewsKind.MISSED,
    missed.DEFAULT: NewsKind.DEFAULT_DUE,
    missed.CURED: NewsKind.CURED,
    missed.PAID_OFF: NewsKind.SETTLED,
}
_ENDED: Final = frozenset(status.value for status in ENDED)
_WARNED_FOR: Final = timedelta(days=10)


def run_arrears(work: DayWork) -> None:
    """Bring agreements to the date and tell their cases."""
    with work.database.read() as session:
        touched = touched_agreements(session, tenant=work.day.tenant, on=work.day.on)
    work.in_chunks(touched, lambda unit, ids, now: _advance(unit, work, ids, now), name=str)
    work.finish()


def _advance(unit: Unit, work: DayWork, ids: Sequence[str], now: datetime) -> Mapping[str, int]:
    session, on = unit.session, work.day.on
    agreements = session.exec(
        select(Agreement).where(col(Agreement.id).in_(ids)).order_by(col(Agreement.id)).with_for_update()
    ).all()
    behind = [each for each in agreements if each.folded_to is not None and each.folded_to < on]
    booked = book(session, [(each, ()) for each in behind], as_of=on, now=now)
    states = {each.agreement.id: each.after for each in booked}
    waiting = with_fresh_orders(session, ids, on=on)
    told = [_tell(session, work, each, states, now) for each in agreements if _has_news(each, waiting)]
    if not behind and not told:
        raise Unchanged
    return {"agreements": len(behind), "overdue": sum(each.days_past_due > 0 for each in agreements)} | {
        f"told-{kind}": told.count(kind) for kind in NewsKind if kind in told
    }


def _has_news(agreement: Agreement, waiting: set[str]) -> bool:
    """Whether the case may have to hear something: its standing is not what it last heard.

    While the bank has not answered an order, nobody knows whether the row was missed.
    """
    if agreement.status in _ENDED:
        return agreement.told_days != TOLD_ENDED
    if agreement.told_days == TOLD_ENDED or agreement.days_past_due < agreement.told_days:
        return True
    return agreement.days_past_due > agreement.told_days and agreement.id not in waiting


def _tell(
    session: Session, work: DayWork, agreement: Agreement, states: Mapping[str, State], now: datetime
) -> NewsKind | None:
    """Put into the outbox what the case has to hear, at most one thing: of several rungs the last decides."""
    after = states.get(agreement.id) or state_from(agreement.snapshot or "")
    heard = agreement.told_days
    before = replace(
        after,
        status=Status.PAID_OFF if heard == TOLD_ENDED else Status.ACTIVE,
        days_past_due=max(0, heard),
    )
    found = news(before, after)
    agreement.told_days = TOLD_ENDED if after.status in ENDED else after.days_past_due
    session.add(agreement)
    if any(each.kind == missed.REOPENED for each in found):
        # The case may have been closed: somebody has to look at it.
        note_exception(session, work.day, step=work.step, target=agreement.id, code="reopened", now=now)
    for each in found:
        _tell_customer(session, work, agreement, each, now)
    kinds = [_FOR_CASE[each.kind] for each in found if each.kind in _FOR_CASE]
    if not kinds:
        return None
    enqueue_news(session, agreement, kinds[-1], on=work.day.on, now=now)
    return kinds[-1]


def _tell_customer(session: Session, work: DayWork, agreement: Agreement, item: News, now: datetime) -> None:
    if item.kind in (missed.CURED, missed.PAID_OFF, missed.REOPENED):
        return
    key = f"{item.kind.lower()}/{agreement.id}/{work.day.on.isoformat()}"
    if item.kind == missed.DEFAULT:
        until = (work.day.on + _WARNED_FOR).isoformat()
        customer_news.queue(
            session, agreement, NoticeKind.DEFAULT_WARNING, key=key, now=now, amount=agreement.owed_minor, until=until
        )
        return
    since = agreement.oldest_unpaid_due or work.day.on
    customer_news.queue(
        session,
        agreement,
        NoticeKind.MISSED_PAYMENT,
        key=key,
        now=now,
        amount=agreement.owed_minor,
        due=since.isoformat(),
        days=agreement.days_past_due,
    )
