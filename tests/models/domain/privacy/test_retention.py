"""Periods at their boundaries: the last day is included, ends of months, and what a bank may set."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.privacy.retention import (
    RULES,
    PersonDates,
    RetentionPolicy,
    due_from,
    last_day,
    obstacles,
    periods,
    until_when,
)

AML = RULES["AML-34c-identity"]


@pytest.mark.parametrize(
    ("event_on", "last", "due"),
    [
        (date(2026, 11, 23), date(2036, 11, 23), date(2036, 11, 24)),
        (date(2026, 2, 28), date(2036, 2, 28), date(2036, 2, 29)),
        (date(2024, 2, 29), date(2034, 2, 28), date(2034, 3, 1)),  # no corresponding day: the last of the month
        (date(2028, 2, 29), date(2038, 2, 28), date(2038, 3, 1)),
        (date(2025, 12, 31), date(2035, 12, 31), date(2036, 1, 1)),
    ],
)
def test_ten_years_last_through_the_corresponding_day(event_on: date, last: date, due: date) -> None:
    assert last_day(AML, event_on) == last
    assert due_from(AML, event_on) == due
    ended = PersonDates(had_agreement=True, relation_ended_on=event_on)
    assert [each.rule for each in obstacles(ended, today=last)] == ["AML-34c-identity"]
    assert obstacles(ended, today=due) == ()


def test_zero_years_is_the_day_itself() -> None:
    assert last_day(RULES["CCM-70f"], date(2026, 11, 23)) == date(2026, 11, 23)


def test_the_longest_period_decides_and_every_one_is_told() -> None:
    dates = PersonDates(
        had_agreement=True,
        relation_ended_on=date(2020, 5, 1),
        last_transaction_on=date(2021, 5, 1),
        settled_on=date(2021, 5, 1),
        last_collection_on=date(2021, 4, 1),
        last_limitation_on=date(2021, 4, 2),
        oral=True,
    )
    assert [each.rule for each in periods(dates)] == [
        "AML-34c-transaction", "AML-34c-identity", "recording", "CC-188", "CCM-68c", "CCM-70f",
    ]  # fmt: skip
    assert until_when(obstacles(dates, today=date(2026, 11, 23))) == date(2031, 5, 1)


def test_what_has_no_day_says_so() -> None:
    dates = PersonDates(open_cases=1, in_service=1)
    standing = obstacles(dates, today=date(2026, 11, 23), holds=2)
    assert [each.rule for each in standing] == ["legal-hold", "open-case", "agreement-in-service"]
    assert until_when(standing) is None


def test_a_person_without_an_agreement_is_kept_as_the_bank_has_set() -> None:
    dates = PersonDates(relation_ended_on=date(2024, 1, 31))
    own = RetentionPolicy(version="v", source="s", years={"application": 1})
    assert until_when(obstacles(dates, today=date(2025, 1, 31), policy=own)) == date(2025, 1, 31)
    assert obstacles(dates, today=date(2025, 2, 1), policy=own) == ()


@pytest.mark.parametrize(
    ("rule", "years"),
    [("AML-34c-identity", 9), ("CCM-68c", 1), ("application", -1), ("AML-34c-identity", 51), ("nothing", 1)],
)
def test_no_bank_keeps_shorter_than_the_law(rule: str, years: int) -> None:
    with pytest.raises(ValueError, match=rule):
        RetentionPolicy(version="v", source="s", years={rule: years})


def test_a_bank_may_keep_longer_and_the_record_reads_back() -> None:
    own = RetentionPolicy(version="v", source="s", years={"AML-34c-identity": 15}, lock_after_days=0)
    assert RetentionPolicy.from_record(own.as_record()) == own
    assert last_day(AML, date(2026, 11, 23), own) == date(2041, 11, 23)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(sorted(RULES)))
def test_what_is_kept_through_a_day_is_due_on_the_next_and_never_before_the_event(on: date, rule_id: str) -> None:
    rule = RULES[rule_id]
    assert last_day(rule, on) >= on
    assert (due_from(rule, on) - last_day(rule, on)).days == 1
    assert last_day(rule, on).year == on.year + rule.years
