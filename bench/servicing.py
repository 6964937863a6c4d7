"""Folds of one agreement, going on from yesterday's state, and settlement quotes, at day 1 and at day 700."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from bench.measuring import seconds
from bench.registry import Figure, measures
from models.domain.schedules.due_dates import Rhythm
from models.domain.schedules.rows import Row
from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold, resume
from models.domain.servicing.revisions import level_rows
from models.domain.servicing.settlement import settlement_quote
from models.domain.servicing.terms import AgreementTerms

TIMES = 3_000
START = date(2026, 1, 15)
_DAY = timedelta(days=1)
_ONE_ROW = (Row(no=1, due=START + _DAY, principal_minor=1, interest_minor=0),)


@measures("servicing")
def servicing(scale: float) -> Iterable[Figure]:
    """24 rows, ten events; then a payment each month until day 700."""
    times = max(50, int(TIMES * scale))
    terms, events = _agreement()
    year = START + timedelta(days=330)
    ten = [event for event in events if event.value_date <= year][:10]
    each = seconds(lambda: [fold(terms, ten, year) for _ in range(times)])
    yield Figure(name="folds of 24 rows, 10 events", value=times / each, unit="folds/s", at_least=3_000)
    for day in (1, 700):
        today = START + timedelta(days=day)
        yesterday = fold(terms, events, today - _DAY)
        each = seconds(lambda state=yesterday, on=today: [resume(terms, state, (), on) for _ in range(times)])
        yield Figure(name=f"one day on from a state, day {day}", value=times / each, unit="agreements/s")
        each = seconds(
            lambda on=today: [settlement_quote(terms, fold(terms, events, on), agreement="a") for _ in range(times)]
        )
        yield Figure(name=f"quote with the fold, day {day}", value=each * 1_000 / times, unit="ms", at_most=50)


def _agreement() -> tuple[AgreementTerms, list[Event]]:
    dates = (START, *Rhythm().dates(START, first_due=None, rows=24))
    rates = {"annual_rate": Decimal("0.12"), "late_rate": Decimal("0.18")}
    rows = level_rows(AgreementTerms(rows=_ONE_ROW, start=START, **rates), 2_400_000, dates)
    events = [Event(id="act", kind=EventKind.ACTIVATED, value_date=START)]
    for row in rows:
        paid, amount = row.due + row.no % 3 * _DAY, row.total_minor + 100 * row.no
        events.append(Event(id=f"p{row.no:02}", kind=EventKind.PAYMENT, value_date=paid, amount_minor=amount))
    return AgreementTerms(rows=rows, start=START, **rates), events
