"""When customers are called, how long the bank has to answer, and what fits which situation."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.aftercare.clocks import (
    CLOCKS,
    Basis,
    DayUnit,
    TicketKind,
    can_extend,
    due_at,
    monday_to_friday,
)
from models.domain.aftercare.education import TOPICS, Situation, Topic, situation_of
from models.domain.aftercare.follow_ups import SCHEDULE, FollowUpKind, Standing, follow_up_key, standing_of
from models.domain.servicing.state import Status
from models.domain.shanghai import SHANGHAI, shanghai_date

MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)  # 10:00 in Shanghai


def _due(kind: TicketKind, opened_at: datetime = MONDAY, *, extensions: int = 0) -> datetime:
    return due_at(kind, opened_at=opened_at, extensions=extensions, is_working_day=monday_to_friday)


@pytest.mark.parametrize(
    ("kind", "extensions", "last_day"),
    [
        (TicketKind.COMPLAINT, 0, date(2026, 12, 8)),
        (TicketKind.COMPLAINT, 1, date(2026, 12, 23)),
        (TicketKind.COMPLAINT, 2, date(2027, 1, 22)),
        (TicketKind.CREDIT_OBJECTION, 0, date(2026, 12, 13)),  # a Sunday: not moved
        (TicketKind.QUESTION, 0, date(2026, 11, 30)),  # five working days
        (TicketKind.QUESTION, 1, date(2026, 12, 7)),
    ],
)
def test_an_answer_is_late_at_the_midnight_after_the_last_day(
    kind: TicketKind, extensions: int, last_day: date
) -> None:
    late = _due(kind, extensions=extensions).astimezone(SHANGHAI)
    assert (late - timedelta(seconds=1)).date() == last_day
    assert late.time() == datetime.min.time()


def test_what_comes_in_after_midnight_in_shanghai_counts_from_that_day() -> None:
    late_in_the_day = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    assert _due(TicketKind.COMPLAINT, late_in_the_day + timedelta(minutes=1)) - _due(
        TicketKind.COMPLAINT, late_in_the_day
    ) == timedelta(days=1)


def test_where_the_calendar_ends_monday_to_friday_count() -> None:
    def announced(day: date) -> bool:
        if day.year > 2026:
            raise LookupError(day)
        return day != date(2026, 12, 31)

    opened = datetime(2026, 12, 30, 2, tzinfo=UTC)
    late = due_at(TicketKind.QUESTION, opened_at=opened, extensions=0, is_working_day=announced)
    assert shanghai_date(late) == date(2027, 1, 8)  # the 1st, 4th, 5th, 6th and 7th


@given(st.sampled_from(TicketKind), st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_each_extension_gives_more_time_and_the_last_has_none_after_it(kind: TicketKind, opened_at: datetime) -> None:
    steps = [_due(kind, opened_at, extensions=number) for number in range(len(CLOCKS[kind].days))]
    assert opened_at < steps[0]
    assert steps == sorted(set(steps))
    assert [can_extend(kind, extensions=number) for number in range(len(steps))] == [True] * (len(steps) - 1) + [False]


def test_every_clock_names_its_source_and_only_a_policy_is_in_working_days() -> None:
    assert CLOCKS.keys() == set(TicketKind)
    for clock in CLOCKS.values():
        assert clock.source
        assert (clock.unit is DayUnit.WORKING) <= (clock.basis is Basis.POLICY)


@pytest.mark.parametrize(
    ("status", "days", "standing"),
    [
        (Status.ACTIVE, 0, Standing.IN_ORDER),
        (Status.IN_ARREARS, 4, Standing.OVERDUE),
        (Status.DEFAULTED, 95, Standing.BROKEN),
        (Status.SETTLED, 0, Standing.ENDED),
        (Status.PAID_OFF, 0, Standing.ENDED),
    ],
)
def test_the_standing_of_an_agreement(status: Status, days: int, standing: Standing) -> None:
    assert standing_of(status=status, days_past_due=days) is standing


def test_a_call_that_comes_once_has_one_key_whatever_the_date() -> None:
    keys = {
        follow_up_key("agr_1", kind, anchor=anchor, attempt=attempt)
        for kind in FollowUpKind
        for anchor in (date(2026, 1, 1), date(2026, 1, 2))
        for attempt in (1, 2)
    }
    once = sum(rule.once for rule in SCHEDULE.rules)
    assert len(keys) == 2 * once + 4 * (len(FollowUpKind) - once)
    assert {rule.kind for rule in SCHEDULE.rules} == set(FollowUpKind)


@pytest.mark.parametrize(
    ("standing", "last_due", "prepays", "situation"),
    [
        (Standing.IN_ORDER, date(2027, 6, 1), False, Situation.IN_TIME),
        (Standing.IN_ORDER, date(2027, 6, 1), True, Situation.PREPAYING),
        (Standing.IN_ORDER, date(2026, 12, 24), False, Situation.CLOSING),
        (Standing.IN_ORDER, date(2026, 12, 25), False, Situation.IN_TIME),
        (Standing.OVERDUE, date(2026, 12, 1), True, Situation.MISSED),  # what is overdue comes first
        (Standing.BROKEN, date(2026, 1, 1), False, Situation.MISSED),
        (Standing.ENDED, date(2026, 1, 1), False, Situation.CLOSING),
    ],
)
def test_the_situation_of_a_customer(
    standing: Standing,
    last_due: date,
    prepays: bool,
    situation: Situation,
) -> None:
    assert situation_of(standing, last_due=last_due, prepays=prepays, today=date(2026, 11, 23)) is situation


def test_every_topic_is_read_in_some_situation() -> None:
    assert {topic for topics in TOPICS.values() for topic in topics} == set(Topic)
    assert TOPICS.keys() == set(Situation)
