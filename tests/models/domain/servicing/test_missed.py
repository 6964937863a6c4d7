"""News for the case: only what changes its next step, in order, once per rung reached."""

from datetime import date, timedelta

import pytest

from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold
from models.domain.servicing.missed import DEFAULT_LADDER, Ladder, Rung, news
from tests.models.domain.servicing.histories import ACTIVATED, START, even_terms, payment, reversal

_DUE = date(2026, 2, 15)


def _diary(events, first: date, last: date):
    """What a case hears if every day is run."""
    heard, before, day = [], None, first
    while day <= last:
        after = fold(even_terms(), events, day)
        heard.extend((item.kind, (day - _DUE).days) for item in news(before, after))
        before, day = after, day + timedelta(days=1)
    return heard


def test_a_case_paid_as_agreed_hears_only_its_end():
    paid = [payment(f"p{row.no}", row.due, row.total_minor) for row in even_terms().rows]
    assert _diary([ACTIVATED, *paid], START, date(2026, 5, 30)) == [("PAID_OFF", 59)]


def test_a_missed_row_climbs_the_ladder_day_by_day():
    assert _diary([ACTIVATED], START, _DUE + timedelta(days=120)) == [
        ("FIRST_MISSED", 1),
        ("DPD_7", 7),
        ("DPD_30", 30),
        ("DPD_60", 60),
        ("DEFAULT", 91),
    ]


def test_a_default_already_said_is_not_said_again():
    said = Event(id="d", kind=EventKind.DEFAULTED, value_date=_DUE + timedelta(days=80))
    assert ("DEFAULT", 91) not in _diary([ACTIVATED, said], START, _DUE + timedelta(days=100))


def test_paying_up_is_a_cure_and_paying_the_older_of_two_rows_is_no_news():
    older = payment("a", _DUE + timedelta(days=40), 103_500)
    rest = payment("b", _DUE + timedelta(days=45), 102_000)
    assert _diary([ACTIVATED, older, rest], START, _DUE + timedelta(days=50)) == [
        ("FIRST_MISSED", 1),
        ("DPD_7", 7),
        ("DPD_30", 30),
        ("CURED", 45),
    ]


def test_a_late_return_brings_all_rungs_at_once_and_reopens_an_ended_case():
    paid = [payment(f"p{row.no}", row.due, row.total_minor) for row in even_terms().rows]
    day = date(2026, 4, 25)
    ended = fold(even_terms(), [ACTIVATED, *paid], day)
    returned = fold(even_terms(), [ACTIVATED, *paid, reversal("r", day, "p3")], day)
    heard = news(ended, returned)
    assert [item.kind for item in heard] == ["REOPENED", "FIRST_MISSED", "DPD_7"]
    assert [item.key for item in heard] == [(item.kind, day) for item in heard]
    assert {item.days_past_due for item in heard} == {10}


def test_a_case_not_yet_active_or_written_off_hears_nothing():
    off = Event(id="o", kind=EventKind.WRITTEN_OFF, value_date=date(2026, 3, 1))
    before = fold(even_terms(), [ACTIVATED], date(2026, 2, 28))
    assert news(before, fold(even_terms(), [ACTIVATED, off], date(2026, 5, 1))) == ()
    assert news(None, fold(even_terms(), [], date(2026, 5, 1))) == ()


def test_another_ladder_is_data():
    short = Ladder(version="t", source="test", rungs=(Rung(days=3, kind="CALL"), Rung(days=5, kind="LETTER")))
    before, after = (fold(even_terms(), [ACTIVATED], _DUE + timedelta(days=days)) for days in (2, 6))
    assert [item.kind for item in news(before, after, ladder=short)] == ["CALL", "LETTER"]
    with pytest.raises(ValueError, match="ascend"):
        Ladder(version="t", source="test", rungs=tuple(reversed(DEFAULT_LADDER.rungs)))
