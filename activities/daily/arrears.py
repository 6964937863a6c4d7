"""Step 3: every agreement that the date concerns is brought to it, and its case hears what changes its next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from activities.daily.chunks import DayWork
from activities.daily.customer_news import notice_of
from activities.daily.second_tries import SecondTries
from compliance.audit.unit import Unchanged, Unit
from models.domain.daily import REOPENED, TOLD_ENDED
from models.domain.notices import NoticeKind
from models.domain.servicing import missed
from models.domain.servicing.missed import News, news
from models.domain.servicing.snapshot import state_from
from models.domain.servicing.state import ENDED, State, Status
from models.domain.states import CaseStage, NewsKind
from models.operations.booking import book
from models.operations.business_dates import note_exception
from models.operations.news import enqueue_news
from models.operations.notices import NewNotice, queue_notices
from models.queries.daily import touched_agreements, with_fresh_orders
from models.tables.agreements import Agreement
from models.tables.installments import InstallmentCase

# What a case hears; the other rungs of the ladder are for the customer alone.
_FOR_CASE: Final = {
    missed.FIRST_MISSED: NewsKind.MISSED,
    missed.DEFAULT: NewsKind.DEFAULT_DUE,
    missed.CURED: NewsKind.CURED,
    missed.PAID_OFF: NewsKind.SETTLED,
}
_ENDED: Final = frozenset(status.value for status in ENDED)
_WARNED_FOR: Final = timedelta(days=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Heard:
    """What follows from an agreement's standing for its case and its customer."""

    agreement: Agreement
    case: NewsKind | None
    customer: list[NewNotice]
    reopened: bool


def run_arrears(work: DayWork) -> None:
    """Bring agreements to the date and tell their cases."""
    with work.database.read() as session:
        touched = touched_agreements(session, tenant=work.day.tenant, on=work.day.on)
        again = SecondTries.of(session, work)
    ids = sorted({*touched, *again.asked})
    work.in_chunks(ids, lambda unit, ids, now: again.ended(unit, ids, _advance(unit, work, ids, now), now), name=str)
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
    heard = [
        _hear(each, states.get(each.id) or state_from(each.snapshot or ""), on)
        for each in agreements
        if _has_news(each, waiting)
    ]
    if not behind and not heard:
        raise Unchanged
    _tell(session, work, heard, now)
    told = [each.case for each in heard]
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


def _hear(agreement: Agreement, after: State, on: date) -> _Heard:
    """What the case and the customer have to hear: the case one thing at most, of several rungs the last decides."""
    heard = agreement.told_days
    before = replace(
        after,
        status=Status.PAID_OFF if heard == TOLD_ENDED else Status.ACTIVE,
        days_past_due=max(0, heard),
    )
    found = news(before, after)
    agreement.told_days = TOLD_ENDED if after.status in ENDED else after.days_past_due
    kinds = [_FOR_CASE[each.kind] for each in found if each.kind in _FOR_CASE]
    return _Heard(
        agreement=agreement,
        case=kinds[-1] if kinds else None,
        customer=[notice for each in found for notice in _for_customer(agreement, each, on)],
        reopened=any(each.kind == missed.REOPENED for each in found),
    )


def _tell(session: Session, work: DayWork, heard: Sequence[_Heard], now: datetime) -> None:
    session.add_all([each.agreement for each in heard])
    queue_notices(session, [notice for each in heard for notice in each.customer], now=now)
    over = _closed_cases(session, [each.agreement for each in heard if each.reopened])
    told: list[tuple[Agreement, NewsKind]] = []
    for each in heard:
        if each.agreement.id in over:  # nobody listens there any more: somebody has to look at it
            target = each.agreement.id
            note_exception(session, work.day, step=work.step, target=target, code=REOPENED, now=now)
        elif each.reopened:
            told.append((each.agreement, NewsKind.REOPENED))
        if each.case is not None:
            told.append((each.agreement, each.case))
    enqueue_news(session, told, on=work.day.on, now=now)


def _closed_cases(session: Session, reopened: Sequence[Agreement]) -> set[str]:
    """Which of these agreements belong to cases that are over, or were closed as settled."""
    if not reopened:
        return set()
    tokens = [each.case_token for each in reopened]
    ended = session.exec(
        select(InstallmentCase.token).where(
            col(InstallmentCase.token).in_(tokens), col(InstallmentCase.stage) == CaseStage.ENDED
        )
    ).all()
    return {each.id for each in reopened if each.closed_on is not None or each.case_token in ended}


def _for_customer(agreement: Agreement, item: News, on: date) -> list[NewNotice]:
    if item.kind in (missed.CURED, missed.PAID_OFF, missed.REOPENED):
        return []
    key = f"{item.kind.lower()}/{agreement.id}/{on.isoformat()}"
    if item.kind == missed.DEFAULT:
        until = (on + _WARNED_FOR).isoformat()
        return [notice_of(agreement, NoticeKind.DEFAULT_WARNING, key=key, amount=agreement.owed_minor, until=until)]
    return [
        notice_of(
            agreement,
            NoticeKind.MISSED_PAYMENT,
            key=key,
            amount=agreement.owed_minor,
            due=(agreement.oldest_unpaid_due or on).isoformat(),
            days=agreement.days_past_due,
        )
    ]
