"""News for a case at the moment of a booking: it is settled, or nothing is overdue any more.

What makes a case's standing worse is told by the daily run, which also tells the customer; what ends its worry is told
at once, in the transaction of the money. `told_days` on the agreement says what the case last heard, so nothing is told
twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from models.domain.daily import TOLD_ENDED
from models.domain.ids import installment_workflow_id
from models.domain.servicing import missed
from models.domain.servicing.missed import news
from models.domain.servicing.state import ENDED, State, Status
from models.domain.states import NewsKind, OutboxKind
from models.domain.tokens import uuid7
from models.tables.agreements import Agreement
from models.tables.platform import OutboxEntry

_GOOD: Final = {missed.CURED: NewsKind.CURED, missed.PAID_OFF: NewsKind.SETTLED}
_OUTBOX: Final = OutboxEntry.__table__  # type: ignore[attr-defined]
_ENQUEUE: Final = {
    "sqlite": sqlite.insert(_OUTBOX).on_conflict_do_nothing(index_elements=["kind", "business_key"]),
    "postgresql": postgresql.insert(_OUTBOX).on_conflict_do_nothing(index_elements=["kind", "business_key"]),
}


def tell_good_news(session: Session, agreement: Agreement, after: State, *, on: date, now: datetime) -> NewsKind | None:
    """Put into the outbox that the agreement is settled or cured, if the case has not heard so.

    Args:
        session: of the unit of work that booked.
        agreement: as it was booked.
        after: its state now.
        on: the open business date; with case and kind it is the key under which news is told once.
        now: for the record.

    Returns:
        What was told, if anything.
    """
    heard = agreement.told_days
    before = replace(
        after, status=Status.PAID_OFF if heard == TOLD_ENDED else Status.ACTIVE, days_past_due=max(0, heard)
    )
    kinds = [_GOOD[each.kind] for each in news(before, after) if each.kind in _GOOD]
    if not kinds:
        return None
    agreement.told_days = TOLD_ENDED if after.status in ENDED else after.days_past_due
    session.add(agreement)
    enqueue_news(session, [(agreement, kinds[-1])], on=on, now=now)
    return kinds[-1]


def enqueue_news(session: Session, told: Sequence[tuple[Agreement, NewsKind]], *, on: date, now: datetime) -> None:
    """Add the outbox rows of news in one statement; once per case, kind and business date."""
    if not told:
        return
    rows = [
        {
            "id": uuid7(now),
            "tenant": agreement.tenant,
            "kind": OutboxKind.NEWS.value,
            "business_key": f"{agreement.case_token}/{kind}/{on.isoformat()}",
            "workflow_id": installment_workflow_id(agreement.case_token),
            "attempts": 0,
            "next_try_at": now,
            "created_at": now,
        }
        for agreement, kind in told
    ]
    session.connection().execute(_ENQUEUE[session.get_bind().dialect.name], rows)
