"""Histories of agreements for tests: made by hand, or read out of random bytes (which shrink well and draw fast)."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from models.domain.schedules.day_count import DayCount
from models.domain.schedules.rows import Row
from models.domain.servicing.allocation import DEFAULT_ALLOCATION, IN_ADVANCE_ALLOCATION
from models.domain.servicing.components import Component
from models.domain.servicing.events import Event, EventKind, PaymentChannel, PrepaymentChoice
from models.domain.servicing.terms import Accrual, AgreementTerms

START = date(2026, 1, 15)
LENGTH = 140

_KINDS = (
    *(EventKind.PAYMENT,) * 12,
    *(EventKind.REVERSAL,) * 5,
    *(EventKind.SETTLEMENT,) * 2,
    *(EventKind.PREPAYMENT,) * 3,
    *(EventKind.WAIVER,) * 2,
    *(EventKind.REFUND,) * 2,
    EventKind.RE_AGE,
    EventKind.DUE_DATE_CHANGE,
    EventKind.PAUSE,
    EventKind.DEFAULTED,
    EventKind.CURED,
    EventKind.WRITTEN_OFF,
)


def many(examples: int):
    """Settings of a property: repeatable, without a database of examples, so many histories."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class History:
    terms: AgreementTerms
    events: tuple[Event, ...]
    as_of: date
    extra: Event  # one more event, for tests that add one


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def below(self, limit: int) -> int:
        value = int.from_bytes(self.data[self.at : self.at + 2], "big")
        self.at += 2
        return value % limit


def months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, 28))


def decode(data: bytes) -> History:
    """A history from bytes; every sequence of bytes gives a valid one."""
    source = _Bytes(data)
    terms = _terms(source)
    events: list[Event] = []
    if source.below(32):
        events.append(Event(id="e00", kind=EventKind.ACTIVATED, value_date=START + timedelta(days=source.below(3))))
    # Ids in mixed order, so that the order of ids is not the order of days.
    for number in range(source.below(10)):
        events.append(_event(source, terms, events, f"e{(number * 7 + 3) % 10}{number}"))
    extra = _event(source, terms, [], "e5x")
    as_of = START + timedelta(days=source.below(30 * len(terms.rows) + 150))
    return History(terms, tuple(events), as_of, extra)


def histories() -> st.SearchStrategy[History]:
    return st.binary(min_size=LENGTH, max_size=LENGTH).map(decode)


def _terms(source: _Bytes) -> AgreementTerms:
    rows = tuple(
        Row(
            no=number,
            due=months_after(START, number),
            principal_minor=source.below(4) * 12_345 + 1,
            interest_minor=source.below(900),
            fee_minor=source.below(3) * 250,
        )
        for number in range(1, 3 + source.below(6))
    )
    return AgreementTerms(
        rows=rows,
        start=START,
        annual_rate=(Decimal(0), Decimal("0.1175"), Decimal("0.24"))[source.below(3)],
        late_rate=(Decimal(0), Decimal("0.1825"))[source.below(2)],
        day_count=tuple(DayCount)[source.below(len(DayCount))],
        late_day_count=tuple(DayCount)[source.below(len(DayCount))],
        allocation=(DEFAULT_ALLOCATION, IN_ADVANCE_ALLOCATION)[source.below(2)],
        accrual=tuple(Accrual)[source.below(2)],
        defers_interest=source.below(4) == 0,
        tolerance_minor=source.below(2) * 100,
    )


def _event(source: _Bytes, terms: AgreementTerms, known: list[Event], event_id: str) -> Event:
    kind = _KINDS[source.below(len(_KINDS))]
    day = START + timedelta(days=source.below(30 * len(terms.rows) + 120))
    raw = source.below(65_536)
    if kind is EventKind.REVERSAL and not known:
        kind = EventKind.PAYMENT
    if kind is EventKind.REVERSAL:
        target = known[raw % len(known)]
        booked = target.value_date + timedelta(days=raw % 9)
        return Event(id=event_id, kind=kind, value_date=booked, target=target.id)
    row = terms.rows[raw % len(terms.rows)]
    amount = (row.total_minor, raw + 1, 3 * row.total_minor, terms.principal_minor)[raw % 4]
    if kind is EventKind.PAYMENT:
        return payment(event_id, day, amount)
    if kind in (EventKind.SETTLEMENT, EventKind.REFUND):
        return Event(id=event_id, kind=kind, value_date=day, amount_minor=amount)
    if kind is EventKind.WAIVER:
        component = tuple(Component)[raw % len(Component)]
        return Event(id=event_id, kind=kind, value_date=day, amount_minor=1 + raw % 7_000, component=component)
    if kind is EventKind.PREPAYMENT:
        rows = new_rows(day, raw)
        choice = tuple(PrepaymentChoice)[raw % 2]
        return Event(id=event_id, kind=kind, value_date=day, amount_minor=amount, choice=choice, rows=rows)
    if kind in (EventKind.RE_AGE, EventKind.DUE_DATE_CHANGE):
        return Event(id=event_id, kind=kind, value_date=day, rows=new_rows(day, raw))
    if kind is EventKind.PAUSE:
        free = day + timedelta(days=40) if raw % 3 else None
        return Event(id=event_id, kind=kind, value_date=day, rows=new_rows(day, raw), late_free_until=free)
    return Event(id=event_id, kind=kind, value_date=day)


def new_rows(day: date, raw: int) -> tuple[Row, ...]:
    """Rows that seldom carry the principal that is left, as after something was learnt late."""
    return tuple(
        Row(
            no=10 + index,
            due=day + timedelta(days=1 + raw % 40 + 30 * index),
            principal_minor=(raw * (index + 3)) % 30_000,
            interest_minor=raw % 700,
            fee_minor=raw % 2 * 99,
        )
        for index in range(1 + raw % 5)
    )


# By hand -------------------------------------------------------------------------------------------------------------


def even_terms(**changes) -> AgreementTerms:
    """Three rows of 1,000.00 principal and 10.00 interest a month, at 12 % a year, late interest 18 %."""
    rows = tuple(
        Row(no=number, due=months_after(START, number), principal_minor=100_000, interest_minor=1_000)
        for number in (1, 2, 3)
    )
    return AgreementTerms(
        **{
            "rows": rows,
            "start": START,
            "annual_rate": Decimal("0.12"),
            "late_rate": Decimal("0.18"),
            **changes,
        }
    )


ACTIVATED = Event(id="act", kind=EventKind.ACTIVATED, value_date=START)


def payment(event_id: str, day: date, amount: int) -> Event:
    return Event(
        id=event_id,
        kind=EventKind.PAYMENT,
        value_date=day,
        amount_minor=amount,
        channel=PaymentChannel.TRANSFER,
    )


def reversal(event_id: str, day: date, target: str) -> Event:
    return Event(id=event_id, kind=EventKind.REVERSAL, value_date=day, target=target)
